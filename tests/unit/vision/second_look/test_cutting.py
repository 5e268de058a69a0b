"""Squares around boxes: where they lie in the picture, in its true aspect, turned, mirrored, and over its edge."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from sorter.runtime.bundle import Fit, Network
from vision.second_look.cutting import aspect_scale_of, cut_square, cut_squares, square_sides

SAME = (1.0, 1.0)


def network(fit: Fit) -> Network:
    return Network("a.onnx", "0" * 64, 736, 416, "raw", fit=fit)


def noise(height_px: int = 60, width_px: int = 80) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (height_px, width_px, 3), np.uint8)


def ramps(height_px: int = 64, width_px: int = 64) -> NDArray[np.uint8]:
    """Blue is twice the column, green twice the row, of a pixel."""
    picture = np.zeros((height_px, width_px, 3), np.uint8)
    picture[..., 0] = 2 * np.arange(width_px)
    picture[..., 1] = 2 * np.arange(height_px)[:, None]
    return picture


def test_lengths_are_those_that_the_first_network_sees() -> None:
    assert aspect_scale_of(network("stretch"), (640, 640, 3)) == (736 / 640, 416 / 640)
    assert aspect_scale_of(network("stretch"), (416, 736, 3)) == SAME
    assert aspect_scale_of(network("letterbox"), (640, 640, 3)) == SAME


def test_a_square_s_side_is_the_longer_one_in_the_true_aspect_and_its_margin() -> None:
    boxes_px = np.array([[10, 10, 30, 40], [0, 0, 20, 10], [5, 5, 5, 5]], np.float32)
    assert square_sides(boxes_px, SAME, 1.5).tolist() == [45.0, 30.0, 1.0]
    assert square_sides(boxes_px, (2.0, 0.5), 1.0).tolist() == [40.0, 40.0, 1.0]
    assert square_sides(np.zeros((0, 4), np.float32), SAME, 1.5).shape == (0,)


def test_a_square_of_its_own_size_is_the_picture_s_pixels() -> None:
    picture = noise()
    assert np.array_equal(cut_square(picture, (30.0, 20.0), 16.0, SAME, 16), picture[12:28, 22:38])


def test_a_larger_square_is_sampled_between_pixels() -> None:
    square = cut_square(ramps(), (32.0, 32.0), 32.0, SAME, 16)
    # the middle of the first pixel of the result lies at 17 in the picture, half a pixel before the middle of pixel 17
    assert np.allclose(square[0, :, 0], 2 * (16.5 + 2 * np.arange(16)), atol=1)
    assert np.allclose(square[:, 0, 1], 2 * (16.5 + 2 * np.arange(16)), atol=1)


def test_a_stretched_picture_is_cut_in_the_aspect_of_the_input() -> None:
    aspect_scale = (2.0, 1.0)
    square = cut_square(ramps(), (32.0, 32.0), 32.0, aspect_scale, 32)
    assert np.allclose(square[0, :, 0], 2 * (23.75 + np.arange(32) / 2), atol=1)
    assert np.allclose(square[:, 0, 1], 2 * (16 + np.arange(32)), atol=1)


def test_a_square_can_be_turned_and_mirrored() -> None:
    picture = noise()
    upright = cut_square(picture, (40.0, 30.0), 20.0, SAME, 20)
    turned = cut_square(picture, (40.0, 30.0), 20.0, SAME, 20, angle_rad=math.pi / 2)
    mirrored = cut_square(picture, (40.0, 30.0), 20.0, SAME, 20, mirrored=True)
    both = cut_square(picture, (40.0, 30.0), 20.0, SAME, 20, angle_rad=math.pi / 2, mirrored=True)
    assert np.array_equal(turned, np.rot90(upright))  # anticlockwise
    assert np.array_equal(mirrored, upright[:, ::-1])
    assert np.array_equal(both, turned[:, ::-1])


def test_what_is_turned_keeps_its_true_shape_in_a_stretched_picture() -> None:
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[22:42, 27:37] = 255  # twice as high as wide, and truly a square of 20
    for angle_rad in (0.0, math.pi / 2):
        square = cut_square(picture, (32.0, 32.0), 40.0, (2.0, 1.0), 40, angle_rad=angle_rad)
        rows, columns = np.nonzero(square[..., 0] > 127)
        assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (20, 20)


def test_beyond_its_edge_the_picture_is_reflected() -> None:
    picture = noise()
    square = cut_square(picture, (0.0, 0.0), 16.0, SAME, 16)
    assert np.array_equal(square[8:, 8:], picture[:8, :8])
    assert np.array_equal(square[:8, 8:], picture[8:0:-1, :8])
    assert np.array_equal(square[:8, :8], picture[8:0:-1, 8:0:-1])


@pytest.mark.parametrize("aspect_scale", [SAME, (1.15, 0.65)])
def test_squares_around_boxes_are_the_same_as_one_by_one(aspect_scale: tuple[float, float]) -> None:
    picture = noise()
    boxes_px = np.array([[10.5, 10, 30, 40], [70, 50, 80, 60], [0, 0, 80, 60]], np.float32)
    out = np.empty((3, 24, 24, 3), np.uint8)
    cut_squares(picture, boxes_px, aspect_scale, 1.25, out)
    sides = square_sides(boxes_px, aspect_scale, 1.25)
    for box, side, square in zip(boxes_px, sides, out, strict=True):
        centre = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
        assert np.array_equal(square, cut_square(picture, centre, side, aspect_scale, 24))
