"""A fake of pycuda's driver interface as documented for 2024.1; kernels are those of this project, run on the host."""

import types
from typing import Any

import numpy as np

from gpu_fakes.machine import GARBAGE, Machine, Memory, Misuse, Stream
from vision.cuda.host_build import HostKernels
from vision.cuda.signatures import SIGNATURES, THREADS_PER_BLOCK, block_count


def pycuda_modules(machine: Machine, has_gpu: bool = True) -> dict[str, types.ModuleType]:
    """What goes into sys.modules."""
    package, driver, compiler = (types.ModuleType(name) for name in ("pycuda", "pycuda.driver", "pycuda.compiler"))
    package.driver, package.compiler = driver, compiler  # type: ignore[attr-defined]
    package.__path__ = []  # type: ignore[attr-defined]
    vars(driver).update(_driver_names(machine, has_gpu))
    vars(compiler).update({"SourceModule": lambda source, **options: _source_module(machine, source, options)})
    package.autoinit = autoinit = _Forbidden("pycuda.autoinit")  # type: ignore[attr-defined]
    return {
        "pycuda": package,
        "pycuda.driver": driver,
        "pycuda.compiler": compiler,
        "pycuda.autoinit": autoinit,
    }


class _Forbidden(types.ModuleType):
    """autoinit pushes a context on the importing thread alone, and leaves it there."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise Misuse("pycuda.autoinit gives its context to the importing thread alone")


class Error(Exception):
    """pycuda.driver.Error."""


def _driver_names(machine: Machine, has_gpu: bool) -> dict[str, Any]:
    def init() -> None:
        if not has_gpu:
            raise Error("cuInit failed: no CUDA-capable device is detected")
        machine.is_initialised = True

    class Context:
        """The primary context."""

        def push(self) -> None:
            machine.push(self)

        @staticmethod
        def pop() -> None:
            machine.pop()

        def detach(self) -> None:
            """Let go of it."""

    class Device:
        def __init__(self, number: int) -> None:
            if not machine.is_initialised:
                raise Misuse("pycuda.driver.init was not called")
            if number != 0:
                raise Error("cuDeviceGet failed: invalid device ordinal")

        def name(self) -> str:
            return "Fake Orin"

        def compute_capability(self) -> tuple[int, int]:
            return machine.architecture

        def retain_primary_context(self) -> Context:
            return Context()

    def pagelocked_empty(shape: Any, dtype: Any, order: str = "C", mem_flags: int = 0) -> Any:
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        memory = machine.allocate(size)
        base = PagelockedHostAllocation(memory, is_mapped=bool(mem_flags & HostAllocFlags.DEVICEMAP))
        array = _OwnedArray(shape, dtype, memory.bytes, 0, None, order)
        array.owner = base
        array.view(np.uint8).reshape(-1)[:] = GARBAGE
        return array

    def module_from_buffer(buffer: bytes) -> "_Module":
        machine.need_context()
        if not buffer:
            raise Error("cuModuleLoadDataEx failed: invalid image")
        return _Module(machine)

    return {
        "Error": Error, "LogicError": Error, "init": init, "Device": Device, "Context": Context,
        "get_version": lambda: (*machine.cuda_version, 0),
        "mem_alloc": lambda size: DeviceAllocation(machine.allocate(int(size))),
        "mem_get_info": lambda: (machine.need_context() or 4 << 30, 8 << 30),
        "pagelocked_empty": pagelocked_empty, "host_alloc_flags": HostAllocFlags,
        "module_from_buffer": module_from_buffer,
        "Stream": lambda flags=0: FakeStream(machine), "Event": lambda flags=0: FakeEvent(machine),
        "event_flags": types.SimpleNamespace(DISABLE_TIMING=2, BLOCKING_SYNC=1),
    }  # fmt: skip


class HostAllocFlags:
    """pycuda.driver.host_alloc_flags."""

    PORTABLE, DEVICEMAP, WRITECOMBINED = 1, 2, 4


class _OwnedArray(np.ndarray):
    """An array whose `base` is the allocation, as pycuda makes it; views have this array for their base."""

    owner: Any = None

    @property
    def base(self) -> Any:  # type: ignore[override]
        return self.owner if self.owner is not None else np.ndarray.base.__get__(self)  # type: ignore[attr-defined]


class PagelockedHostAllocation:
    """Page-locked memory; the GPU has a pointer to it only where it was asked to be mapped."""

    def __init__(self, memory: Memory, *, is_mapped: bool) -> None:
        self._memory = memory
        self._is_mapped = is_mapped

    def get_device_pointer(self) -> int:
        if not self._is_mapped:
            raise Misuse("page-locked memory without DEVICEMAP has no pointer of the GPU")
        return self._memory.pointer

    def free(self) -> None:
        self._memory.free()

    def __del__(self) -> None:
        if self._memory.is_alive:
            self._memory.free()


class DeviceAllocation:
    """Memory of the GPU, freed with the object."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def __int__(self) -> int:
        if not self._memory.is_alive:
            raise Misuse("a buffer was used after it was freed")
        return self._memory.pointer

    def free(self) -> None:
        self._memory.free()

    def __del__(self) -> None:
        if self._memory.is_alive:
            self._memory.free()


