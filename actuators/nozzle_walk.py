"""The nozzle walk: one nozzle after the other, open only while a key is held, to see that each blows where it should.

Keys and the clock are arguments; whether walking is allowed at all is the command's to ask.
"""

from collections.abc import Callable, Iterator

import msgspec

from actuators.drivers.driver import ValveDriver
from sorter.model.settings import StationSettings
from sorter.model.units import NS_PER_MS
from sorter.runtime.clock import Clock

# A held key repeats some thirty times a second, the first time after half a second at most.
HOLD_NS = 600 * NS_PER_MS
HOLD_KEY, NEXT_KEY, BACK_KEY, END_KEYS = " ", "n", "b", ("q", "\x1b", "\x03")


class Place(msgspec.Struct, frozen=True):
    """A nozzle of a station."""

    station_id: str
    nozzle: int


def places(stations: tuple[StationSettings, ...]) -> list[Place]:
    """Every nozzle, station by station."""
    return [Place(station.id, number) for station in stations for number in range(station.nozzle_count)]


class NozzleWalk:
    """Holds one nozzle open as long as the hold key comes; anything else, and silence, closes it."""

    def __init__(self, driver: ValveDriver, walk: list[Place], clock: Clock) -> None:
        self._driver = driver
        self._walk = walk
        self._clock = clock
        self._at = 0
        self._held_until_ns: int | None = None

    @property
    def place(self) -> Place:
        """The nozzle that the hold key opens."""
        return self._walk[self._at]

    @property
    def is_open(self) -> bool:
        """Whether it is held open."""
        return self._held_until_ns is not None

    def press(self, key: str | None) -> bool:
        """Take a key, None for none just now; False when the walk is over.

        Raises:
            DriverError: if the hardware does not obey.
        """
        now_ns = self._clock.now_ns()
        if key == HOLD_KEY:
            self._hold(now_ns)
        elif key is not None or (self._held_until_ns is not None and now_ns >= self._held_until_ns):
            self._let_go(now_ns)
        if key == NEXT_KEY:
            self._at = min(self._at + 1, len(self._walk) - 1)
        elif key == BACK_KEY:
            self._at = max(self._at - 1, 0)
        return key not in END_KEYS

    def _hold(self, now_ns: int) -> None:
        self._held_until_ns = now_ns + HOLD_NS
        self._driver.open(self.place.station_id, self.place.nozzle, self.place.nozzle, now_ns, HOLD_NS)

    def _let_go(self, now_ns: int) -> None:
        self._held_until_ns = None
        self._driver.close_all(now_ns)


def run_walk(walk: NozzleWalk, keys: Iterator[str | None], show: Callable[[NozzleWalk], None]) -> None:
    """Walk until it is over or the keys end; nothing is open afterwards."""
    try:
        for key in keys:
            is_going_on = walk.press(key)
            show(walk)
            if not is_going_on:
                break
    finally:
        walk.press("")
