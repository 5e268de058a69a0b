"""What a bench measures, as values: figures by their names, and the bar that each must clear."""

from collections.abc import Mapping

import msgspec


class Bar(msgspec.Struct, frozen=True):
    """A limit that a figure must keep, on the side that `is_least` says."""

    limit: float
    is_least: bool

    def is_met(self, value: float) -> bool:
        """Whether a value keeps the limit; the limit itself does."""
        return value >= self.limit if self.is_least else value <= self.limit

    def missed_by(self, value: float) -> float:
        """By how much a value misses the limit, 0 where it keeps it."""
        return max(0.0, self.limit - value if self.is_least else value - self.limit)


def at_least(limit: float) -> Bar:
    """A bar for what should be large."""
    return Bar(limit, is_least=True)


def at_most(limit: float) -> Bar:
    """A bar for what should be small."""
    return Bar(limit, is_least=False)


# What the line promises; a figure without a bar is told, not judged.
BARS: Mapping[str, Bar] = {
    "pipeline.efficiency_ratio": at_least(0.95),
    "pipeline.overhead_ms": at_most(2.0),
    "pipeline.overhead_gain_ratio": at_least(3.0),
    "pipeline.speedup_over_ultralytics_ratio": at_least(1.6),
    "pipeline.memory_growth_mb": at_most(5.0),
    "pipeline.cost_per_item_growth_ratio": at_most(1.0),
    "tracker.speedup_over_bytetrack_ratio": at_least(2.5),
    "tracker.p50_ms": at_most(0.35),
    "tracker.count_error_ratio": at_most(0.01),
    "tracker.switches_per_100_items": at_most(2.0),
    "store.events_per_s": at_least(20_000.0),
    "store.query_p99_ms": at_most(50.0),
    "store.query_growth_ratio": at_most(1.5),
    "latency.p95_over_service_ms": at_most(1.5),
    # one period of a 30 Hz camera, and 5 ms
    "latency.overload_p95_over_service_ms": at_most(1000.0 / 30.0 + 5.0),
    "latency.overload_growth_ms": at_most(5.0),
    "handover.cpu_gain_ratio": at_least(8.0),
    "import.memory_ratio": at_most(1.0 / 3.0),
    "import.time_ratio": at_most(1.0 / 3.0),
    "api.p99_ms": at_most(100.0),
    "api.failed_count": at_most(0.0),
    "api.frame_to_command_p99_ratio": at_most(1.1),
    # refused is answered; nobody waits for long
    "api.overload_slowest_ms": at_most(2000.0),
    "api.overload_unanswered_count": at_most(0.0),
    "fire.p50_ms": at_most(0.1),
    "fire.p99_ms": at_most(2.0),
    "fire.gil_busy_p50_ms": at_most(0.2),
    "fire.ratio_to_cyclictest": at_most(3.0),
}


class Report(msgspec.Struct, frozen=True):
    """What one bench has found.

    Attributes:
        figures: values by key, unit at the key's end; None where a peer was not there to compare with.
        conditions: what was run, in words and numbers.
        peers: what each peer was, or why it is missing.
    """

    figures: dict[str, float | None]
    conditions: dict[str, str | float]
    peers: dict[str, str]
