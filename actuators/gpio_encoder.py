"""The encoder on this box's own GPIO lines: travel and speed as its edges tell them, or why they do not."""

from actuators.edge_counter import EdgeCounter, EdgeLines
from actuators.edge_steps import QuadratureSteps, SingleSteps
from actuators.encoder import CountedEncoder
from sorter.errors import ConfigurationError
from sorter.model.belt import seen_length_um
from sorter.model.recipe import last_station_um
from sorter.model.settings import GpioEncoderSettings, Settings
from sorter.model.tracks import BeltState
from sorter.model.units import UM_PER_M


class GpioEncoder:
    """An `Encoder` that knows no travel while edges are missing."""

    def __init__(self, settings: Settings, lines: EdgeLines | None = None) -> None:
        """Take the lines.

        Raises:
            ConfigurationError: if a line cannot be had, or gpiod is not installed.
        """
        belt = settings.belt
        steps = SingleSteps(belt.encoder_pulse_um) if belt.gpio.b is None else QuadratureSteps()
        # from where the cameras see the belt first to the last nozzle, and a metre more
        skip_um = seen_length_um(settings)[1] + last_station_um(settings.recipe) + UM_PER_M
        skip_count = skip_um // belt.encoder_pulse_um + 1
        self._lines = _open(belt.gpio) if lines is None else lines
        self.counter = EdgeCounter(self._lines, steps, skip_count, is_reversed=belt.gpio.is_reversed)
        self._counted = CountedEncoder(self.counter, belt.encoder_pulse_um)

    @property
    def trouble(self) -> str | None:
        """Why the travel is not known, None while it is."""
        return self.counter.trouble

    def read(self, now_ns: int) -> BeltState | None:
        """The newest reading; None before the first and while there is trouble."""
        state = self._counted.read(now_ns)
        if self.trouble is None:
            return state
        self._counted.forget()
        return None

    def figures(self) -> dict[str, float]:
        """What its edges were, for the health."""
        return {
            "encoder_edge_count": float(self.counter.edge_count),
            "encoder_glitch_count": float(self.counter.glitch_count),
            "encoder_lost_count": float(self.counter.lost_count),
        }

    def shut_down(self) -> None:
        """Give the lines back."""
        self._lines.release()


def _open(settings: GpioEncoderSettings) -> EdgeLines:
    try:
        from actuators.drivers.gpio_edges import open_edge_lines
    except ImportError as error:
        raise ConfigurationError(
            f"configuration: belt.travel_from = 'gpio': needs a library that is not installed ({error.name}): "
            "pip install 'farz[gpio]'"
        ) from error
    return open_edge_lines(settings)
