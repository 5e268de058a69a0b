"""Pasting, blur and noise touch what they should and nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision.sprites.compositing import SHADOW_REACH_PX, add_sensor_noise, motion_blur, paste


def picture(length_px: int = 60, width_px: int = 50) -> np.ndarray:
    return np.full((length_px, width_px, 3), 100, np.uint8)


def sprite(length_px: int, width_px: int, alpha: int = 255) -> np.ndarray:
    drawn = np.full((length_px, width_px, 4), 220, np.uint8)
    drawn[..., 3] = alpha
    return drawn


@settings(max_examples=120, deadline=None)
@given(
    top_px=st.integers(-120, 120),
    left_px=st.integers(-120, 120),
    length_px=st.integers(1, 90),
    width_px=st.integers(1, 90),
    shadow=st.booleans(),
)
def test_paste_changes_nothing_outside_its_reach(top_px, left_px, length_px, width_px, shadow):
    target = picture()
    paste(target, sprite(length_px, width_px), top_px, left_px, shadow)
    reach = SHADOW_REACH_PX if shadow else 0
    rows, columns = np.indices(target.shape[:2])
    near_rows = (rows >= top_px - reach) & (rows < top_px + length_px + reach)
    near = near_rows & (columns >= left_px - reach) & (columns < left_px + width_px + reach)
    assert (target[~near] == 100).all()
    covered = (rows >= top_px) & (rows < top_px + length_px) & (columns >= left_px) & (columns < left_px + width_px)
    assert (target[covered] == 220).all()


def test_half_transparent_is_half_way_between():
    target = picture()
    paste(target, sprite(10, 10, alpha=128), 5, 5, shadow=False)
    assert target[8, 8] == pytest.approx(160, abs=2)


def test_the_shadow_falls_beside_the_item():
    target = picture()
    paste(target, sprite(20, 20), 10, 10)
    assert target[31, 20].max() < 85
    assert target[0, 0].min() == 100


def test_motion_blur_smears_along_rows_only_and_keeps_the_light():
    target = np.zeros((41, 21, 3), np.uint8)
    target[20, 10] = 200
    motion_blur(target, 4.0)
    assert target[:, 10, 0].sum() == pytest.approx(200, abs=4)
    assert target[18:23, 10, 0].min() > 0
    assert target[:, [9, 11]].max() == 0


def test_no_blur_below_one_pixel():
    target = np.eye(12, dtype=np.uint8)[..., None] * 90
    target = np.ascontiguousarray(np.repeat(target, 3, axis=2))
    before = target.copy()
    motion_blur(target, 0.7)
    assert np.array_equal(target, before)


def test_noise_repeats_with_its_seed_and_differs_with_another():
    first, again, other = picture(80, 80), picture(80, 80), picture(80, 80)
    add_sensor_noise(first, 4.0, 7)
    add_sensor_noise(again, 4.0, 7)
    add_sensor_noise(other, 4.0, 8)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_noise_has_the_stated_spread_and_no_bias():
    target = picture(200, 200)
    add_sensor_noise(target, 5.0, 3)
    assert target.std() == pytest.approx(5.0, rel=0.05)
    assert target.mean() == pytest.approx(100.0, abs=0.2)


def test_no_sigma_no_noise():
    target = picture()
    add_sensor_noise(target, 0.0, 3)
    assert (target == 100).all()
