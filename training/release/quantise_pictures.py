"""Pictures for quantisation: those that show the range of values, and others that forms are judged on."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from sorter.errors import BadInputError
from sorter.model.settings import DetectorSettings
from sorter.runtime.bundle import Bundle
from sorter.runtime.labelled_folder import LabelledFolder, LabelledPicture, labelled_boxes_px, read_labelled_folder
from training.data.datasets import read_folders, split_by_capture
from training.evaluation.average_precision import FAINTEST_SCORE, PictureResult
from training.evaluation.evaluate import judged_classes, picture_result
from training.progress import progress
from training.run_settings import HELD_OUT_RATIO
from training.synthesis.pixels import Picture, read_picture
from vision.detectors.forms import chosen_form
from vision.detectors.network import NetworkPort
from vision.frame import Detections, Frame

Run = Callable[[NDArray[np.generic]], NDArray[np.float32]]
Detect = Callable[[Picture], Detections]


class JudgedSet(msgspec.Struct, frozen=True):
    """Pictures that forms of a network are judged on; `classes` are name and index of the classes that count."""

    name: str
    pictures: tuple[LabelledPicture, ...]
    classes: dict[str, int]


class QuantisationSet(msgspec.Struct, frozen=True):
    """What a network is quantised with.

    Attributes:
        calibration: pictures that show the range of every layer's values.
        control: labelled pictures of kept-out captures, to choose layers by.
        judged: labelled pictures to measure the finished forms on.
    """

    calibration: tuple[Path, ...]
    control: JudgedSet
    judged: JudgedSet


class InputFiller:
    """Pictures into a network's input, as the line does it, and outputs back into detections."""

    def __init__(self, bundle: Bundle) -> None:
        settings = DetectorSettings(score_threshold=FAINTEST_SCORE)
        self._port = NetworkPort(bundle, settings, chosen_form(bundle, settings))

    def filled(self, picture: Picture) -> NDArray[np.generic]:
        """The network's input for a picture; an array of its own."""
        return self._port.input_of(_frame(picture)).copy()

    def detect_by(self, run: Run) -> Detect:
        """A function from network input to network output, as a function from picture to detections."""

        def detect(picture: Picture) -> Detections:
            return self._port.detections(run(self._port.input_of(_frame(picture))))

        return detect


def read_quantisation_set(
    bundle: Bundle, data: Sequence[Path], validate: Path | None, calibration_count: int, seed: int
) -> QuantisationSet:
    """Part the training folders into calibration and control; without a folder to validate on, control serves twice.

    They are parted as a training run parts them by default, so that control captures were not learned from.

    Args:
        bundle: whose classes the folders are read for.
        data: labelled folders that the network learned from.
        validate: labelled folder that it did not learn from.
        calibration_count: how many pictures to calibrate with, spread over the folders.
        seed: which.

    Raises:
        DataFolderError: if a folder cannot be read.
        BadInputError: if pictures would be both calibrated with and judged on.
    """
    class_names = bundle.manifest.classes
    if validate is not None and validate.resolve() in {folder.resolve() for folder in data}:
        raise BadInputError(
            f"--validate {validate}: also given as --data; judge on pictures that nothing was fitted to"
        )
    folders = read_folders(tuple(data), class_names)
    parts = [split_by_capture(folder, HELD_OUT_RATIO) for folder in folders]
    paths = [picture.path for kept, _ in parts for picture in kept.pictures]
    order = np.random.default_rng(seed).permutation(len(paths))[:calibration_count]
    control = _control_set([kept_out for _, kept_out in parts], class_names)
    judged = control if validate is None else read_judged_set(validate, class_names)
    if not judged.classes:
        raise BadInputError("--data: too few captures there to keep labelled ones out; give a folder with --validate")
    return QuantisationSet(
        tuple(paths[index] for index in sorted(order)), control if control.classes else judged, judged
    )


def read_judged_set(folder: Path, class_names: tuple[str, ...]) -> JudgedSet:
    """Read a labelled folder into memory.

    Raises:
        DataFolderError: if it cannot be read or labels nothing exhaustively.
    """
    labelled = read_labelled_folder(folder, class_names)
    return JudgedSet(str(folder), labelled.pictures, judged_classes(labelled, class_names))


def judge(pictures: Sequence[LabelledPicture], detect: Detect, label: str) -> list[PictureResult]:
    """Detect in every picture, under a progress bar.

    Raises:
        DataFolderError: if a picture cannot be read.
    """
    with progress(pictures, len(pictures), label) as shown:
        return [judge_one(labelled, detect) for labelled in shown]


def judge_one(labelled: LabelledPicture, detect: Detect) -> PictureResult:
    """Labels and detections of one picture."""
    pixels = read_picture(labelled.path)
    return picture_result(labelled_boxes_px(labelled.boxes, pixels), labelled.class_ids, detect(pixels))


def calibration_inputs(paths: Sequence[Path], filler: InputFiller) -> Iterator[NDArray[np.generic]]:
    """Network inputs of pictures, one at a time."""
    return (filler.filled(read_picture(path)) for path in paths)


def _control_set(kept_out: Sequence[LabelledFolder], class_names: tuple[str, ...]) -> JudgedSet:
    pictures = tuple(picture for folder in kept_out for picture in folder.pictures)
    complete = set(class_names).intersection(*(folder.complete_for for folder in kept_out))
    present = {int(class_id) for picture in pictures for class_id in picture.class_ids}
    classes = {name: index for index, name in enumerate(class_names) if name in complete and index in present}
    return JudgedSet("kept-out captures", pictures, classes)


def _frame(picture: Picture) -> Frame:
    return Frame(frame_id=0, exposed_at_ns=0, travel_um=0, image=picture)
