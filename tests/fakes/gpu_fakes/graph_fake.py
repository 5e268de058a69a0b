"""A fake of the few calls of cuda-python that record a stream and repeat what was recorded."""

import enum
import types
from typing import Any

from gpu_fakes.machine import Machine, Misuse


class CudaError(enum.Enum):
    """cudaError_t."""

    cudaSuccess, cudaErrorInvalidValue = range(2)


def graph_modules(machine: Machine) -> dict[str, types.ModuleType | None]:
    """What goes into sys.modules."""
    package, bindings, runtime = (types.ModuleType(name) for name in ("cuda", "cuda.bindings", "cuda.bindings.runtime"))
    package.bindings, bindings.runtime = bindings, runtime  # type: ignore[attr-defined]
    package.__path__ = bindings.__path__ = []  # type: ignore[attr-defined]

    def begin(handle: int, mode: str) -> tuple[CudaError]:
        machine.need_context()
        if mode != "thread-local":
            raise Misuse("a recording that is not the thread's own fails when another thread uses the GPU")
        stream = machine.stream_of(handle)
        if stream.recording is not None:
            raise Misuse("a stream is recorded once at a time")
        stream.recording = []
        return (CudaError.cudaSuccess,)

    def end(handle: int) -> tuple[CudaError, Any]:
        stream = machine.stream_of(handle)
        if stream.recording is None:
            raise Misuse("a recording was ended that had not begun")
        recorded, stream.recording = stream.recording, None
        return (CudaError.cudaSuccess, recorded)

    def launch(executable: Any, handle: int) -> tuple[CudaError]:
        machine.need_context()
        for work in executable:
            machine.stream_of(handle).put(work)
        machine.graph_launch_count = getattr(machine, "graph_launch_count", 0) + 1  # type: ignore[attr-defined]
        return (CudaError.cudaSuccess,)

    vars(runtime).update(
        {
            "cudaError_t": CudaError,
            "cudaStreamCaptureMode": types.SimpleNamespace(cudaStreamCaptureModeThreadLocal="thread-local"),
            "cudaStreamBeginCapture": begin,
            "cudaStreamEndCapture": end,
            "cudaGraphInstantiate": lambda graph, _flags: (CudaError.cudaSuccess, list(graph)),
            "cudaGraphLaunch": launch,
        }
    )
    return {"cuda": package, "cuda.bindings": bindings, "cuda.bindings.runtime": runtime}