class FakeStream(Stream):
    """pycuda.driver.Stream."""

    def __init__(self, machine: Machine) -> None:
        machine.need_context()
        super().__init__(machine)

    def synchronize(self) -> None:
        self.machine.need_context()
        self.run_until(self.queued_count)


class FakeEvent:
    """pycuda.driver.Event."""

    def __init__(self, machine: Machine) -> None:
        machine.need_context()
        self._machine = machine
        self._stream: Stream | None = None
        self._count = 0

    def record(self, stream: Stream) -> "FakeEvent":
        self._machine.need_context()
        if not isinstance(stream, Stream):
            raise Misuse("an event is recorded in a stream")
        self._stream, self._count = stream, stream.queued_count
        return self

    def synchronize(self) -> "FakeEvent":
        self._machine.need_context()
        if self._stream is None:
            raise Misuse("an event was waited for that was never recorded")
        self._stream.run_until(self._count)
        return self

    def time_till(self, other: "FakeEvent") -> float:
        return float(other._count - self._count)


def _source_module(machine: Machine, source: str, options: dict[str, Any]) -> "_Module":
    machine.need_context()
    if not options.get("no_extern_c"):
        raise Misuse('pycuda wraps sources in extern "C" unless told not to, and templates do not compile there')
    if options.get("arch") != "sm_{}{}".format(*machine.architecture):
        raise Misuse(f"compiled for {options.get('arch')}, which is not this GPU")
    if "-fmad=false" not in options.get("options", ()):
        raise Misuse("compiled with fused multiply-adds, so its figures are not the host's")
    return _Module(machine)


class _Module:
    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._kernels = HostKernels()

    def get_function(self, name: str) -> "_Function":
        if name not in SIGNATURES:
            raise Error(f"cuModuleGetFunction failed: named symbol not found: {name}")
        return _Function(self._machine, self._kernels, name)


class _Function:
    def __init__(self, machine: Machine, kernels: HostKernels, name: str) -> None:
        self._machine, self._kernels, self._name = machine, kernels, name
        self._codes: str | None = None

    def prepare(self, codes: str) -> "_Function":
        if codes != SIGNATURES[self._name]:
            raise Misuse(f"{self._name} takes {SIGNATURES[self._name]}, not {codes}")
        self._codes = codes
        return self

    def prepared_async_call(self, grid: Any, block: Any, stream: Any, *arguments: Any) -> None:
        self._machine.need_context()
        if self._codes is None:
            raise Misuse(f"{self._name} was launched before it was prepared")
        if not isinstance(stream, Stream):
            raise Misuse(f"{self._name} was launched on {stream!r}, which is no stream")
        if len(arguments) != len(self._codes):
            raise Misuse(f"{self._name} takes {len(self._codes)} arguments, not {len(arguments)}")
        if tuple(block) != (THREADS_PER_BLOCK, 1, 1) or grid[0] < 1 or grid[1] != 1:
            raise Misuse(f"{self._name} was launched as {grid} of {block}")
        for code, argument in zip(self._codes, arguments, strict=True):
            if code == "P":
                self._machine.resolve(argument)
            elif code == "i" and not isinstance(argument, (int, np.integer)):
                raise Misuse(f"{self._name} takes whole numbers, not {argument!r}")
        stream.put(lambda: self._run(grid[0], block[0], arguments))

    def _run(self, blocks: int, threads: int, arguments: tuple[Any, ...]) -> None:
        assert self._codes is not None
        real, touched = [], []
        for code, argument in zip(self._codes, arguments, strict=True):
            if code == "P":
                memory, offset = self._machine.resolve(argument)
                touched.append(memory)
                real.append(memory.bytes.ctypes.data + offset)
            else:
                real.append(argument)
        self._kernels.run_blocks(self._name, blocks, threads, *real)
        for memory in touched:
            memory.check_canary()


__all__ = ["block_count", "pycuda_modules"]
