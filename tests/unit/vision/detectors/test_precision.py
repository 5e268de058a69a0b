"""Which numbers a network is calculated in: what was asked for, or the fastest that the bundle's figures allow."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from sorter.errors import ConfigurationError
from sorter.model.accuracy_gate import gate_refusal
from sorter.model.settings import DetectorSettings
from sorter.runtime.bundle import OPENVINO_INT8_FORM, Bundle, FormFile, Manifest, Network, NetworkForm
from sorter.runtime.clock import ManualClock
from vision.detectors.detector import PatientSeat
from vision.detectors.precision import Candidates, candidates, check_is_known, fastest
from vision.frame import Detections, Frame

ALL = ("f32", "bf16", "f16", "int8")
NOTHING = Detections(np.zeros((0, 4), np.float32), np.zeros((0, 1), np.float32))
MS = 1_000_000


def bundle(metrics: dict[str, float], int8_metrics: dict[str, float] | None = None) -> Bundle:
    network = Network("n.onnx", "0", 64, 64, "raw")
    form = None if int8_metrics is None else NetworkForm("0", (FormFile("n.xml", "1"),), 64, 64, int8_metrics)
    manifest = Manifest("n", "1", "CC0-1.0", ("can",), "0", network, metrics=metrics)
    forms = {} if form is None else {OPENVINO_INT8_FORM: form}
    return Bundle(Path("n"), msgspec.structs.replace(manifest, forms=forms))


def test_without_figures_only_true_floats_may_be_chosen() -> None:
    found = candidates(bundle({}), "openvino", ALL)
    assert found.allowed == ("f32",)
    assert found.refused == {
        "bf16": "its loss was not measured",
        "f16": "its loss was not measured",
        "int8": "the bundle has no such form",
    }


def test_what_loses_little_may_be_chosen() -> None:
    found = candidates(
        bundle({"bf16_map50_drop": 0.01}, {"map50_drop": -0.008, "worst_class_drop": 0.03}), "openvino", ALL
    )
    assert found.allowed == ("f32", "bf16", "int8")


@pytest.mark.parametrize(
    ("metrics", "reason"),
    [
        ({"map50_drop": 0.0101, "worst_class_drop": 0.0}, "points of mAP50"),
        ({"map50_drop": 0.0, "worst_class_drop": 0.031}, "on one class"),
        ({"worst_class_drop": 0.0}, "not measured"),
    ],
)
def test_what_loses_more_or_was_not_measured_may_not(metrics: dict[str, float], reason: str) -> None:
    refusal = gate_refusal(metrics)
    assert refusal is not None
    assert reason in refusal
    assert candidates(bundle({}, metrics), "openvino", ALL).allowed == ("f32",)


class Timed:
    """Takes as long as its precision says."""

    model_id, bundle_id, runtime, class_names, copied_count = "timed", "timed", "test", ("can",), 0
    choice_reason, second_look = "", None

    def __init__(self, precision: str, duration_ms: int, clock: ManualClock) -> None:
        self.precision = precision
        self._duration_ns = duration_ms * MS
        self._clock = clock
        self.look_count = 0

    def detect(self, _frame: Frame) -> Detections:
        self.look_count += 1
        self._clock.wait_until_ns(self._clock.now_ns() + self._duration_ns)
        return NOTHING

    def open_seat(self) -> PatientSeat:
        return PatientSeat(self.detect)


def test_the_fastest_is_chosen_and_the_reason_names_what_it_was_compared_with() -> None:
    clock = ManualClock()
    found = Candidates(("f32", "bf16", "int8"), {"f16": "its loss was not measured"})
    durations = {"f32": 30, "bf16": 12, "int8": 14}
    chosen = fastest(found, lambda precision: Timed(precision, durations[precision], clock), (48, 64), clock)
    assert chosen.precision == "bf16"
    assert chosen.choice_reason == (
        "auto: fastest of f32 30.0 ms, bf16 12.0 ms, int8 14.0 ms; f16 is left out: its loss was not measured"
    )


def test_where_one_alone_is_allowed_nothing_is_timed() -> None:
    clock = ManualClock()
    found = Candidates(("f32",), {"int8": "the bundle has no such form"})
    chosen = fastest(found, lambda precision: Timed(precision, 5, clock), (48, 64), clock)
    assert isinstance(chosen, Timed)
    assert chosen.look_count == 0
    assert chosen.choice_reason == "auto: the only one allowed; int8 is left out: the bundle has no such form"


def test_numbers_that_the_machine_does_not_know_are_refused_by_name() -> None:
    check_is_known(DetectorSettings(precision="bf16"), ("f32", "bf16"))
    with pytest.raises(ConfigurationError, match=r"detector\.precision = 'f16'.*'openvino' knows 'f32', 'bf16'"):
        check_is_known(DetectorSettings(precision="f16"), ("f32", "bf16"))
