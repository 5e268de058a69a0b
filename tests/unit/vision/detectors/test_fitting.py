"""Pictures in a network's input: letterboxed or stretched, boxes back where they were, the same buffer for ever."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.runtime.bundle import Fit
from vision.detectors.fitting import FittedInput


@pytest.mark.parametrize("fit", ["letterbox", "stretch"])
def test_same_aspect_is_a_plain_resize(fit: Fit) -> None:
    fitted = FittedInput(32, 32, fit)
    picture = np.random.default_rng(1).integers(0, 256, (32, 32, 3), np.uint8)
    assert np.array_equal(fitted.take(picture)[0], picture)


def test_a_picture_of_the_input_s_size_is_read_where_it_is() -> None:
    fitted = FittedInput(32, 48, "letterbox")
    slot = np.zeros((32, 48, 3), np.uint8)
    assert np.shares_memory(fitted.take(slot), slot)
    assert fitted.copied_count == 0
    fitted.take(np.zeros((64, 96, 3), np.uint8))
    fitted.take(np.zeros((32, 96, 3), np.uint8)[:, ::2])  # pixels that do not lie side by side
    assert fitted.copied_count == 2


def test_beside_the_picture_there_is_grey_also_after_another_shape() -> None:
    fitted = FittedInput(32, 32, "letterbox")
    fitted.take(np.full((64, 64, 3), 200, np.uint8))
    filled = fitted.take(np.full((20, 40, 3), 10, np.uint8))[0]
    assert (filled[8:24] == 10).all()
    assert (filled[:8] == 114).all()
    assert (filled[24:] == 114).all()


def test_the_buffer_keeps_its_address() -> None:
    fitted = FittedInput(32, 48, "letterbox")
    address = fitted.take(np.zeros((10, 10, 3), np.uint8)).ctypes.data
    for shape in ((64, 96, 3), (100, 20, 3)):
        assert fitted.take(np.zeros(shape, np.uint8)).ctypes.data == address


@given(
    height=st.integers(40, 900),
    width=st.integers(40, 900),
    share=st.floats(0.1, 0.9),
    fit=st.sampled_from(["letterbox", "stretch"]),
)
def test_a_bright_corner_comes_back_to_where_it_is_in_the_picture(
    height: int, width: int, share: float, fit: Fit
) -> None:
    fitted = FittedInput(256, 256, fit)
    picture = np.zeros((height, width, 3), np.uint8)
    rows, columns = max(8, round(height * share)), max(8, round(width * share))
    picture[:rows, :columns] = 255
    is_bright = fitted.take(picture)[0, :, :, 0] > 190
    at_rows, at_columns = np.flatnonzero(is_bright.any(axis=1)), np.flatnonzero(is_bright.any(axis=0))
    box = np.array([[at_columns[0], at_rows[0], at_columns[-1] + 1, at_rows[-1] + 1]], np.float32)
    pixel = 1.5 * max(1.0, max(height, width) / 256)
    assert np.allclose(fitted.boxes_to_picture(box), [[0, 0, columns, rows]], atol=pixel)


def test_boxes_are_cut_to_the_picture() -> None:
    fitted = FittedInput(32, 32, "letterbox")
    fitted.take(np.zeros((20, 40, 3), np.uint8))
    assert np.allclose(fitted.boxes_to_picture(np.array([[-5, 0, 40, 32]], np.float32)), [[0, 0, 40, 20]])


def test_a_stretched_picture_fills_the_input_and_its_boxes_are_scaled_back_axis_by_axis() -> None:
    fitted = FittedInput(32, 32, "stretch")
    assert (fitted.take(np.full((20, 40, 3), 10, np.uint8)) == 10).all()
    boxes = np.array([[8, 8, 16, 24], [-5, 0, 40, 33]], np.float32)
    assert np.allclose(fitted.boxes_to_picture(boxes), [[10, 5, 20, 15], [0, 0, 40, 20]])
