"""Fitting a picture into a network's input without changing its shape, and boxes back; nothing is allocated a frame."""

import cv2
import numpy as np
from numpy.typing import NDArray

_PADDING_GREY = 114


class Letterbox:
    """A network's uint8 input buffer with the picture in the middle and grey beside it.

    Where picture and input have the same aspect this is a plain resize.

    Attributes:
        buffer: (1, input height, input width, 3) uint8 BGR; keeps its address, so a runtime may share it.
    """

    def __init__(self, height_px: int, width_px: int) -> None:
        self.buffer = np.full((1, height_px, width_px, 3), _PADDING_GREY, np.uint8)
        self._picture_shape: tuple[int, ...] = ()
        self._inside = self.buffer[0]
        self._scale = np.ones(4, np.float32)
        self._offset = np.zeros(4, np.float32)
        self._limit = np.zeros(4, np.float32)

    def fit(self, picture: NDArray[np.uint8]) -> None:
        """Resize a picture, (H, W, 3) uint8 BGR, into the buffer."""
        if picture.shape != self._picture_shape:
            self._lay_out(picture.shape)
        inside = self._inside
        if inside.shape == picture.shape:
            np.copyto(inside, picture)
        else:
            cv2.resize(picture, (inside.shape[1], inside.shape[0]), dst=inside, interpolation=cv2.INTER_LINEAR)

    def boxes_to_picture(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Boxes in input pixels as boxes in pixels of the picture fitted last, cut to it; (N, 4) xyxy both."""
        boxes_px = (boxes - self._offset) / self._scale
        return np.asarray(np.clip(boxes_px, 0.0, self._limit), np.float32)

    def _lay_out(self, shape: tuple[int, ...]) -> None:
        rows, columns = self.buffer.shape[1:3]
        ratio = min(rows / shape[0], columns / shape[1])
        height, width = max(1, round(shape[0] * ratio)), max(1, round(shape[1] * ratio))
        top, left = (rows - height) // 2, (columns - width) // 2
        self.buffer[:] = _PADDING_GREY
        self._inside = self.buffer[0, top : top + height, left : left + width]
        self._scale[:] = np.tile([width / shape[1], height / shape[0]], 2)
        self._offset[:] = [left, top, left, top]
        self._limit[:] = np.tile([shape[1], shape[0]], 2)
        self._picture_shape = shape
