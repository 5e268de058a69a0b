"""The controller: keeps commands until the belt is where they want it, fires them through the gate, answers all.

It knows no socket and no clock: instants and belt readings are arguments. Links, encoders and waiting are the
process's; what may fire is the safety gate's; how valves are reached is the driver's.
"""

from collections import deque
from collections.abc import Container

from actuators.belt_position import instant_of_travel_ns, is_followed, travel_at_um
from actuators.drivers.driver import Actuation, ValveDriver
from actuators.guarded_valves import GuardedValves
from actuators.live_shots import LiveShots
from actuators.nozzle_use import NozzleUse
from actuators.pending_shots import PendingShots
from actuators.safety_gate import STATUS_OF_REASON, GateView, refusal
from actuators.sequence_record import SequenceRecord
from actuators.shot import OpenPulse, Pulse, Shot, ValveResponses
from sorter.model.condition import Mode
from sorter.model.ejection import Ack, EjectionCommand, RefusalReason
from sorter.model.settings import Settings
from sorter.model.tracks import BeltState
from sorter.model.units import mm_to_um, ms_to_ns

_KEPT_RESPONSES = 1000
# A timer is never early and sometimes late: so far behind, a shot still hits what it was meant for.
_LATE_TOLERANCE_UM = mm_to_um(10.0)
# Between two encoder pulses the due instant recedes a little with every reading; half a pulse at 1 m/s ends the chase.
_EARLY_NS = 50_000


