"""Making the INT8 forms of a bundle, rung by rung until one loses little enough, and measuring them side by side."""

import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from sorter.errors import FarzError
from sorter.model.settings import DetectorSettings
from sorter.runtime.bundle import ONNX_F16_FORM, ONNX_QDQ_FORM, Bundle
from sorter.runtime.clock import Clock
from sorter.runtime.labelled_folder import LabelledPicture
from training.evaluation.average_precision import FAINTEST_SCORE
from training.evaluation.evaluate import detect_by
from training.progress import progress
from training.release.half_floats import write_f16
from training.release.quantise_bundle import MadeForm, with_forms
from training.release.quantise_layers import Rung, half_rung, rungs_for
from training.release.quantise_limits import Drop, Limits, Worth, drop_between, worth_of
from training.release.quantise_onnx import write_qdq
from training.release.quantise_openvino import ControlJudge, float_model, layer_names, quantised_model, save_model
from training.release.quantise_pictures import (
    InputFiller,
    JudgedSet,
    QuantisationSet,
    calibration_inputs,
    judge,
)
from training.synthesis.pixels import read_picture
from vision.detectors import Detector
from vision.detectors.forms import MAIN_FORM, Form, form_named
from vision.detectors.onnxruntime_detector import OnnxRuntimeDetector
from vision.detectors.openvino_detector import OpenVinoDetector
from vision.detectors.openvino_network import known_precisions

_MOST_TIMED_PICTURES = 40


class PrecisionError(FarzError):
    """A figure would not be in the numbers it is said to be in."""


class FormReport(msgspec.Struct, frozen=True):
    """What one form of the network is worth, measured on the same pictures as all others.

    Attributes:
        floats: what keeps its floats; None for the reference, where all does.
        milliseconds: median of a whole detection, picture to boxes, the forms taking turns.
    """

    form: str
    runtime: str
    precision: str
    floats: str | None
    worth: Worth
    drop: Drop | None
    is_accepted: bool
    milliseconds: float
    byte_count: int


class QuantisationReport(msgspec.Struct, frozen=True):
    """What `farz train quantise` prints; the reference is the first of the forms."""

    model_id: str
    judged_on: str
    picture_count: int
    calibration_picture_count: int
    limits: Limits
    forms: tuple[FormReport, ...]
    seconds: float

    @property
    def is_complete(self) -> bool:
        """Whether every form that was asked for has been accepted."""
        return all(one.is_accepted for one in self.forms)

    @property
    def is_written(self) -> bool:
        """Whether the bundle has changed."""
        return any(one.is_accepted for one in self.forms[1:])


class _Tried(msgspec.Struct, frozen=True):
    """A form on the rung where it stopped."""

    name: str
    files: tuple[Path, ...]
    floats: str
    worth: Worth
    drop: Drop


def quantise_bundle(
    bundle: Bundle, pictures: QuantisationSet, names: Sequence[str], limits: Limits, clock: Clock
) -> QuantisationReport:
    """Make forms of a bundle's network and write those that keep the limits into it.

    Raises:
        PrecisionError: if the reference is not in true float32.
        QdqError: if the Q/DQ form breaks a rule of TensorRT.
    """
    started_ns = clock.now_ns()
    with tempfile.TemporaryDirectory() as scratch:
        work = _Work(bundle, pictures, limits, Path(scratch))
        tried = [work.climb(name) for name in names]
        milliseconds = median_milliseconds(
            [work.reference_at(), *(work.detector_of(one) for one in tried)], pictures.judged.pictures, clock
        )
        accepted = {one.name: MadeForm(one.files, _metrics(one, work.worth)) for one in tried if one.drop.is_within}
        forms = (work.reference_report(milliseconds[0]), *map(work.report, tried, milliseconds[1:]))
        if accepted:
            with_forms(bundle, accepted, work.smaller_floats())
    return QuantisationReport(
        bundle.model_id,
        pictures.judged.name,
        len(pictures.judged.pictures),
        len(pictures.calibration),
        limits,
        forms,
        round((clock.now_ns() - started_ns) / 1e9, 1),
    )


