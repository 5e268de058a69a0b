"""Valves that a PLC switches by its own encoder: it is told some time before, at which travel to do what.

Each order is one record in a ring of registers; the PLC takes them in order and says how far it has come. The timing of
network and scan cycle is out of the way; what remains is the PLC's own.
"""

import threading
from collections import deque
from collections.abc import Callable

from actuators.drivers.modbus_client import ModbusDevice, ModbusError
from actuators.drivers.outputs import OutputMap
from actuators.errors import DriverError
from sorter.model.condition import WiredInputs
from sorter.model.settings import ModbusSettings
from sorter.model.units import NS_PER_MS, ms_to_ns
from sorter.runtime.clock import Clock

RECORD_LENGTH = 8
HEADER_LENGTH = 4
_HEAD, _TAIL, _VOID, _HEARTBEAT = range(HEADER_LENGTH)
_WORD = 65_536
_PERIOD_S = 0.01
_RETRY_S = 0.05


def record(number: int, coils: range, travel_pulses: int, limit_ms: int, *, is_on: bool) -> list[int]:
    """The eight registers of one order; the last is the sum of the others, so that a torn write is seen."""
    words = [number % _WORD, coils.start, len(coils), int(is_on)]
    words += [travel_pulses // _WORD % _WORD, travel_pulses % _WORD, min(limit_ms, _WORD - 1)]
    return [*words, sum(words) % _WORD]


class ModbusQueue:
    """Orders by travel, written by a thread of its own."""

    name = "Modbus TCP queue"
    ends_pulses_itself = True

    def __init__(
        self, settings: ModbusSettings, outputs: OutputMap, clock: Clock, travel_at_um: Callable[[int], int | None]
    ) -> None:
        """Begin to connect; `travel_at_um` tells the belt's travel at an instant, None while it is not known."""
        self.lead_ns = ms_to_ns(settings.queue_lead_ms)
        self._settings = settings
        self._outputs = outputs
        self._clock = clock
        self._travel_at_um = travel_at_um
        self._device = ModbusDevice(settings)
        self._lock = threading.Lock()
        self._orders: deque[tuple[int, list[int]]] = deque()
        self._number = 0
        self._tail = 0
        self._void_number: int | None = 0
        self._trouble: str | None = "not connected yet"
        self._inputs = WiredInputs()
        self._heartbeat = 0
        self._wake = threading.Event()
        self._is_ending = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="modbus queue", daemon=True)
        self._thread.start()

    def open(self, station_id: str, first_nozzle: int, last_nozzle: int, now_ns: int, limit_ns: int) -> None:
        """Order nozzles to be energised one lead from now, in travel."""
        self._raise_trouble()
        self._order(station_id, first_nozzle, last_nozzle, now_ns, limit_ns // NS_PER_MS, is_on=True)

    def close(self, station_id: str, first_nozzle: int, last_nozzle: int, now_ns: int) -> None:
        """Order nozzles to be de-energised one lead from now, in travel."""
        self._order(station_id, first_nozzle, last_nozzle, now_ns, 0, is_on=False)
        self._raise_trouble()

    def close_all(self, now_ns: int) -> None:  # noqa: ARG002 - at once, wherever the belt is
        """Void every order and close all valves at once."""
        with self._lock:
            self._orders.clear()
            self._void_number = self._number
        self._wake.set()
        self._raise_trouble()

    def read_inputs(self) -> WiredInputs:
        """As read last."""
        self._raise_trouble()
        return self._inputs

    def shut_down(self) -> None:
        """Void everything and hang up."""
        with self._lock:
            self._orders.clear()
            self._void_number = self._number
        self._is_ending.set()
        self._wake.set()
        self._thread.join(timeout=4 * self._settings.timeout_ms / 1000)

    def _order(
        self, station_id: str, first_nozzle: int, last_nozzle: int, now_ns: int, limit_ms: int, *, is_on: bool
    ) -> None:
        coils = self._outputs.outputs(station_id, first_nozzle, last_nozzle)
        travel_um = self._travel_at_um(now_ns + self.lead_ns)
        if travel_um is None:
            raise DriverError("the belt's travel is not known, so the PLC cannot be told where")
        with self._lock:
            if self._number - self._tail >= self._settings.queue_slot_count:
                raise DriverError("the PLC's queue is full")
            self._number += 1
            words = record(self._number, coils, travel_um // self._settings.pulse_um, limit_ms, is_on=is_on)
            self._orders.append((self._number, words))
        self._wake.set()

    def _raise_trouble(self) -> None:
        if self._trouble is not None:
            raise DriverError(f"PLC at {self._settings.host}: {self._trouble}")

    def _keep(self) -> None:
        while not self._is_ending.is_set():
            self._pass_on_until_trouble()
        self._device.hang_up()

    def _pass_on_until_trouble(self) -> None:
        try:
            self._device.connect()
            self._begin()
            while not self._is_ending.is_set():
                self._wake.wait(_PERIOD_S)
                self._wake.clear()
                self._step()
            self._step()
        except ModbusError as error:
            with self._lock:
                self._orders.clear()
                self._void_number = self._number
            self._trouble = str(error)
            self._is_ending.wait(_RETRY_S)

    def _begin(self) -> None:
        """Void what an earlier life or the time before the trouble left, and go on with the PLC's numbers."""
        head = self._device.read_registers(self._settings.queue_register, HEADER_LENGTH)[_HEAD]
        with self._lock:
            self._orders.clear()
            self._number = self._tail = self._number - self._number % _WORD + head
            self._void_number = self._number
        self._step()
        self._trouble = None

    def _step(self) -> None:
        base = self._settings.queue_register
        with self._lock:
            void_number, self._void_number = self._void_number, None
            orders, number = list(self._orders), self._number
            self._orders.clear()
        if void_number is not None:
            self._device.write_registers(base + _VOID, [void_number % _WORD])
        for order, words in orders:
            slot = base + HEADER_LENGTH + order % self._settings.queue_slot_count * RECORD_LENGTH
            self._device.write_registers(slot, words)
        if orders:
            self._device.write_registers(base + _HEAD, [number % _WORD])
        self._heartbeat = (self._heartbeat + 1) % _WORD
        self._device.write_registers(base + _HEARTBEAT, [self._heartbeat])
        tail = self._device.read_registers(base + _TAIL, 1)[0]
        self._inputs = WiredInputs(**{name: self._device.read_input(at) for name, at in self._settings.inputs.items()})
        with self._lock:
            behind = (self._number - tail) % _WORD
            self._tail = self._number - behind