class Controller:
    """Turns commands in belt travel into valve movements at the right instant, and answers each exactly once."""

    def __init__(self, settings: Settings, recipe_hash: str, driver: ValveDriver, controller_id: str = "") -> None:
        """Set the controller up; `controller_id` names its life, which commands must name too."""
        self._controller_id = controller_id
        self._valves = GuardedValves(driver)
        self._recipe_hash = recipe_hash
        self._safety = settings.safety
        self._stations = {station.id: station for station in settings.recipe.stations}
        self._responses = ValveResponses(settings.valves, driver.lead_ns)
        self._common_response_ns = ms_to_ns(settings.valves.response_ms) + driver.lead_ns
        self._mode = Mode.IDLE
        self._boot_id: str | None = None
        self._received = SequenceRecord()
        self._fired = SequenceRecord()
        # what the hardware told of each opening since it was last read: how much later than configured
        self.responses: deque[tuple[str, Pulse, int]] = deque(maxlen=_KEPT_RESPONSES)
        # bounded by the gate, which refuses what is too much
        self._pending = PendingShots()
        self._live = LiveShots(ms_to_ns(settings.safety.max_open_ms), ms_to_ns(settings.safety.duty_window_ms))

    @property
    def mode(self) -> Mode:
        """The mode it was last told; Idle before."""
        return self._mode

    @property
    def pending_count(self) -> int:
        """How many commands wait for the belt."""
        return len(self._pending)

    @property
    def use(self) -> NozzleUse:
        """What each nozzle has been doing."""
        return self._live.use

    @property
    def trouble(self) -> str | None:
        """What the valves did not do, None while they obey."""
        return self._valves.trouble

    def set_mode(self, mode: Mode, now_ns: int) -> list[Ack]:
        """Follow the line's mode; leaving Execute closes all valves and answers what was pending."""
        was_executing, self._mode = self._mode is Mode.EXECUTE, mode
        if was_executing and mode is not Mode.EXECUTE:
            return self._void(RefusalReason.MODE, now_ns)
        return []

    def set_boot_id(self, boot_id: str, now_ns: int) -> list[Ack]:
        """Follow the sorter's life; a new one voids commands and mode of the one before."""
        if boot_id == self._boot_id:
            return []
        if self._boot_id is not None:
            self._mode = Mode.IDLE
        self._boot_id = boot_id
        self._received, self._fired = SequenceRecord(), SequenceRecord()
        return self._void(RefusalReason.WRONG_BOOT, now_ns)

    def receive(self, command: EjectionCommand, belt: BeltState | None, now_ns: int) -> list[Ack]:
        """Take a command: refused at once by the gate, or kept until the belt is there."""
        response_ns = self._responses.response_ns(command.station_id, command.first_nozzle)
        reason = refusal(command, self._view(belt, now_ns, self._received, response_ns))
        if command.boot_id == self._boot_id:
            self._received.add(command.seq)
        if reason is not None:
            return [_refused(command, reason)]
        self._pending.add(Shot(command, self._responses.pulses(command)))
        return []

    def step(self, belt: BeltState | None, now_ns: int) -> list[Ack]:
        """Fire and close what is due by now; returns the final answers.

        Firing comes before closing, so that a nozzle that the next shot needs stays open.
        """
        self._valves.retry(now_ns)
        expired = [_refused(shot.command, RefusalReason.EXPIRED) for shot in self._pending.remove_expired(now_ns)]
        refused = self._fire_due(belt, now_ns)
        self._open_waiting(belt, now_ns)
        self._close_due(belt, now_ns)
        return [*expired, *refused, *(shot.answer() for shot in self._live.remove_over())]

    def next_due_ns(self, belt: BeltState | None, now_ns: int) -> int | None:
        """When to step next if the belt keeps its speed; None when only a moving belt or a command can change that."""
        instants_ns = [self._close_due_ns(shot, pulse, belt, now_ns) for shot in self._live for pulse in shot.open]
        if belt is not None and is_followed(belt, now_ns):
            waiting = [*self._pending.heads(), *(shot for shot in self._live if shot.waiting)]
            instants_ns += [_energise_ns(shot, shot.waiting[0], belt) for shot in waiting]
        return min(instants_ns, default=None)

    def close_all(self, now_ns: int) -> list[Ack]:
        """Close all valves and void what is pending, whose answer is REFUSED_STALE: for a lost link and the end."""
        return self._void(RefusalReason.LINK_LOST, now_ns)

    def _void(self, reason: RefusalReason, now_ns: int) -> list[Ack]:
        closing = self._valves.close_all(now_ns)
        closed_at_ns = closing.at_ns if closing is not None else now_ns + self._common_response_ns
        live = self._live.remove_all(now_ns)
        for shot in live:
            shot.note_closing(closed_at_ns)
        pending = self._pending.remove_all()
        return [*(shot.answer() for shot in live), *(_refused(shot.command, reason) for shot in pending)]

    def _fire_due(self, belt: BeltState | None, now_ns: int) -> list[Ack]:
        """Ask the gate for every shot whose first pulse is due, in the order of their instants."""
        acks: list[Ack] = []
        while belt is not None and is_followed(belt, now_ns) and (shot := self._next_pending(belt)) is not None:
            if _energise_ns(shot, shot.waiting[0], belt) > now_ns + _EARLY_NS:
                break
            self._pending.remove(shot)
            view = self._view(belt, now_ns, self._fired, shot.longest_response_ns, is_firing=True)
            reason = refusal(shot.command, view)
            if reason is not None:
                acks.append(_refused(shot.command, reason))
                continue
            self._fired.add(shot.command.seq)
            self._live.add(shot)
            self._open(shot, shot.waiting[0], belt, now_ns)
        return acks

    def _next_pending(self, belt: BeltState) -> Shot | None:
        return min(self._pending.heads(), key=lambda shot: _energise_ns(shot, shot.waiting[0], belt), default=None)

    def _open_waiting(self, belt: BeltState | None, now_ns: int) -> None:
        """Energise the faster valves of shots whose slower ones are on their way already."""
        if belt is None or not is_followed(belt, now_ns):
            return
        for shot in self._live:
            for pulse in list(shot.waiting):
                if shot.was_obeyed and _energise_ns(shot, pulse, belt) <= now_ns + _EARLY_NS:
                    self._open(shot, pulse, belt, now_ns)

    def _open(self, shot: Shot, pulse: Pulse, belt: BeltState, now_ns: int) -> None:
        opened = self._live.energise(shot, pulse, now_ns)
        command, limit_ns = shot.command, opened.close_by_ns - now_ns
        obeyed, told = self._valves.open(command.station_id, pulse.first_nozzle, pulse.last_nozzle, now_ns, limit_ns)
        if not obeyed:
            # how far the hardware got is unknown: end the whole shot at once, so that its nozzles are closed
            shot.was_obeyed = False
            shot.waiting.clear()
            for each in list(shot.open):
                self._close(shot, each, now_ns)
            return
        if told is not None:
            self.responses.append((command.station_id, pulse, told.at_ns - now_ns - pulse.response_ns))
        # where the hardware tells nothing of its opening, the nominal response is taken
        at_ns = told.at_ns if told is not None else now_ns + pulse.response_ns
        travel_um = told.travel_um if told is not None else None
        shot.note_opening(Actuation(at_ns, travel_at_um(belt, at_ns) if travel_um is None else travel_um))

    def _close_due(self, belt: BeltState | None, now_ns: int) -> None:
        for shot in self._live:
            for opened in list(shot.open):
                if self._close_due_ns(shot, opened, belt, now_ns) <= now_ns + _EARLY_NS:
                    self._close(shot, opened, now_ns)
            if shot.waiting and not shot.open and now_ns > shot.command.valid_until_ns:
                shot.waiting.clear()

    def _close(self, shot: Shot, opened: OpenPulse, now_ns: int) -> None:
        """Close what no other shot needs."""
        shot.note_closing(now_ns)
        for first, last in self._live.end(shot, opened, now_ns):
            closing = self._valves.close(shot.command.station_id, first, last, now_ns)
            shot.note_closing(closing.at_ns if closing is not None else now_ns + opened.pulse.response_ns)

    def _close_due_ns(self, shot: Shot, opened: OpenPulse, belt: BeltState | None, now_ns: int) -> int:
        if belt is None or not is_followed(belt, now_ns):
            return opened.close_by_ns
        ends_ns = instant_of_travel_ns(belt, shot.command.close_at_travel_um) - opened.pulse.response_ns
        return min(opened.close_by_ns, ends_ns)

    def _view(
        self,
        belt: BeltState | None,
        now_ns: int,
        seen: Container[int],
        response_ns: int,
        *,
        is_firing: bool = False,
    ) -> GateView:
        return GateView(
            mode=self._mode,
            boot_id=self._boot_id,
            controller_id=self._controller_id,
            recipe_hash=self._recipe_hash,
            seen=seen,
            belt=belt,
            now_ns=now_ns,
            response_ns=response_ns,
            late_tolerance_um=_LATE_TOLERANCE_UM if is_firing else 0,
            stations=self._stations,
            safety=self._safety,
            use=self._live.use,
            is_in_trouble=self._valves.trouble is not None,
            pending_count=len(self._pending),
            is_firing=is_firing,
        )


def _energise_ns(shot: Shot, pulse: Pulse, belt: BeltState) -> int:
    """When a valve must be told to move so that it has moved as the belt reaches the shot's travel."""
    return instant_of_travel_ns(belt, shot.command.open_at_travel_um) - pulse.response_ns


def _refused(command: EjectionCommand, reason: RefusalReason) -> Ack:
    return Ack(command.boot_id, command.seq, STATUS_OF_REASON[reason], reason=reason)
