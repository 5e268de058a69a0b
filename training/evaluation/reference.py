"""A plain Ultralytics model judged exactly as a bundle is, so that both can be set side by side.

It is run as Ultralytics runs it: letterboxed, at most 300 boxes, thinned at an overlap of 0.7 class by class. So an
item may keep a second name, which average precision rewards and a line cannot use; `thins_as_line` leaves one name.
One of the few modules that lead to torch; it is imported when a model is opened.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from sorter.errors import BadInputError
from sorter.model.materials import CLASS_NAMES
from sorter.model.settings import DetectorSettings
from sorter.runtime.bundle import file_sha256
from sorter.runtime.labelled_folder import open_labelled_folder
from training.evaluation.average_precision import FAINTEST_SCORE
from training.evaluation.evaluate import Detect
from training.evaluation.evaluation_report import EvaluationReport, ModelFacts
from training.evaluation.examination import Examination, examine_folders, report_on, versions
from training.evaluation.examined_picture import ExaminedPicture
from training.evaluation.kept_matches import kept_matches
from training.synthesis.pixels import Picture
from training.ultralytics_settings import keep_to_itself
from vision.frame import Detections

_OWN_NMS_OVERLAP_RATIO = 0.7
_LINE_NMS_OVERLAP_RATIO = DetectorSettings().nms_iou_ratio
_MOST_DETECTIONS = 300
_DEFAULT_SIZE_PX = 640
_SUFFIXES = (".pt", ".onnx")


class UltralyticsModel(msgspec.Struct, frozen=True):
    """An opened model, its classes by number, the side of the pictures it takes, and how its boxes are thinned."""

    network: Any
    names: dict[int, str]
    size_px: int
    thins_as_line: bool = False


def evaluate_ultralytics(
    weights: Path,
    data: Sequence[Path],
    measured_at: str,
    size_px: int | None = None,
    seed: int = 0,
    *,
    thins_as_line: bool = False,
) -> EvaluationReport:
    """Measure a model of `yolo train` (.pt) or its export (.onnx) on labelled folders.

    A class of the model is a material class of that name, or what a folder's class map makes of it. Scores count as
    probabilities, since such a model brings no calibration. Results are kept by picture, for paired comparisons.

    Args:
        weights: the model's file.
        data: labelled folders.
        measured_at: the present, as text.
        size_px: side of the pictures it is given; without it, the size it was trained at.
        seed: of the resampling.
        thins_as_line: thin its boxes as the line does, over all classes together.

    Raises:
        BadInputError: if the model cannot be opened or none of its classes is known.
        DataFolderError: if a folder cannot be read or labels nothing exhaustively.
    """
    model = msgspec.structs.replace(open_ultralytics(weights, size_px), thins_as_line=thins_as_line)
    pictures: list[ExaminedPicture] = []
    seconds = 0.0
    for folder in data:
        found, spent_s = examine_folders([folder], CLASS_NAMES, detect_with(model, class_of_each(model.names, folder)))
        pictures += found
        seconds += spent_s
    examination = Examination(
        model_id=f"{weights.stem}-{file_sha256(weights)[:8]}",
        runtime="ultralytics, thinned as the line does" if thins_as_line else "ultralytics",
        precision="f32",
        model=_facts(weights, model),
        calibration={},
        pictures=pictures,
        seconds=seconds,
    )
    report, measured = report_on(examination, measured_at, seed)
    return msgspec.structs.replace(
        report,
        versions=versions("torch", "ultralytics"),
        picture_results=kept_matches(examination.picture_names, measured.matches),
    )


def open_ultralytics(weights: Path, size_px: int | None = None) -> UltralyticsModel:
    """Open a model's file.

    Raises:
        BadInputError: if there is no such file, or Ultralytics cannot open it as a detector.
    """
    if weights.suffix not in _SUFFIXES or not weights.is_file():
        raise BadInputError(f"--weights {weights}: no such file, or neither of {' and '.join(_SUFFIXES)}")
    keep_to_itself()
    from ultralytics import YOLO

    try:
        network = YOLO(str(weights), task="detect")
        names = {int(index): str(name) for index, name in network.names.items()}
    except Exception as error:
        raise BadInputError(f"--weights {weights}: Ultralytics cannot open it: {error}") from error
    trained_at_px = network.overrides.get("imgsz") or _DEFAULT_SIZE_PX
    return UltralyticsModel(network, names, int(size_px or np.max(trained_at_px)))


def class_of_each(names: Mapping[int, str], folder: Path) -> NDArray[np.int64]:
    """Material class of each of a model's classes, by number; -1 for what stands for none.

    Raises:
        BadInputError: if none of the classes is known.
        DataFolderError: if the folder cannot be read.
    """
    class_map = open_labelled_folder(folder, CLASS_NAMES).class_map.map
    columns = np.full(max(names) + 1, -1, dtype=np.int64)
    for index, name in names.items():
        material = name if name in CLASS_NAMES else class_map.get(name)
        columns[index] = CLASS_NAMES.index(material) if material in CLASS_NAMES else -1
    if (columns < 0).all():
        some = ", ".join(sorted(set(names.values()))[:5])
        raise BadInputError(
            f"none of the model's classes ({some} …) is a material class or in the class map of {folder}"
        )
    return columns


def detect_with(model: UltralyticsModel, columns: NDArray[np.int64]) -> Detect:
    """The model as a function of single pictures; detections of unknown classes are left out."""
    thinning = {
        "agnostic_nms": model.thins_as_line,
        "iou": _LINE_NMS_OVERLAP_RATIO if model.thins_as_line else _OWN_NMS_OVERLAP_RATIO,
    }

    def detect(picture: Picture) -> Detections:
        (found,) = model.network.predict(
            picture, imgsz=model.size_px, conf=FAINTEST_SCORE, max_det=_MOST_DETECTIONS, device="cpu", verbose=False,
            **thinning,
        )  # fmt: skip
        boxes = found.boxes.cpu().numpy()
        class_ids = columns[boxes.cls.astype(np.int64)]
        known = class_ids >= 0
        probabilities = np.zeros((int(known.sum()), len(CLASS_NAMES)), dtype=np.float32)
        probabilities[np.arange(len(probabilities)), class_ids[known]] = boxes.conf[known]
        return Detections(np.asarray(boxes.xyxy[known], np.float32), probabilities)

    return detect


def _facts(weights: Path, model: UltralyticsModel) -> ModelFacts:
    return ModelFacts(
        name=weights.stem,
        version="as trained",
        licence="as its maker states",
        network_sha256=file_sha256(weights),
        input_px=(model.size_px, model.size_px),
        classes=CLASS_NAMES,
    )
