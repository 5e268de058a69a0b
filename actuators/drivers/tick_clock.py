"""When a microcontroller's clock will show what: a line through pings, since its crystal runs apart from ours."""

from collections import deque

import numpy as np

_KEPT_COUNT = 64
_NS_PER_TICK = 1000
_WRAP = 2**32
# below so many round trips, or over so short a time, the slope is not worth more than the nominal one
_FEWEST_FOR_SLOPE, _SHORTEST_FOR_SLOPE_NS = 8, 500_000_000


class TickClock:
    """Our instants as ticks (µs) of the device, by least squares over the pings that took least.

    A round trip that a busy bus or scheduler held up says little, so the slower half is left out.
    """

    def __init__(self) -> None:
        self._pings: deque[tuple[int, int, int]] = deque(maxlen=_KEPT_COUNT)
        self._turn_count = 0
        self._last_tick_us: int | None = None

    def forget(self) -> None:
        """The device has begun anew."""
        self._pings.clear()
        self._turn_count, self._last_tick_us = 0, None

    def add(self, sent_ns: int, tick_us: int, back_ns: int) -> None:
        """Add a round trip; ticks wrap around at 32 bits, and come in order."""
        if self._last_tick_us is not None and tick_us < self._last_tick_us - _WRAP // 2:
            self._turn_count += 1
        self._last_tick_us = tick_us
        self._pings.append((back_ns - sent_ns, (sent_ns + back_ns) // 2, tick_us + self._turn_count * _WRAP))

    def tick_us_at(self, instant_ns: int) -> int | None:
        """The device's tick at an instant, not wrapped; None before the first ping."""
        if not self._pings:
            return None
        quickest = sorted(self._pings)[: max(1, (len(self._pings) + 1) // 2)]
        origin_ns, origin_us = quickest[0][1], quickest[0][2]
        times_ns = np.array([middle_ns - origin_ns for _, middle_ns, _ in quickest], np.float64)
        apart_us = np.array([tick - origin_us for _, _, tick in quickest], np.float64) - times_ns / _NS_PER_TICK
        ahead_ns = float(instant_ns - origin_ns)
        return round(origin_us + ahead_ns / _NS_PER_TICK + self._apart_us(times_ns, apart_us, ahead_ns))

    def _apart_us(
        self,
        times_ns: "np.ndarray[tuple[int], np.dtype[np.float64]]",
        apart_us: "np.ndarray[tuple[int], np.dtype[np.float64]]",
        ahead_ns: float,
    ) -> float:
        if len(times_ns) < _FEWEST_FOR_SLOPE or float(np.ptp(times_ns)) < _SHORTEST_FOR_SLOPE_NS:
            return float(np.mean(apart_us))
        slope, offset = np.polyfit(times_ns / 1e9, apart_us, 1)
        return float(slope * ahead_ns / 1e9 + offset)
