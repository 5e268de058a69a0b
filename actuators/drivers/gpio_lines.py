"""The door to gpiod for valves: finds chips and lines by the kernel's names and drives them."""

from collections.abc import Iterable
from pathlib import Path

import gpiod
from gpiod.line import Direction, Value

from actuators.drivers.jetson_pins import JETSON_PINS
from sorter.errors import ConfigurationError
from sorter.model.settings import GpioPins, GpioSettings

DEVICES = Path("/dev")
CONSUMER = "farz"
_TABLE = "valves.gpio"


class GpiodLines:
    """Lines of one or more chips, requested once and held: outputs inactive at first, inputs as they are."""

    def __init__(self, requests: dict[str, tuple["gpiod.LineRequest", int]]) -> None:
        self._requests = requests

    def write(self, names: Iterable[str], *, is_active: bool) -> None:
        """Drive lines, those of one chip at the same instant."""
        value = Value.ACTIVE if is_active else Value.INACTIVE
        by_request: dict[int, tuple[gpiod.LineRequest, dict[int | str, Value]]] = {}
        for name in names:
            request, offset = self._requests[name]
            by_request.setdefault(id(request), (request, {}))[1][offset] = value
        for request, values in by_request.values():
            request.set_values(values)

    def read(self, name: str) -> bool:
        """Whether an input line is active."""
        request, offset = self._requests[name]
        return bool(request.get_value(offset) == Value.ACTIVE)

    def release(self) -> None:
        """Give all lines back."""
        for request in {id(request): request for request, _ in self._requests.values()}.values():
            request.release()


def open_lines(settings: GpioSettings, devices: Path = DEVICES) -> GpiodLines:
    """Request all lines of a configuration.

    Raises:
        ConfigurationError: if a chip or line is not there, or somebody else holds it.
    """
    wanted: dict[str, dict[str, tuple[str, Direction]]] = {}
    for names, direction in ((settings.lines, Direction.OUTPUT), (settings.inputs, Direction.INPUT)):
        for name, pin in names.items():
            chip, line = line_of(settings, _TABLE, name, pin)
            wanted.setdefault(chip, {})[name] = (line, direction)
    try:
        found = {chip: find_chip(chip, devices, _TABLE) for chip in wanted}
        return GpiodLines(
            {
                name: at
                for chip, lines in wanted.items()
                for name, at in _request(found[chip], lines, is_active_low=settings.is_active_low).items()
            }
        )
    except OSError as error:
        raise ConfigurationError(f"configuration: valves.gpio: lines cannot be had: {error}") from error


def line_of(settings: GpioPins, table: str, name: str, pin: int | str) -> tuple[str, str]:
    """Chip label (or path) and line name of what is wired to a header pin, given by number, or to a line of a name.

    Raises:
        ConfigurationError: for a pin that the board's header does not have.
    """
    if isinstance(pin, str):
        return settings.chip, pin
    pins = JETSON_PINS.get(settings.board, {})
    if pin not in pins:
        raise ConfigurationError(
            f"configuration: {table}: {name} = {pin}: must be a GPIO pin of the header of {table}.board "
            f"{settings.board!r}: {sorted(pins)}, or a line's name"
        )
    return pins[pin]


def find_chip(chip: str, devices: Path, table: str) -> str:
    """The device of a chip, given by its label or its own path.

    Raises:
        ConfigurationError: if no chip has the label.
    """
    if chip.startswith("/"):
        return chip
    for path in sorted(devices.glob("gpiochip*")):
        with gpiod.Chip(str(path)) as opened:
            if opened.get_info().label == chip:
                return str(path)
    raise ConfigurationError(f"configuration: {table}: no GPIO chip {chip!r} in {devices}")


def _request(
    path: str, lines: dict[str, tuple[str, Direction]], *, is_active_low: bool
) -> dict[str, tuple["gpiod.LineRequest", int]]:
    with gpiod.Chip(path) as chip:
        offsets = {name: chip.line_offset_from_id(line) for name, (line, _) in lines.items()}
    config: dict[Iterable[int | str] | int | str, gpiod.LineSettings | None] = {
        offsets[name]: gpiod.LineSettings(
            direction=direction, output_value=Value.INACTIVE, active_low=is_active_low and direction is Direction.OUTPUT
        )
        for name, (_, direction) in lines.items()
    }
    request = gpiod.request_lines(path, consumer=CONSUMER, config=config)
    return {name: (request, offset) for name, offset in offsets.items()}
