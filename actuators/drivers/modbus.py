"""Valves on a PLC's coils by Modbus TCP: a thread of its own keeps the coils as they should be.

The newest state of all coils is written, never a queue of changes: a PLC that is slow for a while gets what is wanted
now, nothing stale. After trouble everything is written closed first. A register counts up all the time, so that the PLC
closes all valves when this process has died.
"""

import threading

from actuators.drivers.modbus_client import ModbusDevice, ModbusError
from actuators.drivers.outputs import OutputMap
from actuators.errors import DriverError
from sorter.model.condition import WiredInputs
from sorter.model.settings import ModbusSettings
from sorter.model.units import NS_PER_MS, ms_to_ns
from sorter.runtime.clock import Clock

_HEARTBEAT_PERIOD_NS = 50 * NS_PER_MS
_IDLE_S = 0.005
_RETRY_S = 0.05


class ModbusCoils:
    """One coil a nozzle."""

    name = "Modbus TCP coils"
    lead_ns = 0
    ends_pulses_itself = True

    def __init__(self, settings: ModbusSettings, outputs: OutputMap, clock: Clock) -> None:
        """Begin to connect; until the PLC has confirmed that all is closed, every order is refused."""
        self._settings = settings
        self._outputs = outputs
        self._clock = clock
        self._device = ModbusDevice(settings)
        self._longest_lag_ns = 2 * ms_to_ns(settings.timeout_ms)
        self._lock = threading.Lock()
        self._wanted_until_ns: dict[int, int] = {}
        self._written: frozenset[int] = frozenset()
        self._lagging_since_ns: int | None = None
        self._trouble: str | None = "not connected yet"
        self._inputs = WiredInputs()
        self._heartbeat = 0
        self._heartbeat_due_ns = 0
        self._wake = threading.Event()
        self._is_ending = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="modbus", daemon=True)
        self._thread.start()

    def open(self, station_id: str, first_nozzle: int, last_nozzle: int, now_ns: int, limit_ns: int) -> None:
        """Want coils on, until the limit at the latest."""
        coils = self._outputs.outputs(station_id, first_nozzle, last_nozzle)
        self._raise_trouble(now_ns)
        with self._lock:
            self._wanted_until_ns |= dict.fromkeys(coils, now_ns + limit_ns)
        self._wake.set()

    def close(self, station_id: str, first_nozzle: int, last_nozzle: int, now_ns: int) -> None:
        """Want coils off."""
        with self._lock:
            for coil in self._outputs.outputs(station_id, first_nozzle, last_nozzle):
                self._wanted_until_ns.pop(coil, None)
        self._wake.set()
        self._raise_trouble(now_ns)

    def close_all(self, now_ns: int) -> None:
        """Want all coils off."""
        with self._lock:
            self._wanted_until_ns.clear()
        self._wake.set()
        self._raise_trouble(now_ns)

    def read_inputs(self) -> WiredInputs:
        """As read with the last heartbeat."""
        self._raise_trouble(self._clock.now_ns())
        return self._inputs

    def shut_down(self) -> None:
        """Write all coils off and hang up."""
        with self._lock:
            self._wanted_until_ns.clear()
        self._is_ending.set()
        self._wake.set()
        self._thread.join(timeout=4 * self._settings.timeout_ms / 1000)

    def _raise_trouble(self, now_ns: int) -> None:
        since_ns = self._lagging_since_ns
        if self._trouble is not None:
            raise DriverError(f"PLC at {self._settings.host}: {self._trouble}")
        if since_ns is not None and now_ns - since_ns > self._longest_lag_ns:
            raise DriverError(f"PLC at {self._settings.host}: behind by {(now_ns - since_ns) // NS_PER_MS} ms")

    def _keep(self) -> None:
        """The thread's body: connected, write what is wanted; in trouble, begin anew with everything closed."""
        while not self._is_ending.is_set():
            self._follow_until_trouble()
        self._device.hang_up()

    def _follow_until_trouble(self) -> None:
        try:
            self._device.connect()
            self._write(frozenset(), frozenset(range(self._outputs.start, self._outputs.stop)))
            self._trouble = None
            while not self._is_ending.is_set():
                self._step()
            self._write(frozenset(), self._written)
        except ModbusError as error:
            with self._lock:
                self._wanted_until_ns.clear()
            self._trouble, self._lagging_since_ns = str(error), None
            self._is_ending.wait(_RETRY_S)

    def _step(self) -> None:
        self._wake.wait(_IDLE_S)
        self._wake.clear()
        now_ns = self._clock.now_ns()
        with self._lock:
            wanted = frozenset(coil for coil, until_ns in self._wanted_until_ns.items() if now_ns < until_ns)
        if wanted != self._written:
            self._lagging_since_ns = now_ns
            self._write(wanted, wanted ^ self._written)
            self._lagging_since_ns = None
        if now_ns >= self._heartbeat_due_ns:
            self._heartbeat_due_ns = now_ns + _HEARTBEAT_PERIOD_NS
            self._beat()

    def _write(self, wanted: frozenset[int], changed: frozenset[int]) -> None:
        """One request from the first coil that changes to the last, so that they move together."""
        first, last = min(changed, default=0), max(changed, default=-1)
        if last >= first:
            self._device.write_coils(first, [coil in wanted for coil in range(first, last + 1)])
        self._written = wanted

    def _beat(self) -> None:
        self._heartbeat = (self._heartbeat + 1) % 65_536
        self._device.write_registers(self._settings.heartbeat_register, [self._heartbeat])
        self._inputs = WiredInputs(**{name: self._device.read_input(at) for name, at in self._settings.inputs.items()})
