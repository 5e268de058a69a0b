"""Belt travel from pictures, against the drive of the simulated belt that was pictured."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sorter.model.drive import BeltDrive
from sorter.runtime.clock import ManualClock
from sorter.runtime.configuration import settings_from
from vision.picture_travel import PictureTravel
from vision.sources import open_source

FRAME_RATE_HZ = 20.0
FRAME_NS = 50_000_000
ROW_MM = 787.5 / 640
# A slanting camera: its top edge shows another width of belt than its bottom edge.
TILTED = (2.1875, 0.2, -60.0, 0.0, -1.1, 790.0, 0.0, 0.0003, 1.0)


def errors_ratio(frame_count: int, **tables: Any) -> tuple[NDArray[np.float64], PictureTravel]:
    """Error of each step and, last, of all travel, as a share of the true one."""
    camera = {"frame_rate_hz": FRAME_RATE_HZ} | tables.pop("camera", {})
    settings = settings_from({"camera": camera, **tables})
    source, drive = open_source(settings, ManualClock(), 0), BeltDrive(settings.belt)
    travel, slot = PictureTravel(settings.camera), np.zeros((640, 640, 3), np.uint8)
    measured, true = [], []
    for _ in range(frame_count):
        ticket = source.grab()
        assert ticket is not None
        source.retrieve(slot)
        measured.append(travel.add(slot, ticket.exposed_at_ns).travel_um)
        true.append(drive.travel_um_at(ticket.exposed_at_ns))
    steps = np.diff(measured) / np.diff(true) - 1
    return np.append(steps, measured[-1] / true[-1] - 1), travel


@pytest.mark.parametrize("rows", [17, 33, 57, 97])  # 21 to 119 mm between frames
def test_travel_of_drawn_belts_is_right_to_one_percent_at_every_step(rows: int) -> None:
    speed_m_s = rows * ROW_MM * FRAME_RATE_HZ / 1000
    errors, travel = errors_ratio(12, belt={"speed_m_s": speed_m_s})
    assert np.abs(errors).max() < 0.01
    assert abs(errors[-1]) < 0.003
    assert travel.unmatched_count == 0


def test_travel_through_a_tilted_camera_is_right_to_one_percent() -> None:
    errors, travel = errors_ratio(12, belt={"speed_m_s": 1.2}, camera={"homography": TILTED})
    assert abs(errors[-1]) < 0.01
    assert travel.unmatched_count == 0


def test_a_ramp_is_followed() -> None:
    errors, travel = errors_ratio(40, belt={"speed_m_s": 0.5, "speed_high_m_s": 2.0, "ramp_m_s2": 1.0})
    assert abs(errors[-1]) < 0.01
    assert travel.unmatched_count == 0


@pytest.mark.skipif(not Path("../shared/data/warp/val").is_dir(), reason="the labelled belt pictures are not here")
@pytest.mark.parametrize("rows", [17, 97])
def test_travel_of_real_belts_is_right_to_one_percent(rows: int) -> None:
    speed_m_s = rows * ROW_MM * FRAME_RATE_HZ / 1000
    source = {"kind": "strip", "location": "../shared/data/warp/val"}
    errors, _ = errors_ratio(12, belt={"speed_m_s": speed_m_s}, source=source)
    assert np.abs(errors).max() < 0.01


def belt_picture(seed: int = 1) -> NDArray[np.uint8]:
    return np.repeat(np.random.default_rng(seed).integers(0, 256, (640, 160, 3), np.uint8), 4, axis=1)


def test_pictures_that_do_not_match_carry_the_last_speed_on_and_are_counted() -> None:
    travel = PictureTravel(settings_from({}).camera)
    picture = belt_picture()
    for number in range(3):
        state = travel.add(np.roll(picture, 40 * number, axis=0), number * FRAME_NS)
    speed_um_s = state.speed_um_s
    assert speed_um_s == pytest.approx(40 * ROW_MM * 1000 * FRAME_RATE_HZ, rel=0.01)
    lost = travel.add(belt_picture(seed=2), 5 * FRAME_NS)
    assert travel.unmatched_count == 1
    assert lost.speed_um_s == speed_um_s
    assert lost.travel_um == pytest.approx(5 * 40 * ROW_MM * 1000, rel=0.01)


def test_dark_pictures_match_nothing() -> None:
    travel = PictureTravel(settings_from({}).camera)
    for number in range(3):
        state = travel.add(np.zeros((640, 640, 3), np.uint8), number * FRAME_NS)
    assert (state.travel_um, state.speed_um_s) == (0, 0)


def test_a_standing_belt_stays_where_it_is_in_spite_of_noise() -> None:
    travel = PictureTravel(settings_from({}).camera)
    noise = np.random.default_rng(5)
    picture = belt_picture() // 2
    for number in range(20):
        noisy = picture + noise.integers(0, 6, picture.shape, np.uint8)
        state = travel.add(noisy, number * FRAME_NS)
    assert (state.travel_um, state.speed_um_s) == (0, 0)


def test_a_creeping_belt_is_not_taken_for_a_standing_one() -> None:
    travel = PictureTravel(settings_from({}).camera)
    fine = belt_picture().repeat(16, axis=0)[:, :160]  # sixteen rows to one of the camera's
    for number in range(61):  # a sixteenth of a row each
        picture = np.roll(fine, number, axis=0).reshape(640, 16, 160, 3).mean(axis=1).astype(np.uint8).repeat(4, axis=1)
        state = travel.add(picture, number * FRAME_NS)
    assert state.travel_um == pytest.approx(60 / 16 * ROW_MM * 1000, abs=0.15 * ROW_MM * 1000)


def test_a_picture_that_is_not_newer_changes_nothing() -> None:
    travel = PictureTravel(settings_from({}).camera)
    travel.add(belt_picture(), 0)
    state = travel.add(np.roll(belt_picture(), 20, axis=0), FRAME_NS)
    assert travel.add(belt_picture(3), FRAME_NS) == state
    assert travel.add(belt_picture(3), 0) == state
