"""Reading labelled folders into memory for training, and keeping some capture hours out of it for later choices."""

import logging
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from sorter.errors import DataFolderError
from sorter.runtime.labelled_folder import LabelledFolder, LabelledPicture, labelled_boxes_px, read_labelled_folder
from training.data.manifest import manifest_of
from training.data.picture_file import read_facts
from training.data.sessions import Capture, capture_sessions
from training.synthesis.pixels import Picture, read_picture, stretched
from training.synthesis.scene import Scene

_LOG = logging.getLogger(__name__)
# the lot that says which captures are kept out
_HELD_OUT_SEED = 0
# Square root of the area of a typical item, as a share of the picture, in the line's own view.
TYPICAL_ITEM_RATIO = 0.167


class TrainingSet(msgspec.Struct, frozen=True):
    """The scenes of one folder.

    Attributes:
        name: the folder.
        scenes: pictures with boxes, all of one size.
        weights: (len(scenes),) how often to show each, summing to one; pictures with rare classes more often.
        zoom_ratio: scale at which the items look as large as on the line's own camera, at most 1.
        known_class_count: how many classes the labels name exhaustively.
        broken: files of pictures that could not be read and are left out.
    """

    name: str
    scenes: tuple[Scene, ...]
    weights: NDArray[np.float64]
    zoom_ratio: float
    known_class_count: int
    broken: tuple[Path, ...] = ()


def load_training_set(folder: LabelledFolder, class_names: tuple[str, ...], size_px: int) -> TrainingSet:
    """Read all pictures of a folder, stretched to size_px × size_px.

    Pictures that are broken, or end too early, are logged, counted and left out.

    Raises:
        DataFolderError: if none of the pictures can be read.
    """
    known = np.isin(class_names, folder.complete_for)
    outcomes = [_scene_or_fault(picture, known, size_px) for picture in folder.pictures]
    scenes = tuple(one for one in outcomes if isinstance(one, Scene))
    faults = [one for one in outcomes if isinstance(one, DataFolderError)]
    if not scenes:
        raise DataFolderError(f"{folder.folder}: none of {len(outcomes)} pictures can be read; the first: {faults[0]}")
    if faults:
        _LOG.warning("%s: %d of %d broken pictures left out", folder.folder, len(faults), len(outcomes))
    broken = tuple(
        picture.path for picture, one in zip(folder.pictures, outcomes, strict=True) if isinstance(one, DataFolderError)
    )
    weights = _picture_weights(scenes, len(class_names))
    return TrainingSet(str(folder.folder), scenes, weights, _zoom_ratio(scenes, size_px), int(known.sum()), broken)


def load_scene(labelled: LabelledPicture, known: NDArray[np.bool_], size_px: int | None) -> Scene:
    """Read one picture, its ignored regions painted over.

    Args:
        labelled: the picture.
        known: (C,) bool, classes that are labelled exhaustively.
        size_px: it is stretched to a square of this side; None: it stays as it is.

    Raises:
        DataFolderError: if the picture cannot be read to its end.
    """
    read_facts(labelled.path)
    picture = read_picture(labelled.path)
    if size_px is not None:
        picture = stretched(picture, size_px, size_px)
    boxes_px = _inside(labelled_boxes_px(labelled.boxes, picture), picture)
    if len(labelled.ignored):
        picture = _painted_over(picture, _inside(labelled_boxes_px(labelled.ignored, picture), picture), boxes_px)
    return Scene(picture, boxes_px, labelled.class_ids, known)


def split_by_capture(folder: LabelledFolder, held_out_ratio: float) -> tuple[LabelledFolder, LabelledFolder]:
    """Part a folder into (training, held out) so that no capture hour is in both.

    A manifest's sessions come first, then the time in the name; names without a time are parted in blocks of ten
    neighbours. At least one capture stays in training. The lot is the same for every run, whatever its seed: training
    that goes on from a bundle must not learn from what the bundle was calibrated on.

    Args:
        folder: what to part.
        held_out_ratio: share of the pictures to keep out, at least.
    """
    captures = _captures(folder)
    order = np.random.default_rng(_HELD_OUT_SEED).permutation(sorted(set(captures)))
    held: set[str] = set()
    for capture in order[:-1]:
        if sum(name in held for name in captures) >= held_out_ratio * len(captures):
            break
        held.add(str(capture))
    return _part(folder, captures, held, wanted=False), _part(folder, captures, held, wanted=True)


