"""Reading labelled folders into memory for training, and keeping some capture hours out of it for later choices."""

import re
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from sorter.errors import DataFolderError
from sorter.runtime.labelled_folder import LabelledFolder, LabelledPicture, read_labelled_folder
from training.synthesis.pixels import read_picture, stretched
from training.synthesis.scene import Scene

# Frames of one camera and hour resemble each other: "..._04-Mar_09-07-06" → "..._04-Mar_09".
_CAPTURE_HOUR = re.compile(r"^(.*\d{1,2}-[A-Za-z]{3}_\d{2})-\d{2}-\d{2}")
_BLOCK_PICTURES = 10
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
    """

    name: str
    scenes: tuple[Scene, ...]
    weights: NDArray[np.float64]
    zoom_ratio: float
    known_class_count: int


def load_training_set(folder: LabelledFolder, class_names: tuple[str, ...], size_px: int) -> TrainingSet:
    """Read all pictures of a folder, stretched to size_px × size_px.

    Raises:
        DataFolderError: if a picture cannot be read.
    """
    known = np.isin(class_names, folder.complete_for)
    scenes = tuple(load_scene(picture, known, size_px) for picture in folder.pictures)
    weights = _picture_weights(scenes, len(class_names))
    return TrainingSet(str(folder.folder), scenes, weights, _zoom_ratio(scenes, size_px), int(known.sum()))


def load_scene(labelled: LabelledPicture, known: NDArray[np.bool_], size_px: int) -> Scene:
    """Read one picture, stretched to size_px × size_px.

    Raises:
        DataFolderError: if the picture cannot be read.
    """
    picture = stretched(read_picture(labelled.path), size_px, size_px)
    centres, sides = labelled.boxes[:, :2], labelled.boxes[:, 2:]
    corners = np.concatenate([centres - sides / 2, centres + sides / 2], axis=1)
    boxes_px = np.clip(corners, 0, 1) * size_px
    return Scene(picture, boxes_px, labelled.class_ids, known)


def split_by_capture(folder: LabelledFolder, held_out_ratio: float, seed: int) -> tuple[LabelledFolder, LabelledFolder]:
    """Part a folder into (training, held out) so that no capture hour is in both.

    Names without a time are parted in blocks of ten neighbours. At least one capture stays in training.

    Args:
        folder: what to part.
        held_out_ratio: share of the pictures to keep out, at least.
        seed: which captures are kept out.
    """
    captures = _captures([picture.path.stem for picture in folder.pictures])
    order = np.random.default_rng(seed).permutation(sorted(set(captures)))
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


def _captures(stems: list[str]) -> list[str]:
    matches = [_CAPTURE_HOUR.match(stem) for stem in stems]
    return [match.group(1) if match else f"block {index // _BLOCK_PICTURES:06d}" for index, match in enumerate(matches)]


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
