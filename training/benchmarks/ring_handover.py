"""Frames handed over in a slot of the line's own ring, to a thread of the same process."""

import threading

import numpy as np
from numpy.typing import NDArray

from sorter.model.units import NS_PER_MS
from sorter.runtime.clock import thread_cpu_ns
from training.benchmarks.queue_handover import row_sum
from vision.pipeline import RING_SLOT_COUNT
from vision.ring import FrameRing

_JOIN_TIMEOUT_S = 10.0


class RingHandover:
    """A producer (the calling thread) and a consumer that reads a row of the newest frame."""

    description = "slots shared by two threads of one process"

    def __init__(self, height_px: int, width_px: int) -> None:
        self._picture = np.full((height_px, width_px, 3), 7, np.uint8)
        self._ring = FrameRing(RING_SLOT_COUNT, height_px, width_px)
        self._changed = threading.Condition()
        self._newest: NDArray[np.uint8] | None = None
        self._is_over = False
        self._consumer = threading.Thread(target=self._consume, name="consumer", daemon=True)
        self._consumer.start()

    def close(self) -> None:
        """Let the consumer go."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
        self._consumer.join(_JOIN_TIMEOUT_S)

    def cpu_ms(self, frame_count: int, *, is_copied: bool) -> float:
        """Processor milliseconds of the producer per frame.

        Args:
            frame_count: frames to hand over.
            is_copied: copy the frame into the slot; else it counts as decoded there, which costs no hand-over.
        """
        started_ns = thread_cpu_ns()
        for _ in range(frame_count):
            slot = self._ring.next_slot()
            if is_copied:
                np.copyto(slot, self._picture)
            with self._changed:
                self._newest = slot
                self._changed.notify_all()
        return (thread_cpu_ns() - started_ns) / NS_PER_MS / frame_count

    def _consume(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._newest is not None or self._is_over)
                picture, self._newest = self._newest, None
                if picture is None:
                    return
            row_sum(picture)
