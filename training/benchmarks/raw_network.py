"""The network alone, as fast as its runtime gives it: what a pipeline around it is measured against."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from sorter.model.units import NS_PER_MS
from sorter.runtime.clock import SystemClock

_IN_FLIGHT_COUNTS = (1, 2)


def raw_period_ms(compiled: Any, picture: NDArray[Any], run_count: int) -> float:
    """Milliseconds from one answer to the next of a compiled OpenVINO network that has nothing else to do.

    Waiting for each answer, and with a second request in flight meanwhile: the better of the two counts.

    Args:
        compiled: the network.
        picture: what it is given every time, of its input's shape and type.
        run_count: answers to wait for, each way.
    """
    return min(_period_ms(compiled, picture, run_count, in_flight) for in_flight in _IN_FLIGHT_COUNTS)


def _period_ms(compiled: Any, picture: NDArray[Any], run_count: int, in_flight_count: int) -> float:
    requests = [_request(compiled, picture) for _ in range(in_flight_count)]
    clock = SystemClock()
    for request in requests:
        request.start_async()
    _answer_and_ask(requests, 1)
    started_ns = clock.now_ns()
    turn_count = max(1, run_count // in_flight_count)
    _answer_and_ask(requests, turn_count)
    spent_ns = clock.now_ns() - started_ns
    for request in requests:
        request.wait()
    return spent_ns / NS_PER_MS / (turn_count * in_flight_count)


def _answer_and_ask(requests: Sequence[Any], turn_count: int) -> None:
    """Wait for the answer of each request in turn, and ask again at once."""
    for _ in range(turn_count):
        for request in requests:
            request.wait()
            request.start_async()


def _request(compiled: Any, picture: NDArray[Any]) -> Any:
    request = compiled.create_infer_request()
    request.set_input_tensor(ov.Tensor(np.ascontiguousarray(picture), shared_memory=True))
    return request
