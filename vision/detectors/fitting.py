"""Fitting a picture into a network's input as the network learned to see it, and boxes back; no allocation a frame."""

import cv2
import numpy as np
from numpy.typing import NDArray

from sorter.runtime.bundle import Fit

_PADDING_GREY = 114


class Placement:
    """Where a picture lies in a network's input, and the way of boxes back to it.

    "letterbox" keeps the picture's shape: it lies in the middle, grey beside it. "stretch" fills the input whatever the
    shape. Where picture and input have the same aspect, both are a plain resize.

    Attributes:
        shape: of the input, (1, height, width, 3).
        inside: top, left, height, width of the picture in it.
    """

    def __init__(self, height_px: int, width_px: int, fit: Fit) -> None:
        self.shape = (1, height_px, width_px, 3)
        self.inside = (0, 0, height_px, width_px)
        self._fit = fit
        self._picture_shape: tuple[int, ...] = ()
        self._scale = np.ones(4, np.float32)
        self._offset = np.zeros(4, np.float32)
        self._limit = np.zeros(4, np.float32)

    def lay_out(self, shape: tuple[int, ...]) -> bool:
        """Lay a picture of a shape, (H, W, 3); whether it lies otherwise than the one before."""
        if shape == self._picture_shape:
            return False
        rows, columns = self.shape[1:3]
        height, width = (rows, columns) if self._fit == "stretch" else _inside_size(shape, rows, columns)
        top, left = (rows - height) // 2, (columns - width) // 2
        self.inside = (top, left, height, width)
        self._scale[:] = np.tile([width / shape[1], height / shape[0]], 2)
        self._offset[:] = [left, top, left, top]
        self._limit[:] = np.tile([shape[1], shape[0]], 2)
        self._picture_shape = shape
        return True

    def boxes_to_picture(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Boxes in input pixels as boxes in pixels of the picture laid last, cut to it; (N, 4) xyxy both."""
        boxes_px = (boxes - self._offset) / self._scale
        return np.asarray(np.clip(boxes_px, 0.0, self._limit), np.float32)


class FittedInput:
    """The picture that a network reads: the one in the ring where it has the input's size, else one resized from it.

    Attributes:
        placement: where the picture lies.
        copied_count: pictures that had to be resized or copied.
    """

    def __init__(self, height_px: int, width_px: int, fit: Fit) -> None:
        self.placement = Placement(height_px, width_px, fit)
        self.shape = self.placement.shape
        self.copied_count = 0
        self._buffer = np.full(self.shape, _PADDING_GREY, np.uint8)
        self._inside = self._buffer[0]

    def take(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A picture, (H, W, 3) uint8 BGR, in the size of the input.

        Returns:
            (1, input height, input width, 3) uint8 BGR: the picture itself where it fits, else a buffer that the next
            call overwrites and that keeps its address.
        """
        if self.placement.lay_out(picture.shape):
            top, left, height, width = self.placement.inside
            self._buffer[:] = _PADDING_GREY
            self._inside = self._buffer[0, top : top + height, left : left + width]
        if picture.shape == self.shape[1:] and picture.flags.c_contiguous:
            return picture[None]
        self.copied_count += 1
        inside = self._inside
        cv2.resize(picture, (inside.shape[1], inside.shape[0]), dst=inside, interpolation=cv2.INTER_LINEAR)
        return self._buffer

    def boxes_to_picture(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Boxes in input pixels as boxes in pixels of the picture taken last, cut to it; (N, 4) xyxy both."""
        return self.placement.boxes_to_picture(boxes)


def _inside_size(shape: tuple[int, ...], rows: int, columns: int) -> tuple[int, int]:
    """Height and width of the largest picture of that shape within rows and columns."""
    ratio = min(rows / shape[0], columns / shape[1])
    return max(1, round(shape[0] * ratio)), max(1, round(shape[1] * ratio))
