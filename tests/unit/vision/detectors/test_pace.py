"""Whether a model keeps up: what its views take on a clock that is told, against what the belt gives them."""

import pytest

from sorter.model.settings import Settings
from sorter.runtime.clock import ManualClock
from sorter.runtime.configuration import settings_from
from vision.detectors import in_same_weight
from vision.detectors.detector import PatientSeat
from vision.detectors.pace import Pace, pace_of
from vision.frame import Detections, Frame

MS = 1_000_000
# a view every 130 mm at 2 m/s
GIVEN_MS = 65.0


class Timed:
    """A detector and its namer, which take as long as they are told; every third time something else is in the way."""

    runtime, precision, class_names, copied_count, choice_reason = "test", "f32", ("can",), 0, ""

    def __init__(self, clock: ManualClock, detect_ms: float, look_ms: float | None = None) -> None:
        self.model_id = self.bundle_id = "timed"
        self.clock, self._detect_ms, self._look_ms = clock, detect_ms, look_ms
        self.turn_count = 0
        self.warmed_up_for = 0

    @property
    def second_look(self):
        return None if self._look_ms is None else self

    def detect(self, _frame: Frame) -> Detections | None:
        self._spend(self._detect_ms)

    def open_seat(self) -> PatientSeat:
        return PatientSeat(self.detect)

    def warm_up(self, most_at_a_time: int) -> None:
        self.warmed_up_for = most_at_a_time
        self._spend(1000.0)

    def names(self, picture, boxes_px) -> None:
        assert picture.shape == (640, 640, 3)
        assert len(boxes_px) <= self.warmed_up_for
        self._spend(len(boxes_px) * self._look_ms)

    def _spend(self, spent_ms: float) -> None:
        self.turn_count += 1
        spent_ms *= 4 if self.turn_count % 3 == 0 else 1
        self.clock.wait_until_ns(self.clock.now_ns() + round(spent_ms * MS))


def pace(line: dict, detect_ms: float, look_ms: float | None = None) -> Pace:
    clock = ManualClock()
    return pace_of(Timed(clock, detect_ms, look_ms), settings_from(line), clock)


@pytest.mark.parametrize(("detect_ms", "keeps_up"), [(64.0, True), (81.0, True), (82.0, False)])
def test_a_view_may_take_a_quarter_longer_than_the_belt_to_the_next_one(detect_ms: float, keeps_up: bool) -> None:
    found = pace({"belt": {"speed_m_s": 2.0}, "camera": {"view_step_mm": 130.0}}, detect_ms)
    assert found == Pace(pytest.approx(detect_ms), pytest.approx(GIVEN_MS))
    assert found.keeps_up == keeps_up


def test_the_second_looks_of_a_view_count() -> None:
    assert pace({"detector": {"looks_per_view": 3}}, 20.0, 10.0).needed_ms == pytest.approx(50.0)


def test_the_second_speed_of_a_belt_is_what_must_be_kept_up_with() -> None:
    assert pace({"belt": {"speed_m_s": 1.0, "speed_high_m_s": 2.5}}, 20.0).given_ms == pytest.approx(52.0)


def test_streams_share_the_pictures_out_and_cameras_share_the_network() -> None:
    assert pace({"detector": {"streams": 2}}, 60.0, 10.0).needed_ms == pytest.approx(40.0)
    cameras = [{"id": "left"}, {"id": "right", "left_edge_mm": 700.0}]
    assert pace({"cameras": cameras}, 20.0, 10.0).needed_ms == pytest.approx(60.0)


@pytest.mark.parametrize(("bundle_id", "weight"), [("timed", "never"), ("full", "always")])
def test_models_that_are_swapped_in_are_of_the_weight_that_the_line_runs_at(bundle_id: str, weight: str) -> None:
    detector = Timed(ManualClock(), 1.0)
    detector.bundle_id = bundle_id
    assert in_same_weight(Settings(), detector).detector.lighter == weight
    asked = settings_from({"detector": {"lighter": "always"}})
    assert in_same_weight(asked, detector) == asked


@pytest.mark.parametrize(("detect_ms", "round_count"), [(64.0, 1), (82.0, 11)])
def test_it_is_timed_no_more_once_it_has_kept_up(detect_ms: float, round_count: int) -> None:
    detector = Timed(ManualClock(), detect_ms)
    pace_of(detector, Settings(), detector.clock)
    assert detector.turn_count == 1 + round_count  # one to warm up
