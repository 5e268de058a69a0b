"""The consumer of the hand-over bench, a process of its own: reads a row of every frame of a shared ring, and says so.

Run as `python -m training.benchmarks.ring_consumer SLOTS HEIGHT WIDTH MEMORY NEWS`, the last two being descriptors that
are handed down; writes a byte when it is ready and one for every frame, until it is stopped.
"""

import sys
from typing import Any

import vision.ring
from training.benchmarks.queue_handover import row_sum

_WAIT_MS = 100.0


def consume(numbers: list[int]) -> None:
    """Read frames until stopped."""
    ring: Any = vision.ring
    reader = ring.RingReader(ring.RingShape(*numbers[:3]), ring.RingDescriptors(*numbers[3:]))
    _answer()
    while True:
        frame = reader.newest(_WAIT_MS)
        if frame is not None:
            row_sum(frame.image)
            _answer()


def _answer() -> None:
    sys.stdout.buffer.write(b".")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    consume([int(word) for word in sys.argv[1:]])
