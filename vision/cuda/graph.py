"""Work of a stream recorded once and repeated by one call, where cuda-python is installed; pycuda cannot do that."""

from collections.abc import Callable
from typing import Any

Launch = Callable[[], None]


def recorded(stream_handle: int, queue_work: Launch) -> Launch | None:
    """Record what `queue_work` puts in a stream; the context must be current, and the work must have run once before.

    Args:
        stream_handle: of the stream, as its `handle` says.
        queue_work: puts the same work, with the same addresses, in that stream each time.

    Returns:
        What repeats the work; None where cuda-python is missing or the work cannot be recorded.
    """
    try:
        from cuda.bindings import runtime
    except ImportError:
        return None
    mode = runtime.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
    if _failed(runtime, runtime.cudaStreamBeginCapture(stream_handle, mode)):
        return None
    queue_work()
    ended = runtime.cudaStreamEndCapture(stream_handle)
    if _failed(runtime, ended):
        return None
    made = runtime.cudaGraphInstantiate(ended[1], 0)
    if _failed(runtime, made):
        return None
    graph, executable = ended[1], made[1]

    def launch() -> None:
        # the graph must outlive what was made of it
        assert graph is not None
        if _failed(runtime, runtime.cudaGraphLaunch(executable, stream_handle)):
            raise RuntimeError("CUDA does not launch the recorded graph")

    return launch


def _failed(runtime: Any, answer: Any) -> bool:
    return bool(answer[0] != runtime.cudaError_t.cudaSuccess)
