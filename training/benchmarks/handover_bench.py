"""`farz bench handover`: what it costs a producer to hand a 720p frame to who looks at it, beside `mp.Queue`."""

import statistics
from collections.abc import Callable
from contextlib import closing
from functools import partial

from training.benchmarks.figure import Report
from training.benchmarks.footage import HEIGHT_PX, WIDTH_PX
from training.benchmarks.queue_handover import QueueHandover
from training.benchmarks.ring_handover import RingHandover
from training.benchmarks.rounds import interleaved, median_ratio

_RING, _RING_IN_PLACE, _QUEUE = "ring", "ring in place", "mp_queue"


def bench_handover(*, is_quick: bool) -> Report:
    """Measure processor time of the producer alone; the ring once with a copy into the slot, once decoded in place."""
    frame_count, round_count = (10, 3) if is_quick else (300, 5)
    with closing(QueueHandover(HEIGHT_PX, WIDTH_PX)) as queue, closing(RingHandover(HEIGHT_PX, WIDTH_PX)) as ring:
        contenders: dict[str, Callable[[], float]] = {
            _RING: partial(ring.cpu_ms, frame_count, is_copied=True),
            _RING_IN_PLACE: partial(ring.cpu_ms, frame_count, is_copied=False),
            _QUEUE: partial(queue.cpu_ms, frame_count),
        }
        for measure in contenders.values():
            measure()
        costs_ms = interleaved(contenders, round_count, "hand-over")
    figures: dict[str, float | None] = {
        "handover.cpu_gain_ratio": median_ratio(costs_ms[_QUEUE], costs_ms[_RING]),
        "handover.ring_cpu_ms": statistics.median(costs_ms[_RING]),
        "handover.ring_in_place_cpu_ms": statistics.median(costs_ms[_RING_IN_PLACE]),
        "handover.mp_queue_cpu_ms": statistics.median(costs_ms[_QUEUE]),
    }
    conditions: dict[str, str | float] = {
        "handover.frame": f"{WIDTH_PX}×{HEIGHT_PX}, uint8 BGR",
        "handover.ring": f"{ring.description}; the ratio counts one copy of the frame into the slot",
        "handover.mp_queue": "multiprocessing.Queue between two processes, its feeder thread counted",
        "handover.rounds": float(round_count),
    }
    return Report(figures, conditions, {"mp.Queue": "Python's own"})
