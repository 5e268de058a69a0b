"""Whether the configured encoder can be counted: wired, apart from the valves, and no faster than its lines carry."""

from sorter.errors import ConfigurationError
from sorter.model.settings import GpioPins, Settings
from sorter.model.units import UM_PER_M

# Each edge costs an interrupt, the wake-up of a kernel thread and a few microseconds of Python, on two cores that have
# more to do.
MOST_EDGES_HZ = 10_000
_US_PER_S = 1_000_000


def check_encoder(settings: Settings) -> None:
    """Refuse an encoder that is not there, or that cannot be followed.

    Raises:
        ConfigurationError: for what cannot be counted.
    """
    belt, driver = settings.belt, settings.valves.driver
    if belt.travel_from == "valves" and driver != "serial":
        raise ConfigurationError(
            f"configuration: belt.travel_from = 'valves': valves.driver {driver!r} counts none; 'serial' does"
        )
    if belt.travel_from == "gpio":
        _check_lines(settings)
        _check_rate(settings)


def _check_lines(settings: Settings) -> None:
    encoder = settings.belt.gpio
    if encoder.a is None:
        raise ConfigurationError(
            "configuration: belt.gpio.a: missing: with belt.travel_from 'gpio', the header pin or line of channel A"
        )
    if encoder.b == encoder.a:
        raise ConfigurationError(f"configuration: belt.gpio.b = {encoder.b!r}: must be another line than belt.gpio.a")
    if encoder.is_reversed and encoder.b is None:
        raise ConfigurationError(
            "configuration: belt.gpio.is_reversed = true: needs belt.gpio.b: one channel alone does not know directions"
        )
    taken = _taken_by_valves(settings)
    for key, pin in (("a", encoder.a), ("b", encoder.b)):
        if pin is not None and _place(encoder, pin) in taken:
            raise ConfigurationError(
                f"configuration: belt.gpio.{key} = {pin!r}: must be another line than those of valves.gpio"
            )


def _taken_by_valves(settings: Settings) -> set[tuple[str, int | str]]:
    if settings.valves.driver != "gpio":
        return set()
    gpio = settings.valves.gpio
    return {_place(gpio, pin) for pin in (*gpio.lines.values(), *gpio.inputs.values())}


def _place(pins: GpioPins, pin: int | str) -> tuple[str, int | str]:
    return (pins.chip if isinstance(pin, str) else pins.board), pin


def _check_rate(settings: Settings) -> None:
    belt = settings.belt
    speed_m_s = belt.speed_high_m_s or belt.speed_m_s
    edges_hz = speed_m_s * UM_PER_M / belt.encoder_pulse_um
    if edges_hz > MOST_EDGES_HZ:
        least_um = -(-speed_m_s * UM_PER_M // MOST_EDGES_HZ)
        raise ConfigurationError(
            f"configuration: belt.encoder_pulse_um = {belt.encoder_pulse_um}: at the belt's {speed_m_s:g} m/s that is "
            f"{edges_hz:.0f} edges a second and GPIO lines carry {MOST_EDGES_HZ}: at least {least_um:.0f}, or an "
            "encoder that a microcontroller counts (belt.travel_from 'valves')"
        )
    between_us = _US_PER_S / edges_hz
    if belt.gpio.debounce_us >= between_us:
        raise ConfigurationError(
            f"configuration: belt.gpio.debounce_us = {belt.gpio.debounce_us}: must be below {between_us:.0f}, the time "
            f"between two edges at the belt's {speed_m_s:g} m/s"
        )
