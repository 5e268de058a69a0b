"""Frames handed to another process by `multiprocessing.Queue`: pickled, and written through a pipe."""

import multiprocessing
from multiprocessing.queues import Queue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sorter.model.units import NS_PER_MS
from sorter.runtime.clock import process_cpu_ns

_QUEUE_LENGTH = 4
_JOIN_TIMEOUT_S = 10.0
_END = None


class QueueHandover:
    """A producer (this process) and a consumer that reads a row of every frame."""

    def __init__(self, height_px: int, width_px: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._picture = np.full((height_px, width_px, 3), 7, np.uint8)
        self._frames: Queue[Any] = context.Queue(_QUEUE_LENGTH)
        self._answers: Queue[Any] = context.Queue()
        self._consumer = context.Process(target=consume, args=(self._frames, self._answers), daemon=True)
        self._consumer.start()

    def close(self) -> None:
        """Let the consumer go and the queues end."""
        self._frames.put(_END)
        self._consumer.join(_JOIN_TIMEOUT_S)
        for queue in (self._frames, self._answers):
            queue.close()
            queue.join_thread()

    def cpu_ms(self, frame_count: int) -> float:
        """Processor milliseconds of this process per frame, waiting until the last frame has been read."""
        started_ns = process_cpu_ns()
        for _ in range(frame_count):
            self._frames.put(self._picture)
        for _ in range(frame_count):
            self._answers.get()
        return (process_cpu_ns() - started_ns) / NS_PER_MS / frame_count


def consume(frames: "Queue[Any]", answers: "Queue[Any]") -> None:
    """Read frames until the end is said, and answer each with what a row of it adds up to."""
    while (picture := frames.get()) is not _END:
        answers.put(row_sum(picture))


def row_sum(picture: NDArray[np.uint8]) -> int:
    """What the first row adds up to: proof that the frame was there to be read."""
    return int(picture[0].sum())
