"""Squares around boxes: where they lie in the picture, in its true aspect, turned, mirrored, pale around the box."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sorter.runtime.bundle import Fit, Network
from vision.second_look.cutting import Framing, aspect_scale_of, cut, cut_squares, pale_around, placed

SAME = (1.0, 1.0)
TIGHT = Framing(1.0)


def network(fit: Fit) -> Network:
    return Network("a.onnx", "0" * 64, 736, 416, "raw", fit=fit)


def square_of(
    picture: NDArray[np.uint8],
    box_px: tuple[float, float, float, float],
    out_px: int,
    framing: Framing = TIGHT,
    aspect_scale: tuple[float, float] = SAME,
    **turned: Any,
) -> NDArray[np.uint8]:
    out = np.empty((out_px, out_px, 3), np.uint8)
    box = np.array(box_px)
    placement = placed(box, aspect_scale, framing, out_px, **turned)
    cut(picture, placement, out)
    pale_around(out, placement, box, framing.surroundings_ratio)
    return out


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


def side_of(box_px: tuple[float, float, float, float], framing: Framing, aspect_scale: tuple[float, float]) -> float:
    """Across the square, in pixels of the true aspect."""
    placement = placed(np.array(box_px), aspect_scale, framing, 1)
    return float(placement[0, 0] * aspect_scale[0])


def test_a_square_s_side_is_the_longer_one_in_the_true_aspect_and_its_margin() -> None:
    assert side_of((10, 10, 30, 40), Framing(1.5), SAME) == pytest.approx(45.0)
    assert side_of((0, 0, 20, 10), Framing(1.5), SAME) == pytest.approx(30.0)
    assert side_of((5, 5, 5, 5), TIGHT, SAME) == pytest.approx(1.0)
    assert side_of((10, 10, 30, 40), TIGHT, (2.0, 0.5)) == pytest.approx(40.0)


def test_a_square_of_its_own_size_is_the_picture_s_pixels() -> None:
    picture = noise()
    assert np.array_equal(square_of(picture, (22, 12, 38, 28), 16), picture[12:28, 22:38])


def test_a_larger_square_is_sampled_between_pixels() -> None:
    square = square_of(ramps(), (16, 16, 48, 48), 16)
    # the middle of the first pixel of the result lies at 17 in the picture, half a pixel before the middle of pixel 17
    assert np.allclose(square[0, :, 0], 2 * (16.5 + 2 * np.arange(16)), atol=1)
    assert np.allclose(square[:, 0, 1], 2 * (16.5 + 2 * np.arange(16)), atol=1)


def test_a_stretched_picture_is_cut_in_the_aspect_of_the_input() -> None:
    square = square_of(ramps(), (24, 16, 40, 48), 32, aspect_scale=(2.0, 1.0))
    assert np.allclose(square[0, :, 0], 2 * (23.75 + np.arange(32) / 2), atol=1)
    assert np.allclose(square[:, 0, 1], 2 * (16 + np.arange(32)), atol=1)


def test_a_square_can_be_turned_and_mirrored() -> None:
    picture, box_px = noise(), (30, 20, 50, 40)
    upright = square_of(picture, box_px, 20)
    turned = square_of(picture, box_px, 20, angle_rad=math.pi / 2)
    mirrored = square_of(picture, box_px, 20, mirrored=True)
    both = square_of(picture, box_px, 20, angle_rad=math.pi / 2, mirrored=True)
    assert np.array_equal(turned, np.rot90(upright))  # anticlockwise
    assert np.array_equal(mirrored, upright[:, ::-1])
    assert np.array_equal(both, turned[:, ::-1])


def extent(square: NDArray[np.uint8]) -> tuple[int, int]:
    """Width and height of what is white."""
    rows, columns = np.nonzero(square[..., 0] > 127)
    return int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1


def test_what_is_turned_keeps_its_true_shape_in_a_stretched_picture() -> None:
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[22:42, 27:37] = 255  # twice as high as wide, and truly a square of 20
    for angle_rad in (0.0, math.pi / 2):
        square = square_of(picture, (27, 22, 37, 42), 40, Framing(2.0), (2.0, 1.0), angle_rad=angle_rad)
        assert extent(square) == (20, 20)


@pytest.mark.parametrize(("squaring_ratio", "wide"), [(0.0, 10), (0.5, 20), (1.0, 40)])
def test_a_long_item_is_drawn_out_towards_a_square(squaring_ratio: float, wide: int) -> None:
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[12:52, 27:37] = 255  # four times as high as wide
    upright = square_of(picture, (27, 12, 37, 52), 40, Framing(1.0, squaring_ratio))
    lying = square_of(picture, (27, 12, 37, 52), 40, Framing(1.0, squaring_ratio), angle_rad=math.pi / 2)
    assert extent(upright) == pytest.approx((wide, 40), abs=1)
    assert extent(lying) == pytest.approx((40, wide), abs=1)


def test_what_lies_around_the_box_is_pale() -> None:
    picture = noise()
    framing = Framing(2.0, surroundings_ratio=0.5)
    plain, pale = (square_of(picture, (30, 20, 40, 30), 20, one) for one in (Framing(2.0), framing))
    assert np.array_equal(pale[6:14, 6:14], plain[6:14, 6:14])
    outside = np.ones((20, 20), np.bool_)
    outside[4:16, 4:16] = False
    assert np.allclose(pale[outside], 127 + (plain[outside].astype(float) - 127) / 2, atol=0.51)


@pytest.mark.parametrize("angle_rad", [0.0, 0.5, 2.0])
def test_grey_surroundings_leave_the_item_alone_however_it_is_turned(angle_rad: float) -> None:
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[22:42, 27:37] = 255
    square = square_of(picture, (27, 22, 37, 42), 64, Framing(2.0, 0.5, 0.0), angle_rad=angle_rad)
    # what was black around the item is grey, but for the pixels on its edge
    assert np.count_nonzero(square[..., 0] < 100) < 0.05 * square[..., 0].size
    # 32 high, and 16 wide by the square root of two
    assert np.count_nonzero(square[..., 0] > 200) == pytest.approx(32 * 16 * math.sqrt(2), rel=0.1)


def test_beyond_its_edge_the_picture_is_reflected() -> None:
    picture = noise()
    square = square_of(picture, (-8, -8, 8, 8), 16)
    assert np.array_equal(square[8:, 8:], picture[:8, :8])
    assert np.array_equal(square[:8, 8:], picture[8:0:-1, :8])
    assert np.array_equal(square[:8, :8], picture[8:0:-1, 8:0:-1])


@pytest.mark.parametrize("framing", [Framing(1.25), Framing(1.1, 0.5, 0.15)])
@pytest.mark.parametrize("aspect_scale", [SAME, (1.15, 0.65)])
def test_squares_around_boxes_are_the_same_as_one_by_one(framing: Framing, aspect_scale: tuple[float, float]) -> None:
    picture = noise()
    boxes_px = np.array([[10.5, 10, 30, 40], [70, 50, 80, 60], [0, 0, 80, 60]], np.float32)
    out = np.empty((3, 24, 24, 3), np.uint8)
    cut_squares(picture, boxes_px, aspect_scale, framing, out)
    for box_px, square in zip(boxes_px.tolist(), out, strict=True):
        assert np.array_equal(square, square_of(picture, box_px, 24, framing, aspect_scale))


def test_no_boxes_are_no_squares() -> None:
    cut_squares(noise(), np.zeros((0, 4), np.float32), SAME, TIGHT, np.zeros((0, 24, 24, 3), np.uint8))
