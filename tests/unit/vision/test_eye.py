"""One camera of the line: views when the belt has moved, a picture now and then when not, travel from pictures."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from sorter.errors import ConfigurationError
from sorter.model.belt import BeltTravel
from sorter.model.settings import Settings
from sorter.model.tracks import BeltState
from sorter.runtime.clock import ManualClock
from sorter.runtime.configuration import settings_from
from vision.detectors.detector import PatientSeat
from vision.eye import Eye
from vision.frame import Detections, Frame
from vision.frame_taker import News
from vision.pipeline import View
from vision.sources import open_source

LONG_MS = 20_000.0


class QuickNetwork:
    """Sees nothing, at once."""

    model_id, runtime, precision, class_names, copied_count = "quick", "test", "exact", ("can",), 0
    choice_reason, bundle_id, second_look = "a test", "quick", None

    def detect(self, _frame: Frame) -> Detections:
        return Detections(np.zeros((0, 4), np.float32), np.zeros((0, 1), np.float32))

    def open_seat(self) -> PatientSeat:
        return PatientSeat(self.detect)


class Desk:
    """An eye on a clock that only waiting for frames moves."""

    def __init__(self, settings: Settings) -> None:
        self.clock, self.news, self.belt = ManualClock(), News(), BeltTravel()
        self.source = open_source(settings, self.clock, epoch_ns=0)
        self.eye = Eye("", settings, self.source, QuickNetwork(), self.clock, self.news)

    def look(self) -> View | None:
        """Until the next frame was taken, and what was finished meanwhile."""
        self.idle_frames: list[Frame] = []
        self.travels_um: list[int] = []
        views: list[View] = []
        self.eye.ask()
        while self.eye._taker._taking is not None:
            self.news.wait(LONG_MS)
            views += self._step()
        views += self._step()
        return views[-1] if views else None

    def _step(self) -> list[View]:
        view = self.eye.step(self.belt)
        self.idle_frames += [] if self.eye.idle_frame is None else [self.eye.idle_frame]
        self.travels_um += [] if self.eye.measured is None else [self.eye.measured.travel_um]
        return [] if view is None else [view]

    def close(self) -> None:
        self.source.close()
        self.eye.close()


def open_desk(**tables: Any) -> Desk:
    camera = {"width_px": 96, "height_px": 96, "frame_rate_hz": 50.0, **tables.pop("camera", {})}
    return Desk(settings_from({"camera": camera, "detector": {"runtime": "oracle"}, **tables}))


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = open_desk()
    yield desk
    desk.close()


def test_before_the_belt_is_known_nothing_is_looked_at(desk: Desk) -> None:
    assert [desk.look() for _ in range(5)] == [None] * 5
    assert desk.eye.pipeline.figures()["view_count"] == 0.0


def test_a_view_comes_for_every_step_of_travel(desk: Desk) -> None:
    desk.belt.add(BeltState(0, 0, 2_000_000))
    views = [view for _ in range(100) if (view := desk.look()) is not None]
    travels_um = [view.batch.travel_um for view in views]
    assert 24 <= len(views) <= 30  # 4 m in steps of 130 mm, which a frame every 40 mm rounds up to 160
    assert (np.diff(travels_um) >= 130_000).all()
    assert desk.eye.last_view is views[-1]


def test_a_standing_belt_is_shown_twice_a_second_and_not_looked_at(desk: Desk) -> None:
    desk.belt.add(BeltState(0, 0, 0))
    first = [view for _ in range(5) if (view := desk.look()) is not None]
    assert len(first) == 1
    desk.eye.preview.write(first[0].frame, (), desk.eye.pipeline.tracker, desk.clock.now_ns())
    shown_at_ns: list[int] = []
    for _ in range(150):
        assert desk.look() is None
        for frame in desk.idle_frames:
            shown_at_ns.append(desk.clock.now_ns())
            desk.eye.preview.write(frame, (), desk.eye.pipeline.tracker, desk.clock.now_ns())
    assert len(shown_at_ns) == pytest.approx(6, abs=1)
    assert desk.eye.pipeline.figures()["view_count"] == 1.0


def test_travel_may_come_from_the_pictures(tmp_path: Path) -> None:
    belt = np.random.default_rng(1).integers(0, 256, (40, 6, 3), np.uint8)
    long_belt = cv2.resize(belt, (96, 640), interpolation=cv2.INTER_CUBIC)
    for number in range(12):
        first_row = 640 - 96 - 20 * number  # the belt moves down by 20 rows
        cv2.imwrite(str(tmp_path / f"{number:02}.png"), long_belt[first_row : first_row + 96])
    desk = open_desk(
        belt={"travel_from": "pictures"},
        source={"kind": "folder", "location": str(tmp_path)},
        camera={"view_length_mm": 96},
    )
    travels_um: list[int] = []
    for _ in range(60):
        desk.look()
        travels_um += desk.travels_um
    desk.close()
    assert len(travels_um) == 12
    assert travels_um[-1] == pytest.approx(11 * 20_000, abs=4_000)


def test_travel_does_not_come_from_simulated_pictures() -> None:
    with pytest.raises(ConfigurationError, match=r"belt\.travel_from = 'pictures'"):
        open_desk(belt={"travel_from": "pictures"})
