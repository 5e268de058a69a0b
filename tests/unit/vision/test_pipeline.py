"""The pipeline that keeps the network busy: the same views as one frame after the other, and frames taken in time."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

from sorter.model.settings import Settings
from sorter.runtime.clock import ManualClock
from sorter.runtime.configuration import settings_from
from vision.detectors import open_detector
from vision.detectors.detector import PatientSeat
from vision.frame import Detections, Frame
from vision.pipeline import Pipeline, View
from vision.sources import open_source

NOTHING = Detections(np.zeros((0, 4), np.float32), np.zeros((0, 1), np.float32))
MS = 1_000_000


def small_line(**tables: Any) -> Settings:
    camera = {"width_px": 96, "height_px": 96, "frame_rate_hz": 50.0}
    return settings_from({"camera": camera, "detector": {"runtime": "oracle"}, **tables})


class LaterSeat(PatientSeat):
    """Answers when it is told to."""

    def __init__(self, network: "LaterNetwork") -> None:
        super().__init__(lambda _frame: NOTHING)
        self._network = network

    def start(self, tell: Callable[[], None]) -> None:
        self._network.answer = lambda: PatientSeat.start(self, tell)


class LaterNetwork:
    model_id, runtime, precision, class_names, copied_count = "later", "test", "exact", ("can",), 0
    precision_reason = "a test"

    def __init__(self) -> None:
        self.answer: Callable[[], None] = lambda: None

    def detect(self, _frame: Frame) -> Detections:
        return NOTHING

    def open_seat(self) -> LaterSeat:
        return LaterSeat(self)


class Line:
    def __init__(self, settings: Settings, detector: Any = None) -> None:
        self.clock = ManualClock()
        self.source = open_source(settings, self.clock, epoch_ns=0)
        self.pipeline = Pipeline(settings, self.source, detector or open_detector(settings), self.clock)

    def frame(self) -> Frame:
        ticket = None
        while ticket is None:
            ticket = self.source.grab()
        return self.pipeline.retrieve(ticket, 2 * self.clock.now_ns() // 1000)

    def frames(self, count: int) -> list[Frame]:
        return [self.frame() for _ in range(count)]


def test_overlapped_views_are_those_of_one_frame_after_the_other() -> None:
    settings = small_line(simulation={"occupancy_ratio": 0.3})
    patient, busy = Line(settings), Line(settings)
    busy.pipeline.overlap(lambda: None)
    expected = [view.batch for _ in range(60) if (view := patient.pipeline.take_picture(patient.frame()))]
    seen: list[View] = []
    for _ in range(60):
        frame = busy.frame()
        if busy.pipeline.is_due(frame.travel_um):
            busy.pipeline.begin(frame)
        view = busy.pipeline.finish()
        seen += [] if view is None else [view]
    assert [view.batch for view in seen] == expected
    assert any(view.batch.tracks for view in seen)


@pytest.fixture
def network() -> LaterNetwork:
    return LaterNetwork()


def test_pictures_that_are_looked_at_are_not_overwritten(network: LaterNetwork) -> None:
    line = Line(small_line(), network)
    line.pipeline.overlap(lambda: None)
    running, ready = line.frames(2)
    for frame in (running, ready):
        line.pipeline.begin(frame)
    kept = [frame.image.copy() for frame in (running, ready)]
    line.frames(20)
    assert np.array_equal(running.image, kept[0])
    assert np.array_equal(ready.image, kept[1])


def test_a_live_frame_is_taken_just_before_the_network_is_expected_to_be_free(network: LaterNetwork) -> None:
    line = Line(small_line(), network)
    line.pipeline.overlap(lambda: None)
    assert line.pipeline.pause_before_frame_ms() == 0.0
    line.pipeline.begin(line.frame())
    line.clock.wait_until_ns(line.clock.now_ns() + 100 * MS)
    network.answer()
    assert line.pipeline.finish() is not None
    assert line.pipeline.stage_ms["detect"] == pytest.approx(100.0)
    line.pipeline.begin(line.frame())
    assert line.pipeline.pause_before_frame_ms() == pytest.approx(80.0)  # less one period of the camera
    line.clock.wait_until_ns(line.clock.now_ns() + 90 * MS)
    assert line.pipeline.pause_before_frame_ms() == 0.0


def test_every_frame_of_a_file_gets_its_turn(network: LaterNetwork, tmp_path: Any) -> None:
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((96, 96, 3), number, np.uint8))
    line = Line(small_line(source={"kind": "folder", "location": str(tmp_path)}), network)
    line.pipeline.overlap(lambda: None)
    line.pipeline.begin(line.frame())
    assert line.pipeline.pause_before_frame_ms() == 0.0
    line.pipeline.begin(line.frame())
    assert line.pipeline.pause_before_frame_ms() is None
    network.answer()
    assert line.pipeline.finish() is not None
    assert line.pipeline.pause_before_frame_ms() == 0.0


def test_health_shows_how_often_a_picture_is_copied(tmp_path: Any) -> None:
    cv2.imwrite(str(tmp_path / "one.png"), np.zeros((50, 96, 3), np.uint8))
    folder = small_line(source={"kind": "folder", "location": str(tmp_path)})
    drawn, read = Line(small_line(), LaterNetwork()), Line(folder, LaterNetwork())
    for line in (drawn, read):
        line.pipeline.take_picture(line.frame())
    assert drawn.pipeline.figures()["copies_per_view"] == 0.0
    assert read.pipeline.figures()["copies_per_view"] == 1.0
