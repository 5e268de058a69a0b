"""Valves on a microcontroller at a serial port: it opens at its own tick, and ends each pulse at its limit.

Orders are sent at once and acknowledged by the device; one that is not, a damaged line or a device that began anew is
trouble, until the device has confirmed that all is closed.
"""

import threading
from collections.abc import Callable
from typing import Protocol

import serial

from actuators.drivers.driver import Actuation
from actuators.drivers.outputs import OutputMap
from actuators.drivers.serial_frames import (
    DeviceState,
    Frame,
    FrameKind,
    FrameReader,
    close_payload,
    pack_frame,
    pulse_payload,
    read_state,
)
from actuators.drivers.tick_clock import TickClock
from actuators.errors import DriverError
from sorter.errors import ConfigurationError
from sorter.model.condition import WiredInputs
from sorter.model.settings import SerialSettings
from sorter.model.units import NS_PER_MS, ms_to_ns
from sorter.runtime.clock import Clock

# each answer tells the encoder's count as well
_PING_PERIOD_NS = 10 * NS_PER_MS
_READ_TIMEOUT_S = 0.01
_WORD = 65_536


class Port(Protocol):
    """A serial port; raises OSError when it is gone."""

    def write(self, data: bytes) -> int | None:
        """Send without waiting."""
        ...

    def read(self, size: int) -> bytes:
        """What has arrived within a hundredth of a second."""
        ...

    def close(self) -> None:
        """Let go."""
        ...