def read_folders(paths: tuple[Path, ...], class_names: tuple[str, ...]) -> tuple[LabelledFolder, ...]:
    """Read several labelled folders.

    Raises:
        DataFolderError: if one is malformed, or none is given.
    """
    if not paths:
        raise DataFolderError("no labelled folder given; name at least one with --data")
    return tuple(read_labelled_folder(path, class_names) for path in paths)


def _part(folder: LabelledFolder, captures: list[str], held: set[str], *, wanted: bool) -> LabelledFolder:
    pairs = zip(folder.pictures, captures, strict=True)
    pictures = tuple(picture for picture, capture in pairs if (capture in held) == wanted)
    return LabelledFolder(folder.folder, pictures, folder.complete_for)


def _captures(folder: LabelledFolder) -> list[str]:
    manifest = manifest_of(folder.folder)
    entries = {} if manifest is None else manifest.by_file_name
    names = [picture.path.name for picture in folder.pictures]
    captures = [Capture(name, entries[name].session if name in entries else None) for name in names]
    return [session.name for session in capture_sessions(captures)]


def _scene_or_fault(picture: LabelledPicture, known: NDArray[np.bool_], size_px: int) -> Scene | DataFolderError:
    try:
        return load_scene(picture, known, size_px)
    except DataFolderError as error:
        _LOG.warning("left out: %s", error)
        return error


def _inside(boxes_px: NDArray[np.float64], picture: Picture) -> NDArray[np.float64]:
    return boxes_px.clip(0, [picture.shape[1], picture.shape[0]] * 2)


def _painted_over(picture: Picture, ignored_px: NDArray[np.float64], boxes_px: NDArray[np.float64]) -> Picture:
    # What is neither item nor background must not be seen at all; labelled items in it stay.
    painted = picture.copy()
    for x0, y0, x1, y1 in _whole_px(ignored_px):
        painted[y0:y1, x0:x1] = np.median(picture, axis=(0, 1)).astype(np.uint8)
    for x0, y0, x1, y1 in _whole_px(boxes_px):
        painted[y0:y1, x0:x1] = picture[y0:y1, x0:x1]
    return painted


def _whole_px(boxes_px: NDArray[np.float64]) -> Sequence[tuple[int, int, int, int]]:
    edges = np.concatenate([np.floor(boxes_px[:, :2]), np.ceil(boxes_px[:, 2:])], axis=1).astype(int)
    return [(int(x0), int(y0), int(x1), int(y1)) for x0, y0, x1, y1 in edges]


def _picture_weights(scenes: tuple[Scene, ...], class_count: int) -> NDArray[np.float64]:
    # Repeat factor of LVIS (Gupta et al. 2019): the rarest class in a picture decides, by the root of its frequency.
    present = np.array([np.bincount(scene.class_ids, minlength=class_count) > 0 for scene in scenes])
    frequency = np.maximum(present.mean(axis=0), 1e-3)
    factors = np.where(present, np.sqrt(frequency.max() / frequency), 1.0)
    weights: NDArray[np.float64] = factors.max(axis=1) / factors.max(axis=1).sum()
    return weights


def _zoom_ratio(scenes: tuple[Scene, ...], size_px: int) -> float:
    boxes_px = np.concatenate([scene.boxes_px for scene in scenes])
    if not len(boxes_px):
        return 1.0
    sides = (boxes_px[:, 2:] - boxes_px[:, :2]) / size_px
    typical = float(np.median(np.sqrt(sides[:, 0] * sides[:, 1])))
    return min(1.0, TYPICAL_ITEM_RATIO / max(typical, 1e-3))
