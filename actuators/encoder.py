"""Where the belt is: as the simulated drive, hardware that counts an encoder, or vision tells it.

What follows from a reading is the controller's.
"""

from collections import deque
from collections.abc import Callable
from typing import Protocol

from actuators.belt_position import travel_at_um
from sorter.model.drive import BeltDrive
from sorter.model.tracks import BeltState
from sorter.model.units import NS_PER_MS, NS_PER_S
from sorter.runtime.bus import Subscriber

PULSE_UM = 100
# a belt that shakes or is pushed back runs backwards by less
_JUMP_COUNT = 1000
# Speed is a difference over this long: 0.1 mm of rounding then is 5 mm/s, and on a 1 m/s² ramp it lags 10 mm/s.
_SPEED_WINDOW_NS = 20 * NS_PER_MS


class Encoder(Protocol):
    """Tells the belt's travel and speed."""

    def read(self, now_ns: int) -> BeltState | None:
        """The newest reading, None before the first."""
        ...


class SimulatedEncoder:
    """Counts pulses of 0.1 mm on the simulated drive."""

    def __init__(self, drive: BeltDrive, epoch_ns: int) -> None:
        self._drive = drive
        self._epoch_ns = epoch_ns

    def read(self, now_ns: int) -> BeltState:
        """Travel in whole pulses, and speed as the difference over the last 20 ms (less since the drive's start)."""
        window_ns = min(_SPEED_WINDOW_NS, now_ns - self._epoch_ns)
        travel_um = self._counted_um(now_ns)
        if window_ns <= 0:
            return BeltState(now_ns, travel_um, 0)
        moved_um = travel_um - self._counted_um(now_ns - window_ns)
        return BeltState(now_ns, travel_um, round(moved_um * NS_PER_S / window_ns))

    def _counted_um(self, instant_ns: int) -> int:
        return self._drive.travel_um_at(instant_ns - self._epoch_ns) // PULSE_UM * PULSE_UM


class BusEncoder:
    """The newest belt state on the bus, for lines whose travel vision reads from the pictures."""

    def __init__(self, subscriber: Subscriber) -> None:
        self._subscriber = subscriber
        self._newest: BeltState | None = None

    def read(self, now_ns: int) -> BeltState | None:  # noqa: ARG002 - the bus, not the clock, says when
        """The newest state received so far."""
        for received in self._subscriber.waiting():
            state = received.message
            if isinstance(state, BeltState) and (
                self._newest is None or state.measured_at_ns >= self._newest.measured_at_ns
            ):
                self._newest = state
        return self._newest


class FollowedTravel:
    """Travel as the newest reading gives it, for simulated valves on a belt that is not simulated.

    The reading is asked for, not the encoder: valves move a little after now, and an encoder is read at its instant.
    """

    def __init__(self, newest: Callable[[], BeltState | None], epoch_ns: int) -> None:
        self._newest = newest
        self._epoch_ns = epoch_ns

    def travel_um_at(self, elapsed_ns: int) -> int:
        """Travel in micrometres, extrapolated from the newest reading; 0 before the first."""
        instant_ns = self._epoch_ns + elapsed_ns
        state = self._newest()
        return travel_at_um(state, instant_ns) if state is not None else 0


class Counter(Protocol):
    """Hardware that counts an encoder's pulses."""

    def encoder_reading(self, now_ns: int) -> tuple[int, int] | None:
        """When it counted last and how many pulses since its start; None while that is not known."""
        ...


class CountedEncoder:
    """Travel as hardware counts it, and speed as the difference over the last 20 ms or more."""

    def __init__(self, counter: Counter, pulse_um: int) -> None:
        self._counter = counter
        self._pulse_um = pulse_um
        self._readings: deque[tuple[int, int]] = deque()
        self._newest: BeltState | None = None

    def read(self, now_ns: int) -> BeltState | None:
        """The newest reading; None until two are known. Begins anew where the count runs backwards by much."""
        reading = self._counter.encoder_reading(now_ns)
        if reading is None or (self._readings and reading[0] <= self._readings[-1][0]):
            return self._newest
        if self._readings and reading[1] < self._readings[-1][1] - _JUMP_COUNT:
            self.forget()
        self._readings.append(reading)
        while len(self._readings) > 2 and self._readings[1][0] <= reading[0] - _SPEED_WINDOW_NS:
            self._readings.popleft()
        since_ns, since_count = self._readings[0]
        if reading[0] - since_ns >= _SPEED_WINDOW_NS // 2:
            moved_um = (reading[1] - since_count) * self._pulse_um
            speed_um_s = round(moved_um * NS_PER_S / (reading[0] - since_ns))
            self._newest = BeltState(reading[0], reading[1] * self._pulse_um, speed_um_s)
        return self._newest

    def forget(self) -> None:
        """Begin anew: what comes next has nothing to do with what was read so far."""
        self._readings.clear()
        self._newest = None
