"""The GPU, and the only door to pycuda: one primary context, page-locked memory that both processors see, and launches.

Every thread that wants the GPU takes the context for as long as it needs it (`current`) and gives it back; nothing else
is current in between, so TensorRT, the kernels and other libraries on the primary context never meet by accident.
"""

import functools
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from sorter.errors import ConfigurationError
from vision.cuda.signatures import (
    DEVICE_OPTIONS,
    KERNEL_FOLDER,
    KERNEL_SOURCE,
    SIGNATURES,
    THREADS_PER_BLOCK,
    block_count,
)

# built beside the sources when an image is made, see docker/; without it nvcc is asked at run time
FATBIN_PATH = KERNEL_FOLDER / "kernels.fatbin"


class CudaDevice:
    """The first GPU of this machine.

    Attributes:
        name: as the driver calls it.
        architecture: such as "sm_87".
        cuda_version: of the driver interface, such as "12.6".
    """

    def __init__(self) -> None:
        """Take the primary context of the first GPU; it is current nowhere afterwards.

        Raises:
            ConfigurationError: if pycuda is not installed or there is no GPU.
        """
        self._driver = _driver()
        device = self._driver.Device(0)
        self._context = device.retain_primary_context()
        self._mapped: dict[int, tuple[int, int]] = {}
        self._lock = threading.Lock()
        self._functions: dict[str, Any] = {}
        self._module: Any = None
        self.name: str = device.name()
        self.architecture = "sm_{}{}".format(*device.compute_capability())
        self.cuda_version = ".".join(str(part) for part in self._driver.get_version()[:2])

    @contextmanager
    def current(self) -> Iterator[None]:
        """The context is the calling thread's inside, and given back at the end, whatever happens."""
        self._context.push()
        try:
            yield
        finally:
            self._driver.Context.pop()

    def mapped_empty(self, shape: tuple[int, ...], dtype: DTypeLike = np.uint8) -> NDArray[Any]:
        """Page-locked memory that host and GPU both address: on a Jetson the very same bytes, so nothing is copied."""
        with self.current():
            array: NDArray[Any] = self._driver.pagelocked_empty(
                shape, dtype, mem_flags=self._driver.host_alloc_flags.DEVICEMAP
            )
            # it is the allocation, not the array, that knows; numpy keeps it as the array's base
            pointer = int(array.base.get_device_pointer())  # type: ignore[union-attr]
        start = array.ctypes.data
        self._mapped[start] = (start + array.nbytes, pointer)
        weakref.finalize(array, self._mapped.pop, start, None)
        return array

    def pointer_of(self, array: NDArray[Any]) -> int | None:
        """Where the GPU finds an array, or part of one, made by `mapped_empty`; None for any other memory."""
        first = array.ctypes.data
        for start, (end, pointer) in list(self._mapped.items()):
            if start <= first and first + array.nbytes <= end and array.flags.c_contiguous:
                return pointer + first - start
        return None

    def allocate(self, byte_count: int) -> Any:
        """Memory of the GPU; `int()` of it is its address, and it lives as long as it is referred to."""
        with self.current():
            return self._driver.mem_alloc(byte_count)

    def open_stream(self) -> Any:
        """A queue of work for the GPU; its `handle` is what TensorRT wants."""
        with self.current():
            return self._driver.Stream()

    def open_event(self) -> Any:
        """A mark in a stream; who waits for it sleeps."""
        with self.current():
            flags = self._driver.event_flags
            return self._driver.Event(flags.DISABLE_TIMING | flags.BLOCKING_SYNC)

    def launch(self, name: str, thread_count: int, stream: Any, *arguments: float) -> None:
        """Queue a kernel; the context must be current.

        Args:
            name: a key of `SIGNATURES`.
            thread_count: how many threads have something to do.
            stream: queue to put it in.
            arguments: in the signature's order; pointers are the GPU's.
        """
        function = self._functions.get(name) or self._function(name)
        function.prepared_async_call((block_count(thread_count), 1), (THREADS_PER_BLOCK, 1, 1), stream, *arguments)

    def timed_ms(self, stream: Any, work: Any) -> float:
        """How long the GPU takes for what `work` queues in a stream, in milliseconds; the context must be current."""
        before, after = self._driver.Event(), self._driver.Event()
        before.record(stream)
        work()
        after.record(stream)
        after.synchronize()
        return float(before.time_till(after))

    def memory_bytes(self) -> tuple[int, int]:
        """Free and total memory of the GPU."""
        with self.current():
            free, total = self._driver.mem_get_info()
        return int(free), int(total)

    def _function(self, name: str) -> Any:
        with self._lock:
            if self._module is None:
                self._module = self._load()
        function = self._module.get_function(name)
        function.prepare(SIGNATURES[name])
        self._functions[name] = function
        return function

    def _load(self) -> Any:
        if FATBIN_PATH.is_file():
            return self._driver.module_from_buffer(FATBIN_PATH.read_bytes())
        from pycuda.compiler import SourceModule

        source = KERNEL_SOURCE.read_text()
        return SourceModule(
            source, no_extern_c=True, options=list(DEVICE_OPTIONS), include_dirs=[str(KERNEL_FOLDER)],
            arch=self.architecture,
        )  # fmt: skip


@functools.cache
def open_device() -> CudaDevice:
    """The GPU, taken once by this process.

    Raises:
        ConfigurationError: if pycuda is not installed or there is no GPU.
    """
    return CudaDevice()


def gpu_absence(root: Path = Path("/")) -> str | None:
    """Why there can be no GPU here, without touching one; None where there may be.

    Args:
        root: of the file system, another one in tests.
    """
    nodes = ("dev/nvidiactl", "dev/nvhost-gpu", "dev/nvgpu", "dev/nvmap", "proc/driver/nvidia/version")
    return None if any((root / node).exists() for node in nodes) else "no NVIDIA device"


def _driver() -> Any:
    try:
        import pycuda.driver as driver
    except ImportError as error:
        raise ConfigurationError(
            "configuration: detector.runtime = 'tensorrt': pycuda is not installed; it comes with pip install "
            "'farz[jetson]' on a machine with CUDA"
        ) from error
    try:
        driver.init()
    except driver.Error as error:
        raise ConfigurationError(
            f"configuration: detector.runtime = 'tensorrt': no NVIDIA GPU can be used here: {error}"
        ) from error
    return driver