class SerialValves:
    """One output a nozzle."""

    name = "serial microcontroller"
    ends_pulses_itself = True

    def __init__(
        self, settings: SerialSettings, outputs: OutputMap, clock: Clock, open_port: Callable[[], Port] | None = None
    ) -> None:
        """Open the port; until the device has confirmed that all is closed, every order is refused.

        Raises:
            ConfigurationError: if the port cannot be opened.
        """
        self.lead_ns = ms_to_ns(settings.lead_ms)
        self._settings = settings
        self._outputs = outputs
        self._clock = clock
        self._open_port = open_port or (lambda: _port(settings))
        self._timeout_ns = ms_to_ns(settings.timeout_ms)
        self._ticks = TickClock()
        self._reader = FrameReader()
        self._lock = threading.Lock()
        self._number = 0
        self._unanswered: dict[int, tuple[FrameKind, int]] = {}
        self._trouble: str | None = "not heard yet"
        self._trouble_number = 0
        self._state: DeviceState | None = None
        self._ping_due_ns = 0
        try:
            self._port = self._open_port()
        except OSError as error:
            raise ConfigurationError(
                f"configuration: valves.serial.device = {settings.device!r}: cannot be opened: {error}"
            ) from error
        self._is_ending = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="serial", daemon=True)
        self._thread.start()

    @property
    def damaged_count(self) -> int:
        """Pieces of the device's answers that were no frames."""
        return self._reader.damaged_count

    def open(
        self, station_id: str, first_nozzle: int, last_nozzle: int, now_ns: int, limit_ns: int
    ) -> Actuation | None:
        """Order outputs on, one lead from now by the device's clock."""
        outputs = self._outputs.outputs(station_id, first_nozzle, last_nozzle)
        self._raise_trouble()
        self._send(FrameKind.PULSE, pulse_payload(outputs.start, len(outputs), self._tick_us(now_ns), limit_ns // 1000))
        return None

    def close(self, station_id: str, first_nozzle: int, last_nozzle: int, now_ns: int) -> Actuation | None:
        """Order outputs off, one lead from now by the device's clock."""
        outputs = self._outputs.outputs(station_id, first_nozzle, last_nozzle)
        self._raise_trouble()
        self._send(FrameKind.CLOSE, close_payload(outputs.start, len(outputs), self._tick_us(now_ns)))
        return None

    def close_all(self, now_ns: int) -> Actuation | None:  # noqa: ARG002 - at once
        """Order all outputs off at once, and forget all pulses to come."""
        self._send(FrameKind.CLOSE_ALL, b"")
        self._raise_trouble()
        return None

    def read_inputs(self) -> WiredInputs:
        """As the device said with its last answer."""
        self._raise_trouble()
        bits = self._state.inputs if self._state is not None else 0
        return WiredInputs(**{name: bool(bits >> bit & 1) for name, bit in self._settings.inputs.items()})

    def encoder_reading(self, now_ns: int) -> tuple[int, int] | None:
        """When the device counted last, and how many pulses since it began; None while it is in trouble.

        How old the count is follows from the device's own ticks, not from when it arrived.
        """
        state, now_us = self._state, self._ticks.tick_us_at(now_ns)
        if state is None or now_us is None or self._trouble is not None:
            return None
        age_us = (now_us - state.tick_us) % 2**32
        # a count of this very moment may seem some microseconds ahead
        age_us = 0 if age_us > 2**31 else age_us
        return now_ns - age_us * 1000, state.encoder_count

    def shut_down(self) -> None:
        """Order all outputs off, and close the port once that is answered or overdue."""
        self._send(FrameKind.CLOSE_ALL, b"")
        self._clock.wait_until_ns(self._clock.now_ns() + self._timeout_ns)
        self._is_ending.set()
        self._thread.join(timeout=1.0)
        self._port.close()

    def _tick_us(self, now_ns: int) -> int:
        tick_us = self._ticks.tick_us_at(now_ns + self.lead_ns)
        if tick_us is None:
            raise DriverError("the microcontroller's clock is not known yet")
        return tick_us

    def _raise_trouble(self) -> None:
        if self._trouble is not None:
            raise DriverError(f"microcontroller at {self._settings.device}: {self._trouble}")

    def _send(self, kind: FrameKind, payload: bytes) -> None:
        with self._lock:
            self._number = (self._number + 1) % _WORD
            self._unanswered[self._number] = (kind, self._clock.now_ns())
            try:
                self._port.write(pack_frame(Frame(kind, self._number, payload)))
            except OSError as error:
                self._begin_trouble(f"cannot be written to: {error}")
        if kind in {FrameKind.PULSE, FrameKind.CLOSE}:
            self._raise_trouble()

    def _listen(self) -> None:
        """The thread's body: pings, answers, and whatever is overdue."""
        while not self._is_ending.is_set():
            try:
                data = self._port.read(4096)
            except OSError as error:
                self._begin_trouble(f"cannot be read from: {error}")
                self._reopen()
                continue
            for frame in self._reader.feed(data):
                self._hear(frame)
            self._look_after(self._clock.now_ns())

    def _reopen(self) -> None:
        self._is_ending.wait(0.05)
        try:
            self._port.close()
            self._port = self._open_port()
        except OSError as error:
            self._begin_trouble(f"is gone: {error}")

    def _look_after(self, now_ns: int) -> None:
        with self._lock:
            overdue = [
                number for number, (_, sent_ns) in self._unanswered.items() if now_ns - sent_ns > self._timeout_ns
            ]
            for number in overdue:
                kind, _ = self._unanswered.pop(number)
                self._begin_trouble(f"did not answer {kind.name} {number}")
        if now_ns >= self._ping_due_ns:
            self._ping_due_ns = now_ns + _PING_PERIOD_NS
            self._send(FrameKind.CLOSE_ALL if self._trouble is not None else FrameKind.PING, b"")

    def _hear(self, frame: Frame) -> None:
        state = read_state(frame.payload) if frame.kind == FrameKind.STATE else None
        if state is None:
            return
        back_ns = self._clock.now_ns()
        with self._lock:
            asked = self._unanswered.pop(frame.number, None)
            if self._state is not None and state.boot_id != self._state.boot_id:
                self._begin_trouble("has begun anew")
                self._ticks.forget()
                asked = None
            self._state = state
            if asked is None:
                return
            kind, sent_ns = asked
            self._ticks.add(sent_ns, state.tick_us, back_ns)
            if kind is FrameKind.CLOSE_ALL and (frame.number - self._trouble_number) % _WORD < _WORD // 2:
                self._trouble = None

    def _begin_trouble(self, trouble: str) -> None:
        """Note trouble; orders sent up to now cannot end it."""
        self._trouble = trouble
        self._trouble_number = (self._number + 1) % _WORD


def _port(settings: SerialSettings) -> Port:
    port: Port = serial.Serial(
        settings.device, settings.baud_rate, timeout=_READ_TIMEOUT_S, write_timeout=0, exclusive=True
    )
    return port
