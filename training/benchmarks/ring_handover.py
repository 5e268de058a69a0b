"""Frames handed over to another process in a slot of the line's own ring."""

import os
import subprocess
import sys

import numpy as np

from sorter.model.units import NS_PER_MS
from sorter.runtime.clock import process_cpu_ns
from vision.ring import FrameRing

_JOIN_TIMEOUT_S = 10.0
_SLOT_COUNT = 6
_CONSUMER = "training.benchmarks.ring_consumer"


class RingHandover:
    """A producer (this process) and a consumer, a process that reads a row of every frame."""

    description = "slots in memory shared by two processes, each frame answered before the next"

    def __init__(self, height_px: int, width_px: int) -> None:
        self._picture = np.full((height_px, width_px, 3), 7, np.uint8)
        self._ring = FrameRing(_SLOT_COUNT, height_px, width_px)
        shared = self._ring.descriptors
        numbers = (_SLOT_COUNT, height_px, width_px, shared.memory, shared.news)
        self._consumer = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", _CONSUMER, *map(str, numbers)],
            stdout=subprocess.PIPE,
            pass_fds=(shared.memory, shared.news),
        )
        assert self._consumer.stdout is not None, "asked for above"
        self._answers = self._consumer.stdout.fileno()
        self._await_answer()

    def cpu_ms(self, frame_count: int, *, is_copied: bool) -> float:
        """Processor milliseconds of the producer per frame.

        Args:
            frame_count: frames to hand over.
            is_copied: copy the frame into the slot; else it counts as decoded there, which costs no hand-over.
        """
        started_ns = process_cpu_ns()
        for frame_id in range(frame_count):
            slot = self._ring.next_slot()
            if is_copied:
                np.copyto(slot, self._picture)
            self._ring.publish(frame_id, 0, 0)
            self._await_answer()
        return (process_cpu_ns() - started_ns) / NS_PER_MS / frame_count

    def close(self) -> None:
        """Let the consumer go."""
        self._consumer.terminate()
        self._consumer.communicate(timeout=_JOIN_TIMEOUT_S)
        self._ring.close()

    def _await_answer(self) -> None:
        assert os.read(self._answers, 1), "the consumer has died; its own words are above"
