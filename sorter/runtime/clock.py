"""The one place that asks for the time, so that everything else can be told it."""

import time
from datetime import datetime, timezone
from typing import Protocol

_SPIN_NS = 200_000


class Clock(Protocol):
    """Instants of CLOCK_MONOTONIC in nanoseconds, and waiting for one."""

    def now_ns(self) -> int:
        """The present instant."""
        ...

    def wait_until_ns(self, instant_ns: int) -> None:
        """Return when the instant has come; at once if it has passed."""
        ...


class SystemClock:
    """The machine's monotonic clock."""

    def now_ns(self) -> int:
        """CLOCK_MONOTONIC in nanoseconds."""
        return time.monotonic_ns()

    def wait_until_ns(self, instant_ns: int) -> None:
        """Sleep, then spin through the last 0.2 ms: a sleeping thread wakes some tenths of a millisecond late."""
        remaining_ns = instant_ns - time.monotonic_ns()
        if remaining_ns > _SPIN_NS:
            time.sleep((remaining_ns - _SPIN_NS) / 1e9)
        while time.monotonic_ns() < instant_ns:
            pass


class ManualClock:
    """A clock that moves only when told to: virtual time and tests."""

    def __init__(self, start_ns: int = 0) -> None:
        self._now_ns = start_ns

    def now_ns(self) -> int:
        """The instant it was last moved to."""
        return self._now_ns

    def wait_until_ns(self, instant_ns: int) -> None:
        """Move forward to the instant; time never runs back."""
        self._now_ns = max(self._now_ns, instant_ns)


def process_cpu_ns() -> int:
    """Processor time of all threads of this process so far, in nanoseconds."""
    return time.process_time_ns()


def utc_text() -> str:
    """Wall time in UTC to the second, as ISO 8601 has it: for what is stored or shown, never to reckon with."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def wall_ms() -> int:
    """Wall time in milliseconds since 1970 UTC: a stamp for what is stored; it may jump."""
    return time.time_ns() // 1_000_000
