"""Single items, each with some of the belt around it: what the second look learns from.

A patch is larger than what the network is shown, so that it can be turned and moved without an empty corner.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from sorter.errors import DataFolderError
from sorter.runtime.bundle import Network
from sorter.runtime.labelled_folder import LabelledFolder, LabelledPicture
from training.data.picture_file import read_facts
from training.evaluation.evaluate import Detect, labelled_boxes_px
from training.progress import progress
from training.synthesis.pixels import Picture, read_picture
from training.synthesis.scene import Scene
from vision.boxes import overlap_ratios
from vision.second_look.cutting import aspect_scale_of, cut_squares

_LOG = logging.getLogger(__name__)
# A square turned by 45° and moved a little stays inside one so much larger.
SPARE_RATIO = 1.6
# A box that shares less than this with every label lies on something else.
_ELSEWHERE_RATIO = 0.25
_BOXES_PER_PICTURE = 8


class Geometry(msgspec.Struct, frozen=True):
    """How items are cut out; see `sorter.runtime.bundle.SecondLook`.

    Attributes:
        network: whose boxes are looked at again; its input says how a picture is stretched.
        side_px: of the square that the second network is shown.
        margin_ratio: side of that square by the longer side of the box.
    """

    network: Network
    side_px: int
    margin_ratio: float

    @property
    def patch_px(self) -> int:
        """Side of a patch."""
        return round(SPARE_RATIO * self.side_px)


class Patch(msgspec.Struct, frozen=True):
    """One item.

    Attributes:
        picture: (S, S, 3) uint8 BGR, the item in its middle.
        class_id: into the class list; the number of classes where there is nothing of them.
        weight: how often to show it, by its class alone.
    """

    picture: Picture
    class_id: int
    weight: float = 1.0


def labelled_patches(folder: LabelledFolder, geometry: Geometry) -> list[Patch]:
    """Every labelled item of a folder; pictures that cannot be read are logged and left out."""
    patches = []
    with progress(folder.pictures, len(folder.pictures), f"items of {folder.folder.name}") as pictures:
        for labelled, picture in _readable(pictures):
            boxes_px = labelled_boxes_px(labelled.boxes, picture)
            squares = squares_of(picture, boxes_px, geometry)
            patches += [Patch(one, int(number)) for one, number in zip(squares, labelled.class_ids, strict=True)]
    return patches


def scene_patches(scenes: Iterable[Scene], geometry: Geometry) -> list[Patch]:
    """Every item of drawn scenes."""
    patches = []
    for scene in scenes:
        squares = squares_of(scene.picture, scene.boxes_px, geometry)
        patches += [Patch(one, int(number)) for one, number in zip(squares, scene.class_ids, strict=True)]
    return patches


def mistaken_patches(folder: LabelledFolder, detect: Detect, class_count: int, geometry: Geometry) -> list[Patch]:
    """What the first network takes for items where nothing is labelled, its likeliest mistakes first.

    Args:
        folder: one whose labels are exhaustive.
        detect: the first network.
        class_count: number of classes, which is the class id of nothing.
        geometry: of the squares.
    """
    patches = []
    with progress(folder.pictures, len(folder.pictures), f"mistakes in {folder.folder.name}") as pictures:
        for labelled, picture in _readable(pictures):
            found = detect(picture)
            elsewhere = _elsewhere(found.boxes_px, labelled_boxes_px(labelled.boxes, picture))[:_BOXES_PER_PICTURE]
            squares = squares_of(picture, found.boxes_px[elsewhere].astype(np.float64), geometry)
            weights = np.sqrt(found.class_probs[elsewhere].max(axis=1, initial=0.0))
            patches += [Patch(one, class_count, float(weight)) for one, weight in zip(squares, weights, strict=True)]
    return patches


def squares_of(picture: Picture, boxes_px: NDArray[np.float64], geometry: Geometry) -> list[Picture]:
    """A patch's picture round each of the boxes (N, 4)."""
    squares = np.empty((len(boxes_px), geometry.patch_px, geometry.patch_px, 3), np.uint8)
    scale = aspect_scale_of(geometry.network, picture.shape)
    cut_squares(picture, boxes_px, scale, geometry.margin_ratio * SPARE_RATIO, squares)
    return list(squares)


def shares_by_class(patches: Sequence[Patch]) -> NDArray[np.float64]:
    """How often to show each patch (N,), summing to one: rare classes more often than they come, common ones less."""
    ids = np.array([patch.class_id for patch in patches])
    _, inverse = np.unique(ids, return_inverse=True)
    weights = np.array([patch.weight for patch in patches])
    totals = np.bincount(inverse, weights=weights)
    counts = np.bincount(inverse)
    shares = weights / totals[inverse] * np.sqrt(counts[inverse])
    return np.asarray(shares / shares.sum(), np.float64)


def _elsewhere(found_px: NDArray[np.float32], labelled_px: NDArray[np.float64]) -> NDArray[np.int64]:
    if not len(found_px) or not len(labelled_px):
        return np.arange(len(found_px))
    nearest = overlap_ratios(found_px.astype(np.float64), labelled_px).max(axis=1)
    return np.flatnonzero(nearest < _ELSEWHERE_RATIO)


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
