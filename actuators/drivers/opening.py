"""Which driver the configuration asks for; a real one's library is imported only then."""

from collections.abc import Callable

from actuators.drivers.driver import ValveDriver
from actuators.drivers.outputs import OutputMap
from sorter.errors import ConfigurationError
from sorter.model.settings import Settings
from sorter.runtime.clock import Clock


def open_valves(settings: Settings, clock: Clock, travel_at_um: Callable[[int], int | None]) -> ValveDriver:
    """Open the valves of a line that are not simulated; `travel_at_um` tells the belt's travel at an instant.

    Raises:
        ConfigurationError: if the hardware cannot be opened, or its library is not installed.
    """
    kind = settings.valves.driver
    try:
        return _OPENERS[kind](settings, clock, travel_at_um)
    except ImportError as error:
        raise ConfigurationError(
            f"configuration: valves.driver = {kind!r}: needs a library that is not installed ({error.name}): "
            f"pip install 'farz[{kind}]'"
        ) from error


def _open_gpio(settings: Settings, _clock: Clock, _travel_at_um: Callable[[int], int | None]) -> ValveDriver:
    from actuators.drivers.gpio import GpioBar

    return GpioBar(settings.valves.gpio)


def _open_modbus(settings: Settings, clock: Clock, travel_at_um: Callable[[int], int | None]) -> ValveDriver:
    from actuators.drivers.modbus import ModbusCoils
    from actuators.drivers.modbus_queue import ModbusQueue

    modbus = settings.valves.modbus
    outputs = OutputMap(modbus.first_coils, _nozzle_counts(settings))
    if modbus.mode == "queue":
        return ModbusQueue(modbus, outputs, clock, travel_at_um)
    return ModbusCoils(modbus, outputs, clock)


def _open_serial(settings: Settings, clock: Clock, _travel_at_um: Callable[[int], int | None]) -> ValveDriver:
    from actuators.drivers.serial_link import SerialValves

    outputs = OutputMap(settings.valves.serial.first_outputs, _nozzle_counts(settings))
    return SerialValves(settings.valves.serial, outputs, clock)


def _nozzle_counts(settings: Settings) -> dict[str, int]:
    return {station.id: station.nozzle_count for station in settings.recipe.stations}


_OPENERS = {"gpio": _open_gpio, "modbus": _open_modbus, "serial": _open_serial}
