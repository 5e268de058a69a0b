"""Frames handed over in a slot of the line's own ring: to another process where it can be read from there."""

import os
import subprocess
import sys
import threading
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

import vision.ring
from sorter.model.units import NS_PER_MS
from sorter.runtime.clock import process_cpu_ns, thread_cpu_ns
from training.benchmarks.queue_handover import row_sum
from vision.pipeline import RING_SLOT_COUNT
from vision.ring import FrameRing

_JOIN_TIMEOUT_S = 10.0
_CONSUMER = "training.benchmarks.ring_consumer"


class RingHandover(Protocol):
    """A producer (this process) and a consumer that reads a row of every frame.

    Attributes:
        description: who shares the slots.
    """

    description: str

    def cpu_ms(self, frame_count: int, *, is_copied: bool) -> float:
        """Processor milliseconds of the producer per frame.

        Args:
            frame_count: frames to hand over.
            is_copied: copy the frame into the slot; else it counts as decoded there, which costs no hand-over.
        """
        ...

    def close(self) -> None:
        """Let the consumer go."""
        ...


def open_ring_handover(height_px: int, width_px: int) -> RingHandover:
    """Between processes where the ring has a reader for that, else between threads."""
    if hasattr(vision.ring, "RingReader"):
        return _BetweenProcesses(height_px, width_px)
    return _BetweenThreads(height_px, width_px)


class _BetweenProcesses:
    description = "slots in memory shared by two processes, each frame answered before the next"

    def __init__(self, height_px: int, width_px: int) -> None:
        self._picture = np.full((height_px, width_px, 3), 7, np.uint8)
        module: Any = vision.ring
        self._ring = module.FrameRing(RING_SLOT_COUNT, height_px, width_px)
        shared = self._ring.descriptors
        numbers = (RING_SLOT_COUNT, height_px, width_px, shared.memory, shared.news)
        self._consumer = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", _CONSUMER, *map(str, numbers)],
            stdout=subprocess.PIPE,
            pass_fds=(shared.memory, shared.news),
        )
        assert self._consumer.stdout is not None, "asked for above"
        self._answers = self._consumer.stdout.fileno()
        self._await_answer()

    def cpu_ms(self, frame_count: int, *, is_copied: bool) -> float:
        started_ns = process_cpu_ns()
        for frame_id in range(frame_count):
            slot = self._ring.next_slot()
            if is_copied:
                np.copyto(slot, self._picture)
            self._ring.publish(frame_id, 0, 0)
            self._await_answer()
        return (process_cpu_ns() - started_ns) / NS_PER_MS / frame_count

    def close(self) -> None:
        self._consumer.terminate()
        self._consumer.communicate(timeout=_JOIN_TIMEOUT_S)
        self._ring.close()

    def _await_answer(self) -> None:
        assert os.read(self._answers, 1), "the consumer has died; its own words are above"


class _BetweenThreads:
    description = "slots shared by two threads of one process"

    def __init__(self, height_px: int, width_px: int) -> None:
        self._picture = np.full((height_px, width_px, 3), 7, np.uint8)
        self._ring = FrameRing(RING_SLOT_COUNT, height_px, width_px)
        self._changed = threading.Condition()
        self._newest: NDArray[np.uint8] | None = None
        self._is_over = False
        self._consumer = threading.Thread(target=self._consume, name="consumer", daemon=True)
        self._consumer.start()

    def cpu_ms(self, frame_count: int, *, is_copied: bool) -> float:
        started_ns = thread_cpu_ns()
        for _ in range(frame_count):
            slot = self._ring.next_slot()
            if is_copied:
                np.copyto(slot, self._picture)
            with self._changed:
                self._newest = slot
                self._changed.notify_all()
        return (thread_cpu_ns() - started_ns) / NS_PER_MS / frame_count

    def close(self) -> None:
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
        self._consumer.join(_JOIN_TIMEOUT_S)

    def _consume(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._newest is not None or self._is_over)
                picture, self._newest = self._newest, None
                if picture is None:
                    return
            row_sum(picture)
