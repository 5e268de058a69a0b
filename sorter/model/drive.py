"""The simulated belt drive: travel as a pure function of time, with ramps and a stop; real belts have an encoder."""

import math

import msgspec

from sorter.model.settings import BeltSettings
from sorter.model.units import NS_PER_S, UM_PER_M

_STOP_TOLERANCE_M = 1e-6


class _Segment(msgspec.Struct, frozen=True):
    """A stretch of time with constant acceleration, in seconds, metres and m/s."""

    start_s: float
    duration_s: float
    start_m: float
    speed_m_s: float
    acceleration_m_s2: float

    def travel_m(self, at_s: float) -> float:
        elapsed_s = at_s - self.start_s
        return self.start_m + (self.speed_m_s + 0.5 * self.acceleration_m_s2 * elapsed_s) * elapsed_s

    @property
    def end_speed_m_s(self) -> float:
        return self.speed_m_s + self.acceleration_m_s2 * self.duration_s

    @property
    def end_m(self) -> float:
        return self.travel_m(self.start_s + self.duration_s)


class BeltDrive:
    """Travel and speed at any instant since the drive's start; the same settings give the same motion."""

    def __init__(self, settings: BeltSettings) -> None:
        self._settings = settings
        self._segments: list[_Segment] = []
        self._has_stopped = settings.stop_at_m is None
        self._is_rising = True

    def travel_um_at(self, elapsed_ns: int) -> int:
        """Travel in micrometres; 0 before the start."""
        at_s = max(0, elapsed_ns) / NS_PER_S
        return round(self._segment_at(at_s).travel_m(at_s) * UM_PER_M)

    def speed_um_s_at(self, elapsed_ns: int) -> int:
        """Speed in micrometres a second."""
        at_s = max(0, elapsed_ns) / NS_PER_S
        segment = self._segment_at(at_s)
        return round((segment.speed_m_s + segment.acceleration_m_s2 * (at_s - segment.start_s)) * UM_PER_M)

    def _segment_at(self, at_s: float) -> _Segment:
        while not self._segments or self._segments[-1].start_s + self._segments[-1].duration_s <= at_s:
            self._append_next()
        return next(segment for segment in reversed(self._segments) if segment.start_s <= at_s)

    def _append_next(self) -> None:
        low_m_s, high_m_s = self._settings.speed_m_s, self._settings.speed_high_m_s
        speed_m_s = self._segments[-1].end_speed_m_s if self._segments else low_m_s
        if self._is_stop_due():
            self._has_stopped = True
            self._stop_and_restart(speed_m_s)
        elif high_m_s is None:
            self._append(self._until_stop_s(10.0, speed_m_s, 0.0), speed_m_s, 0.0)
        else:
            target_m_s = high_m_s if self._is_rising else low_m_s
            self._is_rising = not self._is_rising
            self._ramp(speed_m_s, target_m_s)

    def _is_stop_due(self) -> bool:
        stop_at_m = self._settings.stop_at_m
        reached_m = self._segments[-1].end_m if self._segments else 0.0
        return not self._has_stopped and stop_at_m is not None and reached_m >= stop_at_m - _STOP_TOLERANCE_M

    def _until_stop_s(self, duration_s: float, speed_m_s: float, acceleration_m_s2: float) -> float:
        """How much of a stretch of time passes before the belt reaches the travel at which it stops."""
        stop_at_m = self._settings.stop_at_m
        if self._has_stopped or stop_at_m is None:
            return duration_s
        remaining_m = stop_at_m - (self._segments[-1].end_m if self._segments else 0.0)
        end_speed_squared = speed_m_s**2 + 2 * acceleration_m_s2 * remaining_m
        if end_speed_squared < 0.0:
            return duration_s
        return min(duration_s, 2 * remaining_m / (speed_m_s + math.sqrt(end_speed_squared)))

    def _stop_and_restart(self, speed_m_s: float) -> None:
        self._ramp(speed_m_s, 0.0)
        self._append(self._settings.stop_s, 0.0, 0.0)
        self._ramp(0.0, speed_m_s)

    def _ramp(self, from_m_s: float, to_m_s: float) -> None:
        rate_m_s2 = self._settings.ramp_m_s2 if to_m_s > from_m_s else -self._settings.ramp_m_s2
        duration_s = self._until_stop_s((to_m_s - from_m_s) / rate_m_s2, from_m_s, rate_m_s2)
        self._append(duration_s, from_m_s, rate_m_s2)

    def _append(self, duration_s: float, speed_m_s: float, acceleration_m_s2: float) -> None:
        last = self._segments[-1] if self._segments else None
        start_s = last.start_s + last.duration_s if last else 0.0
        start_m = last.end_m if last else 0.0
        self._segments.append(_Segment(start_s, duration_s, start_m, speed_m_s, acceleration_m_s2))
