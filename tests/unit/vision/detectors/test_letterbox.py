"""The letter-box: aspect kept, boxes back where they were, the same buffer for ever."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vision.detectors.letterbox import Letterbox


def test_same_aspect_is_a_plain_resize() -> None:
    letterbox = Letterbox(32, 32)
    picture = np.random.default_rng(1).integers(0, 256, (32, 32, 3), np.uint8)
    letterbox.fit(picture)
    assert np.array_equal(letterbox.buffer[0], picture)


def test_beside_the_picture_there_is_grey_also_after_another_shape() -> None:
    letterbox = Letterbox(32, 32)
    letterbox.fit(np.full((64, 64, 3), 200, np.uint8))
    letterbox.fit(np.full((20, 40, 3), 10, np.uint8))
    assert (letterbox.buffer[0, 8:24] == 10).all()
    assert (letterbox.buffer[0, :8] == 114).all()
    assert (letterbox.buffer[0, 24:] == 114).all()


def test_the_buffer_keeps_its_address() -> None:
    letterbox = Letterbox(32, 48)
    address = letterbox.buffer.ctypes.data
    for shape in ((10, 10, 3), (32, 48, 3), (100, 20, 3)):
        letterbox.fit(np.zeros(shape, np.uint8))
        assert letterbox.buffer.ctypes.data == address


@given(height=st.integers(40, 900), width=st.integers(40, 900), share=st.floats(0.1, 0.9))
def test_a_bright_corner_comes_back_to_where_it_is_in_the_picture(height: int, width: int, share: float) -> None:
    letterbox = Letterbox(256, 256)
    picture = np.zeros((height, width, 3), np.uint8)
    rows, columns = max(8, round(height * share)), max(8, round(width * share))
    picture[:rows, :columns] = 255
    letterbox.fit(picture)
    is_bright = letterbox.buffer[0, :, :, 0] > 190
    at_rows, at_columns = np.flatnonzero(is_bright.any(axis=1)), np.flatnonzero(is_bright.any(axis=0))
    box = np.array([[at_columns[0], at_rows[0], at_columns[-1] + 1, at_rows[-1] + 1]], np.float32)
    pixel = 1.5 * max(1.0, max(height, width) / 256)
    assert np.allclose(letterbox.boxes_to_picture(box), [[0, 0, columns, rows]], atol=pixel)


def test_boxes_are_cut_to_the_picture() -> None:
    letterbox = Letterbox(32, 32)
    letterbox.fit(np.zeros((20, 40, 3), np.uint8))
    assert np.allclose(letterbox.boxes_to_picture(np.array([[-5, 0, 40, 32]], np.float32)), [[0, 0, 40, 20]])
