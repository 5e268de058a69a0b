"""A model run over labelled folders, and the report on what it found; `measurement` has the figures."""

import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

import msgspec

from sorter.runtime.bundle import ClassCalibration, Manifest, load_bundle
from sorter.runtime.clock import SystemClock
from sorter.runtime.labelled_folder import read_labelled_folder
from training.evaluation.evaluate import Detect, detect_by, detect_folder
from training.evaluation.evaluation_report import DataFacts, EvaluationReport, ModelFacts
from training.evaluation.examined_picture import ExaminedPicture, examined
from training.evaluation.measurement import Measured, measured
from training.evaluation.model_under_test import open_model

_LIBRARIES = ("farz", "numpy", "openvino", "onnxruntime")


class Examination(msgspec.Struct, frozen=True):
    """A model and what it found in each picture.

    Attributes:
        model_id: what to call it.
        runtime: what ran it.
        precision: the arithmetic that was really used.
        model: what it says of itself.
        calibration: of its scores, by class name.
        pictures: with labels and detections.
        seconds: spent in detection.
    """

    model_id: str
    runtime: str
    precision: str
    model: ModelFacts
    calibration: Mapping[str, ClassCalibration]
    pictures: Sequence[ExaminedPicture]
    seconds: float

    @property
    def picture_names(self) -> list[str]:
        """Source and file name of each picture."""
        return [f"{picture.source}/{picture.path.name}" for picture in self.pictures]


def examine_bundle(model: Path, data: Sequence[Path], runtime: str, precision: str) -> Examination:
    """Run a bundle over labelled folders.

    Raises:
        BundleError: if the model cannot be used.
        DataFolderError: if a folder cannot be read.
        ConfigurationError: if the runtime cannot do the precision.
    """
    manifest = load_bundle(model).manifest
    detector = open_model(model, runtime, precision)
    pictures, seconds = examine_folders(data, manifest.classes, detect_by(detector))
    return Examination(
        model_id=detector.model_id,
        runtime=detector.runtime,
        precision=detector.precision,
        model=_facts(manifest),
        calibration=manifest.calibration,
        pictures=pictures,
        seconds=seconds,
    )


def examine_folders(
    data: Sequence[Path], class_names: tuple[str, ...], detect: Detect
) -> tuple[list[ExaminedPicture], float]:
    """Detect in every picture of some labelled folders; the pictures, and the seconds spent in `detect`.

    Raises:
        DataFolderError: if a folder or picture cannot be read.
    """
    folders = [read_labelled_folder(one, class_names) for one in data]
    pictures, spent_s = [], 0.0
    for folder in folders:
        results, seconds = detect_folder(folder, detect, SystemClock())
        pictures += examined(folder, results, class_names)
        spent_s += seconds
    return pictures, spent_s


def report_on(examination: Examination, measured_at: str, seed: int = 0) -> tuple[EvaluationReport, Measured]:
    """The report on an examination, and the figures behind it for further comparison.

    Raises:
        DataFolderError: if no class is labelled exhaustively and present.
    """
    found = measured(examination.pictures, examination.model.classes, examination.calibration, seed)
    figures = found.figures
    report = EvaluationReport(
        model_id=examination.model_id,
        runtime=examination.runtime,
        precision=examination.precision,
        map50=figures.map50,
        map50_95=figures.map50_95,
        map50_one_name=figures.map50_one_name,
        per_class=figures.per_class,
        picture_count=len(examination.pictures),
        seconds=round(examination.seconds, 3),
        ece=figures.reliability.ece if figures.reliability else None,
        reliability=figures.reliability,
        curves=found.curves,
        confusion=found.confusion,
        breakdown=found.breakdown,
        sorting=found.sorting,
        data=_data_facts(examination.pictures, found),
        model=examination.model,
        measured_at=measured_at,
        versions=versions(),
        seed=seed,
    )
    return report, found


def versions(*further: str) -> dict[str, str]:
    """Versions of what measures: Python, machine, the libraries the figures depend on."""
    libraries = {name: metadata.version(name) for name in (*_LIBRARIES, *further)}
    return {"python": platform.python_version(), "machine": f"{platform.system()} {platform.machine()}", **libraries}


def _facts(manifest: Manifest) -> ModelFacts:
    network = manifest.network
    return ModelFacts(
        name=manifest.name,
        version=manifest.version,
        licence=manifest.licence,
        network_sha256=network.sha256,
        input_px=(network.input_width_px, network.input_height_px),
        classes=manifest.classes,
        data_sheet=manifest.data_sheet,
    )


def _data_facts(pictures: Sequence[ExaminedPicture], found: Measured) -> DataFacts:
    label_count = sum(one.label_count for one in found.figures.per_class.values())
    sources = sorted({picture.source for picture in pictures})
    return DataFacts(sources, len(pictures), label_count, list(found.judged))
