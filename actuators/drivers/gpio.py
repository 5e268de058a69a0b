"""Valves on GPIO lines, through libgpiod 2: for small bars, diverters and pushers.

A line holds its level when the process dies: the kernel gives it back, but most chips leave the pin as it was. So this
driver cannot end pulses by itself; where that is needed, a microcontroller or a PLC stands between.
"""

from collections.abc import Iterable
from typing import Protocol

from actuators.drivers.gpio_lines import open_lines
from actuators.errors import DriverError
from sorter.model.condition import WiredInputs
from sorter.model.settings import GpioSettings


class Lines(Protocol):
    """GPIO lines by name; raises OSError when the kernel refuses."""

    def write(self, names: Iterable[str], *, is_active: bool) -> None:
        """Drive output lines."""
        ...

    def read(self, name: str) -> bool:
        """Whether an input line is active."""
        ...

    def release(self) -> None:
        """Give the lines back."""
        ...


class GpioBar:
    """One line a nozzle."""

    name = "GPIO"
    lead_ns = 0
    ends_pulses_itself = False

    def __init__(self, settings: GpioSettings, lines: Lines | None = None) -> None:
        """Take the lines, all inactive.

        Raises:
            ConfigurationError: if a line cannot be had.
        """
        self._names = frozenset(settings.lines)
        self._inputs = tuple(settings.inputs)
        self._lines = open_lines(settings) if lines is None else lines

    def open(self, station_id: str, first_nozzle: int, last_nozzle: int, now_ns: int, limit_ns: int) -> None:  # noqa: ARG002
        """Drive the lines of nozzles first..last active, in one call to the kernel."""
        self._write(self._wired(station_id, first_nozzle, last_nozzle), is_active=True)

    def close(self, station_id: str, first_nozzle: int, last_nozzle: int, now_ns: int) -> None:  # noqa: ARG002
        """Drive them inactive."""
        self._write(self._wired(station_id, first_nozzle, last_nozzle), is_active=False)

    def close_all(self, now_ns: int) -> None:  # noqa: ARG002
        """Drive every line inactive."""
        self._write(sorted(self._names), is_active=False)

    def read_inputs(self) -> WiredInputs:
        """Read the input lines."""
        try:
            return WiredInputs(**{name: self._lines.read(name) for name in self._inputs})
        except OSError as error:
            raise DriverError(f"GPIO inputs cannot be read: {error}") from error

    def shut_down(self) -> None:
        """Drive every line inactive and give them back."""
        try:
            self._lines.write(sorted(self._names), is_active=False)
        except OSError:
            # nothing is left to try: the kernel takes the lines when the process ends
            return
        self._lines.release()

    def _wired(self, station_id: str, first_nozzle: int, last_nozzle: int) -> list[str]:
        names = [f"{station_id}:{number}" for number in range(first_nozzle, last_nozzle + 1)]
        missing = [name for name in names if name not in self._names]
        if missing:
            raise DriverError(f"nozzle {missing[0]} is wired to no GPIO line")
        return names

    def _write(self, names: list[str], *, is_active: bool) -> None:
        try:
            self._lines.write(names, is_active=is_active)
        except OSError as error:
            raise DriverError(f"GPIO lines {names[0]} … {names[-1]} cannot be driven: {error}") from error
