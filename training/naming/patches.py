"""Boxes in pictures: what the second look learns from.

Of a picture on disk its path is kept, and it is read whenever one of its boxes is drawn: a site has thousands.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from sorter.errors import DataFolderError
from sorter.runtime.bundle import Network
from sorter.runtime.labelled_folder import LabelledFolder, LabelledPicture, labelled_boxes_px
from training.data.picture_file import read_facts
from training.evaluation.evaluate import Detect
from training.progress import progress
from training.synthesis.pixels import Picture, read_picture
from training.synthesis.scene import Scene
from vision.boxes import overlap_ratios
from vision.second_look.cutting import AspectScale, aspect_scale_of

_LOG = logging.getLogger(__name__)
# A box is of a label that it shares so much with.
_SAME_RATIO = 0.5
_BOXES_PER_PICTURE = 24

Box = NDArray[np.float64]


class Patch(msgspec.Struct, frozen=True, eq=False):
    """One box.

    Attributes:
        source: the picture, (H, W, 3) uint8 BGR, or its file.
        box_px: (4,) left, top, right, bottom in it.
        aspect_scale: of the picture; see `vision.second_look.cutting`.
        label_px: (4,) the label that the box shares most with; None: it lies on nothing that is labelled.
        class_id: of that label; the number of classes if there is none.
        weight: how often to show it, by its group alone.
        is_found: whether a network found the box; else it is a label.
    """

    source: Picture | Path
    box_px: Box
    aspect_scale: AspectScale
    label_px: Box | None
    class_id: int
    weight: float = 1.0
    is_found: bool = False

    def picture(self) -> Picture:
        """The picture, (H, W, 3) uint8 BGR.

        Raises:
            DataFolderError: if its file cannot be read any more.
        """
        return read_picture(self.source) if isinstance(self.source, Path) else self.source

    def fit_ratio(self, box_px: Box) -> float:
        """Overlap of a box with the label, 0..1."""
        if self.label_px is None:
            return 0.0
        return float(overlap_ratios(box_px[None], self.label_px[None])[0, 0])


def labelled_patches(folder: LabelledFolder, network: Network) -> list[Patch]:
    """Every labelled item of a folder; pictures that cannot be read are logged and left out.

    Args:
        folder: to read.
        network: the first one, whose input says how a picture is stretched.
    """
    patches = []
    with progress(folder.pictures, len(folder.pictures), f"items of {folder.folder.name}") as pictures:
        for labelled, picture in _readable(pictures):
            boxes_px = labelled_boxes_px(labelled.boxes, picture)
            scale = aspect_scale_of(network, picture.shape)
            patches += _on_labels(labelled.path, scale, boxes_px, labelled.class_ids)
    return patches


def scene_patches(scenes: Iterable[Scene], network: Network) -> list[Patch]:
    """Every item of drawn scenes."""
    patches = []
    for scene in scenes:
        scale = aspect_scale_of(network, scene.picture.shape)
        patches += _on_labels(scene.picture, scale, np.asarray(scene.boxes_px, np.float64), scene.class_ids)
    return patches


def found_patches(folder: LabelledFolder, detect: Detect, class_count: int, network: Network) -> list[Patch]:
    """What the first network takes for items, likeliest first: most of it is none, or not quite the item.

    Args:
        folder: one whose labels are exhaustive.
        detect: the first network.
        class_count: number of classes, which is the class id of nothing.
        network: as in `labelled_patches`.
    """
    patches = []
    with progress(folder.pictures, len(folder.pictures), f"boxes found in {folder.folder.name}") as pictures:
        for labelled, picture in _readable(pictures):
            found = detect(picture)
            boxes_px = found.boxes_px[:_BOXES_PER_PICTURE].astype(np.float64)
            weights = np.sqrt(found.class_probs.max(axis=1, initial=0.0)).tolist()
            labels_px, scale = labelled_boxes_px(labelled.boxes, picture), aspect_scale_of(network, picture.shape)
            for box_px, weight, overlaps in zip(boxes_px, weights, overlap_ratios(boxes_px, labels_px), strict=False):
                label_px, class_id = None, class_count
                if overlaps.any():
                    nearest = int(overlaps.argmax())
                    label_px, class_id = labels_px[nearest], int(labelled.class_ids[nearest])
                patches.append(Patch(labelled.path, box_px, scale, label_px, class_id, weight, is_found=True))
    return patches


def shares_by_class(patches: Sequence[Patch], class_count: int) -> NDArray[np.float64]:
    """How often to show each patch (N,), summing to one: rare classes more often than they come, common ones less.

    A box that fits no label well is of the group of nothing here, whose number is `class_count`.
    """
    fits = [patch.fit_ratio(patch.box_px) >= _SAME_RATIO for patch in patches]
    groups = np.array([patch.class_id if fit else class_count for patch, fit in zip(patches, fits, strict=True)])
    _, inverse = np.unique(groups, return_inverse=True)
    weights = np.array([patch.weight for patch in patches])
    totals = np.bincount(inverse, weights=weights)
    counts = np.bincount(inverse)
    shares = weights / totals[inverse] * np.sqrt(counts[inverse])
    return np.asarray(shares / shares.sum(), np.float64)


def _on_labels(
    source: Picture | Path, aspect_scale: AspectScale, boxes_px: NDArray[np.float64], class_ids: NDArray[np.int64]
) -> list[Patch]:
    labels = zip(boxes_px, class_ids, strict=True)
    return [Patch(source, box_px, aspect_scale, box_px, int(class_id)) for box_px, class_id in labels]


def _readable(labelled: Iterable[LabelledPicture]) -> Iterator[tuple[LabelledPicture, Picture]]:
    for one in labelled:
        picture = _picture(one)
        if picture is not None:
            yield one, picture


def _picture(labelled: LabelledPicture) -> Picture | None:
    try:
        read_facts(labelled.path)
        return read_picture(labelled.path)
    except DataFolderError as error:
        _LOG.warning("left out: %s", error)
        return None
