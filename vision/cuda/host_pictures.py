"""The kernels on arrays of the host: what tests and the bench hold against OpenCV and NumPy."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision.cuda.host_build import HostKernels

_KERNELS = {np.uint8: "farz_fit_u8", np.float32: "farz_fit_f32", np.float16: "farz_fit_f16", np.int8: "farz_fit_i8"}
_INTS_PER_TAP = 4
_WORD_BITS = 64


class HostFit:
    """Pictures fitted into an input by the kernels, as a network on a GPU gets them."""

    def __init__(self, kernels: HostKernels, number: type[np.generic], scale: float = 1.0) -> None:
        """Choose the numbers that the input has.

        Args:
            kernels: built for this host.
            number: uint8 (pixel by pixel, blue first), or float32, float16, int8 (plane by plane, red first, 0..1).
            scale: of one step of int8.
        """
        self._kernels = kernels
        self._number = number
        self._scale = scale

    def fitted(
        self, picture: NDArray[np.uint8], height_px: int, width_px: int, inside: tuple[int, int, int, int]
    ) -> NDArray[Any]:
        """A picture, (H, W, 3) uint8 BGR, in an input of that height and width.

        Args:
            picture: to fit.
            height_px: of the input.
            width_px: of the input.
            inside: top, left, height, width of the picture in it.

        Returns:
            (height, width, 3) for uint8, else (3, height, width).
        """
        top, left, height, width = inside
        columns, rows = (np.zeros((size, _INTS_PER_TAP), np.int32) for size in (width, height))
        shape = (height_px, width_px, 3) if self._number is np.uint8 else (3, height_px, width_px)
        out: NDArray[Any] = np.zeros(shape, self._number)
        self._kernels.launch(
            "farz_lay_out", width + height,
            _at(columns), _at(rows), picture.shape[1], picture.shape[0], width, height,
        )  # fmt: skip
        self._kernels.launch(
            _KERNELS[self._number], height_px * width_px,  # type: ignore[index]
            _at(picture), _at(columns), _at(rows), _at(out),
            picture.shape[1], width_px, height_px, left, top, width, height, self._scale,
        )  # fmt: skip
        return out


def thinned(
    kernels: HostKernels, output: NDArray[np.float32], threshold: float, overlap: float, limit: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Boxes and class scores that the kernels keep of a `raw` output, (1, 4 + C, A); see `heads.decode_raw`."""
    class_count, places = output.shape[1] - 4, output.shape[2]
    words = -(-places // _WORD_BITS)
    count, kept_count = np.zeros(1, np.int32), np.zeros(1, np.int32)
    scores, anchors, order = np.zeros(places, np.float32), np.zeros(places, np.int32), np.zeros(places, np.int32)
    overlapping, gone = np.zeros((places, words), np.uint64), np.zeros(words, np.uint64)
    kept, boxes = np.zeros(limit, np.int32), np.zeros((limit, 4), np.float32)
    probs = np.zeros((limit, class_count), np.float32)
    launch = kernels.launch
    launch("farz_select", places, _at(output), places, class_count, threshold, _at(count), _at(scores), _at(anchors))
    launch("farz_rank", places, _at(count), _at(scores), _at(anchors), _at(order))
    launch(
        "farz_overlap", places * words, _at(count), _at(output), places, _at(order), overlap, words, _at(overlapping)
    )
    launch(
        "farz_sweep", 1, _at(count), _at(order), limit, words, _at(overlapping), _at(gone), _at(kept_count), _at(kept)
    )
    launch("farz_gather", limit, _at(kept_count), _at(kept), _at(output), places, class_count, _at(boxes), _at(probs))
    found = int(kept_count[0])
    return boxes[:found], probs[:found]


def _at(array: NDArray[Any]) -> int:
    return array.ctypes.data
