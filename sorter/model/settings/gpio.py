"""GPIO lines: where they are, and what is wired to them."""

from typing import Annotated, Literal

from msgspec import Meta

from sorter.model.settings.section import Section

InputName = Literal[
    "emergency_stop_clear", "guards_closed", "air_present", "upstream_ready", "downstream_ready", "belt_running"
]


class GpioPins(Section, frozen=True):
    """What a line is named by: a header pin's number of the board, or the line's name on the chip."""

    board: Literal["", "jetson-orin-nano", "jetson-orin-nx", "jetson-agx-orin"] = ""
    # path or label of the chip that named lines are on
    chip: str = "/dev/gpiochip0"


class GpioSettings(GpioPins, frozen=True):
    """Valves on GPIO lines."""

    # "station:nozzle" → line
    lines: dict[str, int | str] = {}
    # wired inputs, active when all is well
    inputs: dict[InputName, int | str] = {}
    # true: a low level opens the valve
    is_active_low: bool = False


class GpioEncoderSettings(GpioPins, frozen=True):
    """An incremental encoder on GPIO lines; for the pulses that they can carry see actuators/PROTOCOLS.md."""

    # lines of its channels; without b the belt is taken to run forward always
    a: int | str | None = None
    b: int | str | None = None
    # true: counts down while the belt runs forward
    is_reversed: bool = False
    # the kernel drops what is shorter, for contacts that bounce
    debounce_us: Annotated[int, Meta(ge=0, le=100_000)] = 0
