"""A command on its way through the controller: nozzles that answer alike make a pulse; pulses wait, open and end.

Valves differ in how long they take to move, so that one command may need several pulses at different instants. Which
nozzles may be closed when a pulse ends is told by the book of all shots.
"""

import msgspec

from actuators.drivers.driver import Actuation
from actuators.nozzle_use import Nozzle
from sorter.model.ejection import Ack, AckStatus, EjectionCommand, RefusalReason
from sorter.model.settings import ValveSettings
from sorter.model.units import ms_to_ns


class Pulse(msgspec.Struct, frozen=True):
    """Neighbouring nozzles of one shot that take equally long to move."""

    first_nozzle: int
    last_nozzle: int
    response_ns: int


class OpenPulse(msgspec.Struct, frozen=True):
    """A pulse that has been energised; `close_by_ns` holds whatever the belt does."""

    pulse: Pulse
    close_by_ns: int


class ValveResponses:
    """How long each nozzle takes to move after it was told to."""

    def __init__(self, settings: ValveSettings, lead_ns: int = 0) -> None:
        """Note the responses; `lead_ns` is what the driver needs before, for every nozzle alike."""
        self._common_ns = ms_to_ns(settings.response_ms) + lead_ns
        self._own_ns = {name: ms_to_ns(response_ms) + lead_ns for name, response_ms in settings.own_response_ms.items()}

    def response_ns(self, station_id: str, nozzle: int) -> int:
        """The nozzle's own response, else its station's, else the common one."""
        station_ns = self._own_ns.get(station_id, self._common_ns)
        return self._own_ns.get(f"{station_id}:{nozzle}", station_ns)

    def pulses(self, command: EjectionCommand) -> list[Pulse]:
        """A command's nozzles in runs of equal response, the slowest first, since it must be told first."""
        runs: list[Pulse] = []
        for nozzle in range(command.first_nozzle, command.last_nozzle + 1):
            response_ns = self.response_ns(command.station_id, nozzle)
            if runs and runs[-1].response_ns == response_ns:
                runs[-1] = Pulse(runs[-1].first_nozzle, nozzle, response_ns)
            else:
                runs.append(Pulse(nozzle, nozzle, response_ns))
        return sorted(runs, key=lambda run: -run.response_ns)


class Shot:
    """One command, its pulses, and what the hardware told of them.

    Attributes:
        waiting: pulses not yet energised, the slowest first.
        open: pulses that are energised.
        was_obeyed: False once the hardware failed.
    """

    def __init__(self, command: EjectionCommand, pulses: list[Pulse]) -> None:
        self.command = command
        self.waiting = pulses
        self.open: list[OpenPulse] = []
        self.was_obeyed = True
        self._opening: Actuation | None = None
        self._closed_at_ns = 0

    @property
    def longest_response_ns(self) -> int:
        """How long before the belt is there the first pulse must be energised."""
        return self.waiting[0].response_ns if self.waiting else 0

    @property
    def is_over(self) -> bool:
        """Whether nothing of it waits or is open."""
        return not self.waiting and not self.open

    def note_opening(self, opening: Actuation) -> None:
        """Book a pulse's opening; the shot stands once its last pulse does."""
        if self._opening is None or opening.at_ns > self._opening.at_ns:
            self._opening = opening

    def note_closing(self, closed_at_ns: int) -> None:
        """Book a pulse's end; the shot is over once its last pulse is."""
        self._closed_at_ns = max(self._closed_at_ns, closed_at_ns)

    def answer(self) -> Ack:
        """FIRED with what happened, or FAILED with nothing."""
        boot_id, seq = self.command.boot_id, self.command.seq
        if not self.was_obeyed or self._opening is None:
            return Ack(boot_id, seq, AckStatus.FAILED, reason=RefusalReason.DRIVER)
        at_ns, travel_um = self._opening.at_ns, self._opening.travel_um
        return Ack(boot_id, seq, AckStatus.FIRED, at_ns, travel_um, max(at_ns, self._closed_at_ns))


def nozzles_of(command: EjectionCommand, pulse: Pulse) -> list[Nozzle]:
    """The nozzles of a pulse."""
    return [(command.station_id, number) for number in range(pulse.first_nozzle, pulse.last_nozzle + 1)]


def runs_of(numbers: list[int]) -> list[tuple[int, int]]:
    """Ascending numbers as runs (first, last) without gaps."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs
