"""The belt has no seam, no blank and no surprise."""

import numpy as np
import pytest

from vision.sprites.belt_texture import draw_belt


@pytest.mark.parametrize(("width_px", "period_px"), [(640, 512), (320, 301), (64, 40), (8, 4)])
def test_any_size_is_drawn(width_px, period_px):
    belt = draw_belt(width_px, period_px, 1)
    assert belt.shape == (period_px, width_px, 3)
    assert belt.dtype == np.uint8


@pytest.mark.parametrize("seed", range(4))
def test_the_last_row_continues_in_the_first(seed):
    belt = draw_belt(400, 600, seed).astype(float)
    steps = np.abs(np.diff(belt, axis=0)).mean(axis=(1, 2))
    seam = np.abs(belt[0] - belt[-1]).mean()
    assert seam < steps.mean() + 4 * steps.std()


def test_the_belt_is_dark_and_textured_between_bright_rails():
    belt = draw_belt(640, 640, 2)
    rubber = belt[:, 60:-60]
    assert 20 < rubber.mean() < 80
    assert rubber.std() > 2
    assert belt[:, 4:9].mean() > 1.4 * rubber.mean()


def test_the_seed_chooses_the_belt():
    assert np.array_equal(draw_belt(100, 100, 5), draw_belt(100, 100, 5))
    assert not np.array_equal(draw_belt(100, 100, 5), draw_belt(100, 100, 6))
