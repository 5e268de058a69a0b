"""The simulated camera: which frames come, and that the belt on them lies where the drive says."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sorter.model.belt import CameraView
from sorter.model.drive import BeltDrive
from sorter.model.settings import Settings
from sorter.runtime.clock import ManualClock
from sorter.runtime.configuration import settings_from
from vision.sources.painter import BeltScale
from vision.sources.simulated_camera import SimulatedCamera

EPOCH_NS = 10_000_000_000
SIDE_PX = 64
FRAME_NS = 20_000_000
ROW_MM = 2.0
# where the ruler begins anew
RULER_ROWS = 250 * 256


class RulerPainter:
    """Paints each row of the belt with its number: blue its units, green its 250s, as far as a byte counts."""

    def __init__(self) -> None:
        self.drawn_ahead_count = 0

    def paint(self, canvas: NDArray[np.uint8], first_row: int) -> None:
        rows = np.arange(first_row + len(canvas) - 1, first_row - 1, -1)
        canvas[:] = 0
        canvas[..., 0] = (rows % 250)[:, None]
        canvas[..., 1] = (rows // 250)[:, None]

    def draw_ahead(self) -> None:
        self.drawn_ahead_count += 1


def settings_for(**tables: dict[str, Any]) -> Settings:
    camera = {
        "width_px": SIDE_PX,
        "height_px": SIDE_PX,
        "view_width_mm": 128.0,
        "view_length_mm": SIDE_PX * ROW_MM,
        "frame_rate_hz": 50.0,
        "exposure_us": 0.0,
    }
    source = {"noise_grey_levels": 0.0} | tables.pop("source", {})
    return settings_from({"camera": camera | tables.pop("camera", {}), "source": source, **tables})


def camera_for(clock: ManualClock, settings: Settings | None = None) -> SimulatedCamera:
    return SimulatedCamera(settings or settings_for(), clock, EPOCH_NS, RulerPainter())


def rows_seen(camera: SimulatedCamera) -> NDArray[np.int64]:
    picture = np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8)
    camera.retrieve(picture)
    return picture[:, 0, 0].astype(np.int64) + 250 * picture[:, 0, 1].astype(np.int64)


def test_the_first_frame_is_exposed_at_the_epoch_and_the_rest_on_its_beat() -> None:
    clock = ManualClock(EPOCH_NS - 1_000_000)
    camera = camera_for(clock)
    tickets = [camera.grab() for _ in range(3)]
    assert [ticket.exposed_at_ns for ticket in tickets if ticket] == [EPOCH_NS + k * FRAME_NS for k in range(3)]
    assert camera.dropped_count == 0


def test_who_is_late_gets_the_newest_frame_and_the_others_are_counted() -> None:
    clock = ManualClock(EPOCH_NS)
    camera = camera_for(clock)
    camera.grab()
    clock.wait_until_ns(EPOCH_NS + 7 * FRAME_NS + 1)
    late = camera.grab()
    following = camera.grab()
    assert late is not None
    assert following is not None
    assert (late.frame_id, following.frame_id) == (7, 8)
    assert camera.dropped_count == 6


def test_it_prepares_what_is_to_come_only_while_it_has_time() -> None:
    clock, painter = ManualClock(EPOCH_NS), RulerPainter()
    camera = SimulatedCamera(settings_for(), clock, EPOCH_NS, painter)
    camera.grab()
    assert painter.drawn_ahead_count == 0  # the first frame was there already
    camera.grab()
    assert painter.drawn_ahead_count == 1
    clock.wait_until_ns(EPOCH_NS + 2 * FRAME_NS - 1_000_000)
    camera.grab()
    assert painter.drawn_ahead_count == 1  # a millisecond is no time


def test_lost_frames_are_the_same_ones_whoever_asks_when() -> None:
    settings = settings_for(source={"drop_ratio": 0.33})
    eager_clock, late_clock = ManualClock(EPOCH_NS), ManualClock(EPOCH_NS)
    eager, late = camera_for(eager_clock, settings), camera_for(late_clock, settings)
    seen = {ticket.frame_id for ticket in (eager.grab(1000.0) for _ in range(400)) if ticket}
    last = max(seen)
    assert last + 1 - len(seen) == eager.dropped_count
    assert 0.25 < eager.dropped_count / last < 0.41
    for _ in range(60):
        late_clock.wait_until_ns(late_clock.now_ns() + 5 * FRAME_NS + 1)
        ticket = late.grab()
        assert ticket is not None
        assert ticket.frame_id in seen


def test_when_every_frame_is_lost_a_wait_still_ends() -> None:
    clock = ManualClock(EPOCH_NS)
    camera = camera_for(clock, settings_for(source={"drop_ratio": 1.0}))
    assert camera.grab(timeout_ms=200.0) is None
    assert clock.now_ns() == EPOCH_NS + 200_000_000
    assert camera.dropped_count == 11


@given(frame_id=st.integers(0, 100_000), speed_m_s=st.floats(0.1, 4.0))
def test_the_bottom_row_lies_on_the_reference_line(frame_id: int, speed_m_s: float) -> None:
    settings = settings_for(belt={"speed_m_s": speed_m_s})
    camera = camera_for(ManualClock(EPOCH_NS + frame_id * FRAME_NS), settings)
    ticket = camera.grab()
    assert ticket is not None
    rows = rows_seen(camera)
    travel_mm = BeltDrive(settings.belt).travel_um_at(ticket.exposed_at_ns - EPOCH_NS) / 1000
    if travel_mm < (RULER_ROWS - SIDE_PX) * ROW_MM:
        assert abs(rows[-1] * ROW_MM - travel_mm) <= ROW_MM / 2 + 1e-6
    assert (np.diff(rows) % RULER_ROWS == RULER_ROWS - 1).all()


def test_as_travel_grows_the_belt_moves_down_the_picture() -> None:
    clock = ManualClock(EPOCH_NS)
    camera = camera_for(clock, settings_for(belt={"speed_m_s": 1.0}))  # 20 mm, ten rows a frame
    camera.grab()
    first = rows_seen(camera)
    camera.grab()
    second = rows_seen(camera)
    assert np.array_equal(second[10:], first[:-10])


def test_a_tilted_camera_sees_the_belt_where_its_homography_says() -> None:
    homography = (2.0, 0.1, 3.0, 0.0, -2.2, 150.0, 0.0, 0.0008, 1.0)
    settings = settings_for(camera={"homography": homography})
    camera = camera_for(ManualClock(EPOCH_NS), settings)
    camera.grab()
    rows = rows_seen(camera)
    view = CameraView(settings.camera)
    for row in (5, 30, 60):
        box_um = view.boxes_to_belt_um(np.array([[0.0, row, 1.0, row + 1.0]]), 0)
        assert abs(rows[row] + 0.5 - (box_um[0, 1] + box_um[0, 3]) / 2 / 1000 / ROW_MM) < 0.8


@pytest.mark.parametrize("noise", [0.0, 3.0])
def test_noise_is_there_when_asked_for_and_the_same_for_the_same_frame(noise: float) -> None:
    settings = settings_for(source={"noise_grey_levels": noise})
    pictures = []
    for _ in range(2):
        camera = camera_for(ManualClock(EPOCH_NS), settings)
        camera.grab()
        pictures.append(np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8))
        camera.retrieve(pictures[-1])
    assert np.array_equal(pictures[0], pictures[1])
    assert (pictures[0][:, :, 2].std() > 0.5) == (noise > 0)


def test_a_long_exposure_smears_along_the_travel_alone() -> None:
    class DotPainter:
        def paint(self, canvas: NDArray[np.uint8], first_row: int) -> None:
            assert first_row >= 0
            canvas[:] = 0
            canvas[32, 32] = 240

        def draw_ahead(self) -> None:
            pass

    settings = settings_for(camera={"exposure_us": 5000.0}, belt={"speed_m_s": 2.0})  # 10 mm, five rows
    camera = SimulatedCamera(settings, ManualClock(EPOCH_NS), EPOCH_NS, DotPainter())
    camera.grab()
    picture = np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8)
    camera.retrieve(picture)
    assert np.count_nonzero(picture[:, 32, 0]) == 5
    assert np.count_nonzero(picture[32, :, 0]) == 1


def test_the_scale_of_a_view_is_its_size_over_its_pixels() -> None:
    assert BeltScale.of_camera(settings_for().camera) == BeltScale(2000.0, 2000.0)
