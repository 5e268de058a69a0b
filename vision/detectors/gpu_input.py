"""A frame's way into a network on the GPU: one kernel reads the slot where it lies and writes the input."""

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sorter.errors import BundleError
from sorter.runtime.bundle import Fit
from vision.cuda.device import CudaDevice
from vision.detectors.fitting import Placement
from vision.detectors.tensorrt_library import Side

_TAP_BYTES = 16
_KERNELS = {"uint8": "farz_fit_u8", "float": "farz_fit_f32", "half": "farz_fit_f16"}
_NUMBER_BYTES = {"uint8": 1, "float": 4, "half": 2}


class GpuInput:
    """The input of one execution context; the CUDA context must be current where that is said.

    Attributes:
        placement: where the picture lies in the input.
        address: of the input, on the GPU.
        copied_count: pictures that lay in memory the GPU cannot read, and had to be copied.
        copied_bytes: how much that was.
        read_bytes: of pictures, read by the kernel where they lay.
        written_bytes: into the network's input.
    """

    def __init__(self, device: CudaDevice, side: Side, fit: Fit, stream: Any) -> None:
        if side.number not in _KERNELS:
            raise BundleError(
                f"the network's input is of {side.number!r} numbers; the kernels write {', '.join(map(repr, _KERNELS))}"
            )
        height_px, width_px = side.shape[1:3] if side.number == "uint8" else side.shape[2:]
        self.placement = Placement(height_px, width_px, fit)
        self.copied_count = self.copied_bytes = self.read_bytes = self.written_bytes = 0
        self._device = device
        self._stream = stream
        self._kernel = _KERNELS[side.number]
        self._byte_count = prod(side.shape) * _NUMBER_BYTES[side.number]
        self._memory = device.allocate(self._byte_count)
        self._columns = device.allocate(width_px * _TAP_BYTES)
        self._rows = device.allocate(height_px * _TAP_BYTES)
        self._staging: NDArray[np.uint8] = np.zeros(0, np.uint8)
        self.address = int(self._memory)

    def lay(self, picture: NDArray[np.uint8]) -> None:
        """Queue the kernel for a picture, (H, W, 3) uint8 BGR; the context must be current."""
        if self.placement.lay_out(picture.shape):
            self._reckon_taps(picture.shape)
        pointer = self._device.pointer_of(picture)
        pointer = self._staged(picture) if pointer is None else pointer
        _, rows, columns, _ = self.placement.shape
        top, left, inside_height, inside_width = self.placement.inside
        self._device.launch(
            self._kernel, rows * columns, self._stream,
            pointer, int(self._columns), int(self._rows), self.address,
            picture.shape[1], columns, rows, left, top, inside_width, inside_height, 1.0,
        )  # fmt: skip
        self.read_bytes += picture.nbytes
        self.written_bytes += self._byte_count

    def _reckon_taps(self, shape: tuple[int, ...]) -> None:
        _, _, height, width = self.placement.inside
        self._device.launch(
            "farz_lay_out", width + height, self._stream,
            int(self._columns), int(self._rows), shape[1], shape[0], width, height,
        )  # fmt: skip

    def _staged(self, picture: NDArray[np.uint8]) -> int:
        """Copy a picture that lies in ordinary memory to where the GPU can read it."""
        # the kernel of a frame that was never looked at may still read what is overwritten here
        self._stream.synchronize()
        if self._staging.shape != picture.shape:
            self._staging = self._device.mapped_empty(picture.shape)
        np.copyto(self._staging, picture)
        self.copied_count += 1
        self.copied_bytes += picture.nbytes
        pointer = self._device.pointer_of(self._staging)
        assert pointer is not None, "what was just mapped is not mapped"
        return pointer
