"""A nozzle opened by hand from a screen, while the line is stopped: open as long as somebody asks again and again.

A dead man's switch: whoever lets go, or whose screen, network or process dies, asks no more, and the nozzle closes. It
closes also when the line leaves Stopped, and after the longest time that any shot may last; then the button must be let
go before it opens again, and the nozzle must have rested as long as it was open.
"""

from actuators.drivers.driver import ValveDriver
from actuators.errors import DriverError
from sorter.model.condition import Mode
from sorter.model.maintenance import NozzleHold
from sorter.model.settings import Settings
from sorter.model.units import NS_PER_MS, ms_to_ns

# a screen asks ten times a second: after three questions that did not come, nobody is holding
HOLD_NS = 300 * NS_PER_MS


class NozzleHand:
    """Follows what is asked; instants are arguments.

    Attributes:
        open_at: station and nozzle that are open, None for none.
        refusal: why the last question opened nothing, empty where it did.
    """

    def __init__(self, settings: Settings, driver: ValveDriver) -> None:
        self._counts = {station.id: station.nozzle_count for station in settings.recipe.stations}
        self._longest_ns = ms_to_ns(settings.safety.max_open_ms)
        self._driver = driver
        self._asked_at_ns: int | None = None
        self._opened_at_ns = 0
        self._rests_until_ns = 0
        self._is_spent = False
        self.open_at: tuple[str, int] | None = None
        self.refusal = ""

    def take(self, hold: NozzleHold, mode: Mode, now_ns: int) -> None:
        """Somebody holds the button of a nozzle just now."""
        place = (hold.station_id, hold.nozzle)
        self.refusal = self._objection(hold, mode, now_ns)
        if self.refusal:
            self.let_go(now_ns)
            return
        if self.open_at is not None and self.open_at != place:
            self.let_go(now_ns)
        self._asked_at_ns = now_ns
        if self.open_at is None and not self._is_spent and now_ns >= self._rests_until_ns:
            self._open(place, now_ns)

    def step(self, mode: Mode, now_ns: int) -> None:
        """Close what nobody holds any more, or what has been open for long enough."""
        if self._asked_at_ns is not None and now_ns - self._asked_at_ns > HOLD_NS:
            self._asked_at_ns, self._is_spent = None, False
            self.let_go(now_ns)
        if self.open_at is None:
            return
        if mode is not Mode.STOPPED or now_ns - self._opened_at_ns >= self._longest_ns:
            self._is_spent = True
            self.let_go(now_ns)

    def let_go(self, now_ns: int) -> None:
        """Close what is open."""
        if self.open_at is None:
            return
        station_id, nozzle = self.open_at
        self.open_at = None
        self._rests_until_ns = now_ns + (now_ns - self._opened_at_ns)
        try:
            self._driver.close(station_id, nozzle, nozzle, now_ns)
        except DriverError as error:
            self.refusal = str(error)

    def _objection(self, hold: NozzleHold, mode: Mode, now_ns: int) -> str:
        if mode is not Mode.STOPPED:
            return f"the line is {mode.value}, not stopped"
        if not 0 <= hold.nozzle < self._counts.get(hold.station_id, 0):
            return f"there is no nozzle {hold.station_id}:{hold.nozzle}"
        if not 0 <= now_ns - hold.requested_at_ns <= HOLD_NS:
            return "the question is old"
        return ""

    def _open(self, place: tuple[str, int], now_ns: int) -> None:
        station_id, nozzle = place
        try:
            # hardware that ends pulses itself ends this one, too, if this process dies meanwhile
            self._driver.open(station_id, nozzle, nozzle, now_ns, self._longest_ns)
        except DriverError as error:
            self.refusal = str(error)
            return
        self.open_at, self._opened_at_ns = place, now_ns
