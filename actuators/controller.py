"""The controller: keeps commands until the belt is where they want it, fires them through the gate, answers all.

It knows no socket and no clock: instants and belt readings are arguments. Links, encoders and waiting are the
process's; what may fire is the safety gate's; how valves are reached is the driver's.
"""

from bisect import insort
from collections.abc import Container

from actuators.belt_position import instant_of_travel_ns, is_followed, travel_at_um
from actuators.drivers.driver import Actuation, ValveDriver
from actuators.errors import DriverError
from actuators.open_shots import OpenShot, OpenShots
from actuators.safety_gate import GateView, refusal
from actuators.sequence_record import SequenceRecord
from sorter.model.condition import Mode
from sorter.model.ejection import Ack, AckStatus, EjectionCommand
from sorter.model.settings import Settings
from sorter.model.tracks import BeltState
from sorter.model.units import mm_to_um, ms_to_ns

# A timer is never early and sometimes late: so far behind, a shot still hits what it was meant for.
_LATE_TOLERANCE_UM = mm_to_um(10.0)
# Between two encoder pulses the due instant recedes a little with every reading; half a pulse at 1 m/s ends the chase.
_EARLY_NS = 50_000


class Controller:
    """Turns commands in belt travel into valve movements at the right instant, and answers each exactly once."""

    def __init__(self, settings: Settings, recipe_hash: str, driver: ValveDriver) -> None:
        self._driver = driver
        self._recipe_hash = recipe_hash
        self._safety = settings.safety
        self._stations = {station.id: station for station in settings.recipe.stations}
        self._response_ns = ms_to_ns(settings.valves.response_ms)
        self._mode = Mode.IDLE
        self._boot_id: str | None = None
        self._received = SequenceRecord()
        self._fired = SequenceRecord()
        # in order of opening travel; bounded by the gate, which refuses what is too much
        self._pending: list[EjectionCommand] = []
        self._open_shots = OpenShots(ms_to_ns(settings.safety.max_open_ms))

    @property
    def mode(self) -> Mode:
        """The mode it was last told; Idle before."""
        return self._mode

    @property
    def pending_count(self) -> int:
        """How many commands wait for the belt."""
        return len(self._pending)

    def set_mode(self, mode: Mode, now_ns: int) -> list[Ack]:
        """Follow the line's mode; leaving Execute closes all valves and answers what was pending."""
        was_executing, self._mode = self._mode is Mode.EXECUTE, mode
        if was_executing and mode is not Mode.EXECUTE:
            return self._void(AckStatus.REFUSED_MODE, now_ns)
        return []

    def set_boot_id(self, boot_id: str, now_ns: int) -> list[Ack]:
        """Follow the sorter's life; a new one voids commands and mode of the one before."""
        if boot_id == self._boot_id:
            return []
        if self._boot_id is not None:
            self._mode = Mode.IDLE
        self._boot_id = boot_id
        self._received, self._fired = SequenceRecord(), SequenceRecord()
        return self._void(AckStatus.REFUSED_STALE, now_ns)

    def receive(self, command: EjectionCommand, belt: BeltState | None, now_ns: int) -> list[Ack]:
        """Take a command: refused at once by the gate, or kept until the belt is there."""
        status = refusal(command, self._view(belt, now_ns, self._received, late_tolerance_um=0))
        if command.boot_id == self._boot_id:
            self._received.add(command.seq)
        if status is not None:
            return [_refused(command, status)]
        insort(self._pending, command, key=_opening_travel_um)
        return []

    def step(self, belt: BeltState | None, now_ns: int) -> list[Ack]:
        """Fire and close what is due by now; returns the final answers.

        Firing comes before closing, so that a nozzle that the next shot needs stays open.
        """
        return [*self._refuse_expired(now_ns), *self._fire_due(belt, now_ns), *self._close_due(belt, now_ns)]

    def next_due_ns(self, belt: BeltState | None, now_ns: int) -> int | None:
        """When to step next if the belt keeps its speed; None when only a moving belt or a command can change that."""
        instants_ns = [self._close_due_ns(shot, belt, now_ns) for shot in self._open_shots]
        if self._pending and belt is not None and is_followed(belt, now_ns):
            instants_ns.append(self._energise_ns(belt, self._pending[0].open_at_travel_um))
        return min(instants_ns, default=None)

    def close_all(self, now_ns: int) -> list[Ack]:
        """Close all valves and void what is pending, whose answer is REFUSED_STALE: for a lost link and the end."""
        return self._void(AckStatus.REFUSED_STALE, now_ns)

    def _void(self, status: AckStatus, now_ns: int) -> list[Ack]:
        closing = self._driver.close_all(now_ns)
        closed_at_ns = closing.at_ns if closing is not None else now_ns + self._response_ns
        fired = [_fired(shot, closed_at_ns) for shot in self._open_shots.remove_all()]
        pending, self._pending = self._pending, []
        return [*fired, *(_refused(command, status) for command in pending)]

    def _refuse_expired(self, now_ns: int) -> list[Ack]:
        expired = [command for command in self._pending if now_ns > command.valid_until_ns]
        if expired:
            self._pending = [command for command in self._pending if now_ns <= command.valid_until_ns]
        return [_refused(command, AckStatus.REFUSED_STALE) for command in expired]

    def _fire_due(self, belt: BeltState | None, now_ns: int) -> list[Ack]:
        if belt is None or not is_followed(belt, now_ns):
            return []
        acks: list[Ack] = []
        while self._pending and self._is_due(belt, self._pending[0].open_at_travel_um, now_ns):
            acks += self._fire(self._pending.pop(0), belt, now_ns)
        return acks

    def _fire(self, command: EjectionCommand, belt: BeltState, now_ns: int) -> list[Ack]:
        status = refusal(command, self._view(belt, now_ns, self._fired, _LATE_TOLERANCE_UM))
        if status is not None:
            return [_refused(command, status)]
        self._fired.add(command.seq)
        try:
            opening = self._driver.open(command.station_id, command.first_nozzle, command.last_nozzle, now_ns)
        except DriverError:
            # how far the hardware got is unknown: enter the shot and end it at once, so that its nozzles are closed
            self._end(self._enter(command, None, belt, now_ns), now_ns)
            return [_refused(command, AckStatus.FAILED)]
        self._enter(command, opening, belt, now_ns)
        return []

    def _enter(self, command: EjectionCommand, opening: Actuation | None, belt: BeltState, now_ns: int) -> OpenShot:
        """Book a shot; where the hardware tells nothing of its opening, the nominal response is taken."""
        at_ns = opening.at_ns if opening is not None else now_ns + self._response_ns
        known_um = opening.travel_um if opening is not None else None
        travel_um = known_um if known_um is not None else travel_at_um(belt, at_ns)
        return self._open_shots.add(command, at_ns, travel_um, now_ns)

    def _close_due(self, belt: BeltState | None, now_ns: int) -> list[Ack]:
        due = [shot for shot in self._open_shots if self._close_due_ns(shot, belt, now_ns) <= now_ns + _EARLY_NS]
        return [_fired(shot, self._end(shot, now_ns)) for shot in due]

    def _end(self, shot: OpenShot, now_ns: int) -> int:
        """Close what no other shot needs; returns when the last of it has closed."""
        closed_at_ns = shot.opened_at_ns
        for first, last in self._open_shots.remove(shot):
            closing = self._driver.close(shot.command.station_id, first, last, now_ns)
            closed_at_ns = max(closed_at_ns, closing.at_ns if closing is not None else now_ns + self._response_ns)
        return closed_at_ns

    def _close_due_ns(self, shot: OpenShot, belt: BeltState | None, now_ns: int) -> int:
        if belt is None or not is_followed(belt, now_ns):
            return shot.close_by_ns
        return min(shot.close_by_ns, self._energise_ns(belt, shot.command.close_at_travel_um))

    def _is_due(self, belt: BeltState, travel_um: int, now_ns: int) -> bool:
        return self._energise_ns(belt, travel_um) <= now_ns + _EARLY_NS

    def _energise_ns(self, belt: BeltState, travel_um: int) -> int:
        """When a valve must be told to move so that it has moved as the belt reaches a travel."""
        return instant_of_travel_ns(belt, travel_um) - self._response_ns

    def _view(self, belt: BeltState | None, now_ns: int, seen: Container[int], late_tolerance_um: int) -> GateView:
        return GateView(
            mode=self._mode,
            boot_id=self._boot_id,
            recipe_hash=self._recipe_hash,
            seen=seen,
            belt=belt,
            now_ns=now_ns,
            response_ns=self._response_ns,
            late_tolerance_um=late_tolerance_um,
            stations=self._stations,
            safety=self._safety,
            open_nozzles=self._open_shots.nozzles,
            pending_count=len(self._pending),
        )


def _opening_travel_um(command: EjectionCommand) -> int:
    return command.open_at_travel_um


def _refused(command: EjectionCommand, status: AckStatus) -> Ack:
    return Ack(command.boot_id, command.seq, status)


def _fired(shot: OpenShot, closed_at_ns: int) -> Ack:
    return Ack(
        boot_id=shot.command.boot_id,
        seq=shot.command.seq,
        status=AckStatus.FIRED,
        opened_at_ns=shot.opened_at_ns,
        opened_at_travel_um=shot.opened_at_travel_um,
        closed_at_ns=closed_at_ns,
    )
