"""When a microcontroller's clock will show what: a line through pings, since its crystal runs apart from ours."""

from collections import deque

import msgspec
import numpy as np

_KEPT_COUNT = 256
_NS_PER_TICK = 1000
_WRAP = 2**32
# below so many round trips, or over so short a time, the slope is not worth more than the nominal one
_FEWEST_FOR_SLOPE, _SHORTEST_FOR_SLOPE_NS = 8, 500_000_000
# how often the line is drawn anew: it moves slowly, and drawing it takes a tenth of a millisecond
_PINGS_PER_LINE = 8


class _Line(msgspec.Struct, frozen=True):
    """Ticks (µs) as a function of our instants: through an origin, `apart` from the nominal rate."""

    origin_ns: int
    origin_us: int
    offset_us: float
    slope_us_per_s: float

    def tick_us_at(self, instant_ns: int) -> int:
        ahead_ns = instant_ns - self.origin_ns
        apart_us = self.offset_us + self.slope_us_per_s * ahead_ns / 1e9
        return round(self.origin_us + ahead_ns / _NS_PER_TICK + apart_us)


class TickClock:
    """Our instants as ticks (µs) of the device, by least squares over the pings that took least.

    A round trip that a busy bus or scheduler held up says little, so the slower half is left out. Reading is cheap, and
    safe beside a thread that adds.
    """

    def __init__(self) -> None:
        self._pings: deque[tuple[int, int, int]] = deque(maxlen=_KEPT_COUNT)
        self._turn_count = 0
        self._last_tick_us: int | None = None
        self._ping_count = 0
        self._line: _Line | None = None

    def forget(self) -> None:
        """The device has begun anew."""
        self._pings.clear()
        self._turn_count, self._last_tick_us, self._ping_count, self._line = 0, None, 0, None

    def add(self, sent_ns: int, tick_us: int, back_ns: int) -> None:
        """Add a round trip; ticks wrap around at 32 bits, and come in order."""
        if self._last_tick_us is not None and tick_us < self._last_tick_us - _WRAP // 2:
            self._turn_count += 1
        self._last_tick_us = tick_us
        self._pings.append((back_ns - sent_ns, (sent_ns + back_ns) // 2, tick_us + self._turn_count * _WRAP))
        if self._ping_count % _PINGS_PER_LINE == 0 or self._ping_count < _PINGS_PER_LINE:
            self._line = self._drawn()
        self._ping_count += 1

    def tick_us_at(self, instant_ns: int) -> int | None:
        """The device's tick at an instant, not wrapped; None before the first ping."""
        line = self._line
        return None if line is None else line.tick_us_at(instant_ns)

    def slowest_used_ns(self) -> int:
        """How long the slowest of the pings took that the line rests on: twice what it can be wrong by."""
        return self._quickest()[-1][0]

    def _quickest(self) -> list[tuple[int, int, int]]:
        return sorted(self._pings)[: (len(self._pings) + 1) // 2]

    def _drawn(self) -> _Line:
        quickest = self._quickest()
        _, origin_ns, origin_us = quickest[0]
        times_ns = np.array([middle_ns - origin_ns for _, middle_ns, _ in quickest], np.float64)
        apart_us = np.array([tick - origin_us for _, _, tick in quickest], np.float64) - times_ns / _NS_PER_TICK
        if len(quickest) < _FEWEST_FOR_SLOPE or float(np.ptp(times_ns)) < _SHORTEST_FOR_SLOPE_NS:
            return _Line(origin_ns, origin_us, float(np.mean(apart_us)), 0.0)
        slope, offset = np.polyfit(times_ns / 1e9, apart_us, 1)
        return _Line(origin_ns, origin_us, float(offset), float(slope))