def median_milliseconds(
    detectors: Sequence[Detector], pictures: Sequence[LabelledPicture], clock: Clock
) -> list[float]:
    """Median time of a detection; the detectors take turns on every picture, so that a busy machine slows all alike."""
    spent_ns: list[list[int]] = [[] for _ in detectors]
    step = max(1, len(pictures) // _MOST_TIMED_PICTURES)
    chosen = pictures[::step]
    with progress(chosen, len(chosen), "timing") as shown:
        for index, labelled in enumerate(shown):
            picture = read_picture(labelled.path)
            for turn in range(len(detectors)):
                place = (index + turn) % len(detectors)
                before_ns = clock.now_ns()
                detect_by(detectors[place])(picture)
                spent_ns[place].append(clock.now_ns() - before_ns)
    return [round(statistics.median(times) / 1e6, 3) for times in spent_ns]


class _Work:
    """One bundle on its way to smaller forms: the float network's figures, and every try against them."""

    def __init__(self, bundle: Bundle, pictures: QuantisationSet, limits: Limits, scratch: Path) -> None:
        self._bundle = bundle
        self._pictures = pictures
        self._limits = limits
        self._scratch = scratch
        self._filler = InputFiller(bundle)
        self._reference = self.reference_at(FAINTEST_SCORE)
        if self._reference.precision != "f32":
            raise PrecisionError(f"the reference runs in {self._reference.precision}, not in true float32")
        self.worth = _worth(pictures.judged, self._reference, "true float32")
        self._inputs = self._calibration()

    def climb(self, name: str) -> _Tried:
        """Try rung after rung until the form keeps the limits; the last one tried if none does."""
        tried: _Tried | None = None
        names = layer_names(float_model(self._bundle.network_path))
        rungs = (half_rung(names),) if name == ONNX_F16_FORM else rungs_for(names)
        for rung in rungs:
            if name == ONNX_QDQ_FORM and rung.is_controlled:
                continue  # accuracy control works on OpenVINO's graph
            tried = self._try(name, rung)
            if tried.drop.is_within:
                break
        assert tried is not None  # every ladder has a first rung without accuracy control
        return tried

    def smaller_floats(self) -> dict[str, float]:
        """What the float network loses in the smaller floats that this machine knows, as figures of the bundle."""
        found: dict[str, float] = {}
        for precision in sorted({"bf16", "f16"} & set(known_precisions())):
            settings = _settings(precision, FAINTEST_SCORE)
            detector = OpenVinoDetector(self._bundle, settings, form_named(self._bundle, MAIN_FORM))
            worth = _worth(self._pictures.judged, detector, precision)
            drop = drop_between(self.worth, worth, self._limits)
            found |= {f"{precision}_{key}": value for key, value in _drops(drop).items()}
        return found

    def reference_at(self, score_threshold: float | None = None) -> OpenVinoDetector:
        """The float network, at the line's own threshold unless another is given."""
        return OpenVinoDetector(self._bundle, _settings("f32", score_threshold), form_named(self._bundle, MAIN_FORM))

    def detector_of(self, tried: _Tried, score_threshold: float | None = None) -> Detector:
        """A form that is not in the bundle yet."""
        return self._open(tried.name, tried.files[0], score_threshold)

    def report(self, tried: _Tried, milliseconds: float) -> FormReport:
        """What there is to say of a form."""
        detector = self.detector_of(tried)
        return FormReport(
            tried.name, detector.runtime, detector.precision, tried.floats, tried.worth, tried.drop,
            tried.drop.is_within, milliseconds, sum(path.stat().st_size for path in tried.files),
        )  # fmt: skip

    def reference_report(self, milliseconds: float) -> FormReport:
        """What there is to say of the float network."""
        reference, byte_count = self._reference, self._bundle.network_path.stat().st_size
        return FormReport(
            MAIN_FORM, reference.runtime, reference.precision, None, self.worth, None, True, milliseconds, byte_count
        )

    def _try(self, name: str, rung: Rung) -> _Tried:
        writers = {ONNX_QDQ_FORM: self._write_qdq, ONNX_F16_FORM: self._write_f16}
        files = writers.get(name, self._write_openvino)(rung)
        detector = self._open(name, files[0], FAINTEST_SCORE)
        worth = _worth(self._pictures.judged, detector, f"{name}, {rung.name}")
        return _Tried(name, files, rung.name, worth, drop_between(self.worth, worth, self._limits))

    def _write_qdq(self, rung: Rung) -> tuple[Path, ...]:
        path = self._scratch / "qdq.onnx"
        write_qdq(self._bundle.network_path, path, self._inputs, rung)
        return (path,)

    def _write_f16(self, rung: Rung) -> tuple[Path, ...]:
        path = self._scratch / "f16.onnx"
        write_f16(self._bundle.network_path, path, rung)
        return (path,)

    def _write_openvino(self, rung: Rung) -> tuple[Path, ...]:
        model = quantised_model(self._bundle.network_path, self._inputs, rung, self._control_judge(rung))
        return save_model(model, self._scratch / "int8.xml")

    def _control_judge(self, rung: Rung) -> ControlJudge | None:
        if not rung.is_controlled:
            return None
        return ControlJudge(self._pictures.control, detect_by(self._reference), self._filler, self._limits)

    def _open(self, name: str, path: Path, score_threshold: float | None) -> Detector:
        network = self._bundle.manifest.network
        form = Form(name, path, network.input_width_px, network.input_height_px)
        kind: Any = OnnxRuntimeDetector if name in {ONNX_QDQ_FORM, ONNX_F16_FORM} else OpenVinoDetector
        detector: Detector = kind(self._bundle, _settings("int8", score_threshold), form)
        return detector

    def _calibration(self) -> list[NDArray[np.generic]]:
        paths = self._pictures.calibration
        with progress(calibration_inputs(paths, self._filler), len(paths), "calibration pictures") as shown:
            return list(shown)


def _settings(precision: Any, score_threshold: float | None) -> DetectorSettings:
    # forms are of the first network; a second look would hide what they lose
    line = DetectorSettings(precision=precision, second_look=False)
    return line if score_threshold is None else msgspec.structs.replace(line, score_threshold=score_threshold)


def _worth(judged: JudgedSet, detector: Detector, label: str) -> Worth:
    return worth_of(judge(judged.pictures, detect_by(detector), label), judged.classes)


def _metrics(tried: _Tried, reference: Worth) -> dict[str, float]:
    return {"map50": tried.worth.map50, "map50_f32": reference.map50, **_drops(tried.drop)}


def _drops(drop: Drop) -> dict[str, float]:
    worst = {} if drop.worst_class is None else {"worst_class_drop": drop.ap50[drop.worst_class]}
    return {"map50_drop": drop.map50, **worst}
