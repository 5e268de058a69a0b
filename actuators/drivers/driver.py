"""What the controller asks of valve hardware; when and why to open is none of a driver's business."""

from typing import Protocol

import msgspec

from sorter.model.condition import WiredInputs


class Actuation(msgspec.Struct, frozen=True):
    """What the hardware tells of a valve's movement; `travel_um` is None where it sees no belt."""

    at_ns: int
    travel_um: int | None


class ValveDriver(Protocol):
    """A set of nozzle bars, one a station.

    Opening what is open and closing what is closed are harmless. No method waits for slow hardware: a driver whose
    hardware is slow keeps a thread of its own. All raise `actuators.errors.DriverError` when the hardware does not
    obey, or did not obey an order before.

    Attributes:
        name: for the health.
        lead_ns: how long before a valve shall be told the driver wants to know; `now_ns` then is that much too early.
        ends_pulses_itself: whether the hardware ends a pulse at its limit even if this process is dead.
    """

    name: str
    lead_ns: int
    ends_pulses_itself: bool

    def open(
        self, station_id: str, first_nozzle: int, last_nozzle: int, now_ns: int, limit_ns: int
    ) -> Actuation | None:
        """Energise nozzles first..last; tell when they will have opened, None when the hardware cannot tell.

        A pulse ends by itself: hardware that can do so de-energises after `limit_ns`, whether or not it is told to, so
        that a controller that died leaves nothing open. Opening anew sets the limit anew.
        """
        ...

    def close(self, station_id: str, first_nozzle: int, last_nozzle: int, now_ns: int) -> Actuation | None:
        """De-energise nozzles first..last; tell when they will have closed, None when the hardware cannot tell."""
        ...

    def close_all(self, now_ns: int) -> Actuation | None:
        """De-energise everything; tell when the last nozzle will have closed, None when the hardware cannot tell."""
        ...

    def read_inputs(self) -> WiredInputs:
        """The newest state of the wired inputs."""
        ...

    def shut_down(self) -> None:
        """Let go of the hardware, all valves closed as far as it obeys; never raises."""
        ...
