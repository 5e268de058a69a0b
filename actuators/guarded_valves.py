"""Between controller and driver: a driver's failure becomes trouble that is remembered until all valves were closed.

Valves that did not obey may stand open, so closing them is tried again and again; nothing fires meanwhile.
"""

from actuators.drivers.driver import Actuation, ValveDriver
from actuators.errors import DriverError
from sorter.model.units import NS_PER_MS

_RETRY_PERIOD_NS = 50 * NS_PER_MS


class GuardedValves:
    """A driver whose failures are values.

    Attributes:
        trouble: what the hardware did not do, None while it obeys.
        failure_count: how often it did not obey so far.
    """

    def __init__(self, driver: ValveDriver) -> None:
        self._driver = driver
        self._retry_at_ns = 0
        self.trouble: str | None = None
        self.failure_count = 0

    def open(
        self, station_id: str, first_nozzle: int, last_nozzle: int, now_ns: int, limit_ns: int
    ) -> tuple[bool, Actuation | None]:
        """Energise; whether the hardware obeyed, and what it tells."""
        try:
            return True, self._driver.open(station_id, first_nozzle, last_nozzle, now_ns, limit_ns)
        except DriverError as error:
            self._note(error, now_ns)
        return False, None

    def close(self, station_id: str, first_nozzle: int, last_nozzle: int, now_ns: int) -> Actuation | None:
        """De-energise; what the hardware tells, None also when it did not obey."""
        try:
            return self._driver.close(station_id, first_nozzle, last_nozzle, now_ns)
        except DriverError as error:
            self._note(error, now_ns)
        return None

    def close_all(self, now_ns: int) -> Actuation | None:
        """De-energise everything, which ends the trouble if the hardware obeys."""
        try:
            closing = self._driver.close_all(now_ns)
        except DriverError as error:
            self._note(error, now_ns)
            return None
        self.trouble = None
        return closing

    def retry(self, now_ns: int) -> None:
        """Try to close everything, twenty times a second, while there is trouble."""
        if self.trouble is not None and now_ns >= self._retry_at_ns:
            self.close_all(now_ns)

    def _note(self, error: DriverError, now_ns: int) -> None:
        self.trouble = str(error)
        self.failure_count += 1
        self._retry_at_ns = now_ns + _RETRY_PERIOD_NS
