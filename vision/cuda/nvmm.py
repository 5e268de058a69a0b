"""Pictures that lie in a Jetson's own memory, brought into the ring by the GPU; each buffer is registered once.

The part that speaks NVIDIA's buffer interface is C++ (`nvmm.cpp`), built on the device against the headers that JetPack
brings. Written by its documents; not yet run on a device.
"""

import ctypes
import shutil
import subprocess
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from sorter.errors import SourceError
from vision.cuda.device import CudaDevice
from vision.cuda.host_build import cache_folder, host_compiler
from vision.cuda.signatures import KERNEL_FOLDER

_SOURCE = KERNEL_FOLDER / "nvmm.cpp"
_LIBRARY_NAME = "nvmm.so"
_INCLUDES = ("/usr/local/cuda/include", "/usr/src/jetson_multimedia_api/include")
_LINKED = ("-L/usr/lib/aarch64-linux-gnu/nvidia", "-L/usr/lib/aarch64-linux-gnu/tegra", "-lnvbufsurface", "-lcuda")
# a pool has fewer; more means that buffers are not used again, and old ones are let go
_MOST_REGISTERED = 32


class Registered(msgspec.Struct, frozen=True):
    """A buffer as the GPU sees it: where its first row begins, and bytes from row to row."""

    handle: int
    pointer: int
    pitch: int


class Surfaces(Protocol):
    """What registers buffers; the surface is the bytes that a GStreamer buffer maps to."""

    def buffer_id(self, surface: bytes) -> int:
        """Which buffer this is."""
        ...

    def register(self, surface: bytes) -> Registered:
        """Make it known to CUDA; the context must be current."""
        ...

    def release(self, registered: Registered) -> None:
        """Take that back."""
        ...


class Registrations:
    """Buffers registered so far, each once.

    Attributes:
        registered_count: how often one had to be registered; stays at the size of the pool.
    """

    def __init__(self, surfaces: Surfaces) -> None:
        self.registered_count = 0
        self._surfaces = surfaces
        self._known: OrderedDict[int, Registered] = OrderedDict()

    def of(self, surface: bytes) -> Registered:
        """The registration of the buffer that a surface describes."""
        buffer_id = self._surfaces.buffer_id(surface)
        known = self._known.get(buffer_id)
        if known is None:
            known = self._known[buffer_id] = self._surfaces.register(surface)
            self.registered_count += 1
        self._known.move_to_end(buffer_id)
        while len(self._known) > _MOST_REGISTERED:
            self._surfaces.release(self._known.popitem(last=False)[1])
        return known

    def close(self) -> None:
        """Let go of all."""
        while self._known:
            self._surfaces.release(self._known.popitem()[1])


class NvmmUnpack:
    """Writes a buffer's picture, RGBA in rows of some pitch, into a slot of the ring, BGR; see `gstreamer.Unpack`."""

    def __init__(self, device: CudaDevice, surfaces: Surfaces, map_buffer: Callable[[Any], bytes | None]) -> None:
        """Make room for registrations.

        Args:
            device: the GPU.
            surfaces: registers buffers.
            map_buffer: the surface of a GStreamer buffer, None if it cannot be mapped.
        """
        self.registrations = Registrations(surfaces)
        self._device = device
        self._map_buffer = map_buffer
        self._stream, self._done = device.open_stream(), device.open_event()

    def __call__(self, buffer: Any, out: NDArray[np.uint8]) -> bool:
        """Write the picture; False for a slot that the GPU cannot reach, or a buffer without a surface."""
        surface, pointer = self._map_buffer(buffer), self._device.pointer_of(out)
        if surface is None or pointer is None:
            return False
        with self._device.current():
            registered = self.registrations.of(surface)
            self._device.launch(
                "farz_rgba_to_bgr", out.shape[0] * out.shape[1], self._stream,
                registered.pointer, pointer, out.shape[1], out.shape[0], registered.pitch,
            )  # fmt: skip
            self._done.record(self._stream)
            self._done.synchronize()
        return True


class NvBufSurfaces:
    """`Surfaces` by NVIDIA's own library."""

    def __init__(self, library_path: Path | None = None) -> None:
        """Load what was built for this device, or build it.

        Raises:
            SourceError: if it cannot be built here.
        """
        library_path = library_path or cache_folder() / _LIBRARY_NAME
        if not library_path.is_file():
            build_nvmm(library_path)
        library = ctypes.CDLL(str(library_path))
        library.farz_nvmm_buffer_id.restype = ctypes.c_longlong
        library.farz_nvmm_unmap.argtypes = [ctypes.c_void_p]
        library.farz_nvmm_unmap.restype = None
        self._library = library

    def buffer_id(self, surface: bytes) -> int:
        """See `Surfaces`."""
        return int(self._library.farz_nvmm_buffer_id(surface))

    def register(self, surface: bytes) -> Registered:
        """See `Surfaces`.

        Raises:
            SourceError: if the buffer cannot be made known to CUDA.
        """
        handle, pointer, pitch = ctypes.c_void_p(), ctypes.c_ulonglong(), ctypes.c_int()
        failed_step = self._library.farz_nvmm_map(
            surface, ctypes.byref(handle), ctypes.byref(pointer), ctypes.byref(pitch)
        )
        if failed_step or handle.value is None:
            raise SourceError(f"a picture in NVMM memory cannot be made known to CUDA (step {failed_step})")
        return Registered(handle.value, pointer.value, pitch.value)

    def release(self, registered: Registered) -> None:
        """See `Surfaces`."""
        self._library.farz_nvmm_unmap(registered.handle)


def build_nvmm(path: Path) -> None:
    """Build the C++ part against JetPack's headers.

    Raises:
        SourceError: if compiler or headers are missing.
    """
    compiler = host_compiler()
    if compiler is None:
        raise SourceError("source.taken_by = 'nvidia': g++ is not installed, which builds the part for NVMM")
    command = [compiler, "-std=c++17", "-O2", "-fPIC", "-shared", *(f"-I{one}" for one in _INCLUDES), str(_SOURCE)]
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_suffix(".new")
    ran = subprocess.run(  # noqa: S603 - our own source
        [*command, *_LINKED, "-o", str(made)], capture_output=True, text=True, check=False
    )
    if ran.returncode != 0:
        raise SourceError(
            "source.taken_by = 'nvidia': the part for NVMM cannot be built, which needs a Jetson with "
            f"nvidia-l4t-jetson-multimedia-api: {ran.stderr.strip().splitlines()[0]}"
        )
    shutil.move(made, path)
