"""The last gate before hardware: says why a command must not fire, or that nothing speaks against it.

It takes values and returns a value. When to ask, and what to do with the answer, is the controller's.
"""

from collections.abc import Callable, Container, Mapping

import msgspec

from actuators.nozzle_use import Nozzle, NozzleUse
from sorter.model.condition import Mode
from sorter.model.ejection import AckStatus, EjectionCommand, RefusalReason
from sorter.model.settings import SafetySettings, StationSettings
from sorter.model.tracks import BeltState
from sorter.model.units import NS_PER_S, mm_to_um, ms_to_ns, travel_after_um

MAX_PENDING_COUNT = 4096

STATUS_OF_REASON: dict[RefusalReason, AckStatus] = {
    RefusalReason.MODE: AckStatus.REFUSED_MODE,
    RefusalReason.WRONG_BOOT: AckStatus.REFUSED_STALE,
    RefusalReason.WRONG_RECIPE: AckStatus.REFUSED_STALE,
    RefusalReason.EXPIRED: AckStatus.REFUSED_STALE,
    RefusalReason.LINK_LOST: AckStatus.REFUSED_STALE,
    RefusalReason.DUPLICATE: AckStatus.REFUSED_DUPLICATE,
    RefusalReason.UNKNOWN_STATION: AckStatus.REFUSED_LIMIT,
    RefusalReason.NOZZLE_RANGE: AckStatus.REFUSED_LIMIT,
    RefusalReason.BLAST_LENGTH: AckStatus.REFUSED_LIMIT,
    RefusalReason.QUEUE_FULL: AckStatus.REFUSED_LIMIT,
    RefusalReason.AIR_SUPPLY: AckStatus.REFUSED_LIMIT,
    RefusalReason.ON_TIME: AckStatus.REFUSED_LIMIT,
    RefusalReason.DUTY: AckStatus.REFUSED_LIMIT,
    RefusalReason.REST: AckStatus.REFUSED_LIMIT,
    RefusalReason.LATE: AckStatus.REFUSED_LATE,
    RefusalReason.DRIVER: AckStatus.FAILED,
    RefusalReason.UNANSWERED: AckStatus.FAILED,
}


class GateView(msgspec.Struct, frozen=True):
    """What the gate looks at, as it is at one instant.

    Attributes:
        mode: the line's mode as far as the controller has been told.
        boot_id: the sorter's present life, None before the first contact.
        controller_id: this controller's present life.
        recipe_hash: the recipe that the controller was configured with.
        seen: sequence numbers that must not pass again.
        belt: the newest reading of the belt, None before the first.
        now_ns: the present instant.
        response_ns: from energising a valve to its opening.
        late_tolerance_um: how far behind the commanded travel an opening may come.
        stations: the stations by id.
        safety: the limits.
        use: what is open, and for how long each nozzle has been.
        is_in_trouble: whether valves did not obey and may stand open.
        pending_count: commands that wait to be fired.
        is_firing: True when valves would be energised now. On arrival the belt's speed at firing is not known yet, so
            what depends on time held open is asked at firing alone.
    """

    mode: Mode
    boot_id: str | None
    controller_id: str
    recipe_hash: str
    seen: Container[int]
    belt: BeltState | None
    now_ns: int
    response_ns: int
    late_tolerance_um: int
    stations: Mapping[str, StationSettings]
    safety: SafetySettings
    use: NozzleUse
    is_in_trouble: bool
    pending_count: int
    is_firing: bool


def refusal(command: EjectionCommand, view: GateView) -> RefusalReason | None:
    """Why a command must not fire, None when it may: the first rule of the list that speaks against it."""
    for reason, forbids in _RULES:
        if forbids(command, view):
            return reason
    return None


def _is_wrong_mode(_command: EjectionCommand, view: GateView) -> bool:
    return view.mode is not Mode.EXECUTE


def _is_in_trouble(_command: EjectionCommand, view: GateView) -> bool:
    return view.is_in_trouble


def _is_wrong_boot(command: EjectionCommand, view: GateView) -> bool:
    return command.boot_id != view.boot_id or command.controller_id != view.controller_id


def _is_wrong_recipe(command: EjectionCommand, view: GateView) -> bool:
    return command.recipe_hash != view.recipe_hash


def _is_expired(command: EjectionCommand, view: GateView) -> bool:
    return view.now_ns > command.valid_until_ns


def _is_seen(command: EjectionCommand, view: GateView) -> bool:
    return command.seq in view.seen


def _is_unknown_station(command: EjectionCommand, view: GateView) -> bool:
    return command.station_id not in view.stations


def _is_beyond_bar(command: EjectionCommand, view: GateView) -> bool:
    count = view.stations[command.station_id].nozzle_count
    return not 0 <= command.first_nozzle <= command.last_nozzle < count


def _is_no_blast(command: EjectionCommand, view: GateView) -> bool:
    return not 0 < _blast_um(command) <= mm_to_um(view.safety.max_blast_mm)


def _is_queue_full(_command: EjectionCommand, view: GateView) -> bool:
    return view.pending_count >= MAX_PENDING_COUNT


def _needs_too_much_air(command: EjectionCommand, view: GateView) -> bool:
    return len(_nozzles(command) | view.use.open_nozzles) > view.safety.max_open_nozzles


def _is_open_too_long(command: EjectionCommand, view: GateView) -> bool:
    """Whether a nozzle would be open for longer than allowed, shots that hold it already included."""
    planned_ns = _planned_open_ns(command, view)
    if planned_ns is None:
        return False
    held_ns = max(view.use.held_ns(nozzle, view.now_ns) for nozzle in _nozzles(command))
    return held_ns + planned_ns > ms_to_ns(view.safety.max_open_ms)


def _is_duty_exceeded(command: EjectionCommand, view: GateView) -> bool:
    """Whether a nozzle would have been open for more than its share of the duty window."""
    planned_ns = _planned_open_ns(command, view)
    if planned_ns is None:
        return False
    used_ns = max(view.use.on_time_ns(nozzle, view.now_ns) for nozzle in _nozzles(command))
    return used_ns + planned_ns > view.safety.max_duty_ratio * ms_to_ns(view.safety.duty_window_ms)


def _is_resting(command: EjectionCommand, view: GateView) -> bool:
    if not view.is_firing:
        return False
    rest_ns = ms_to_ns(view.stations[command.station_id].min_rest_ms)
    return any(view.use.is_resting(nozzle, rest_ns, view.now_ns) for nozzle in _nozzles(command))


def _is_late(command: EjectionCommand, view: GateView) -> bool:
    """Whether a valve energised now would open behind the commanded travel; unknown travel is never late."""
    if view.belt is None:
        return False
    until_open_ns = view.now_ns - view.belt.measured_at_ns + view.response_ns
    earliest_um = view.belt.travel_um + travel_after_um(view.belt.speed_um_s, until_open_ns)
    return earliest_um > command.open_at_travel_um + view.late_tolerance_um


def _planned_open_ns(command: EjectionCommand, view: GateView) -> int | None:
    """How long the shot lasts at the present speed; None unless it is to be fired on a moving belt."""
    if not view.is_firing or view.belt is None or view.belt.speed_um_s <= 0:
        return None
    return _blast_um(command) * NS_PER_S // view.belt.speed_um_s


def _blast_um(command: EjectionCommand) -> int:
    return command.close_at_travel_um - command.open_at_travel_um


def _nozzles(command: EjectionCommand) -> set[Nozzle]:
    return {(command.station_id, nozzle) for nozzle in range(command.first_nozzle, command.last_nozzle + 1)}


# In this order: later rules rest on earlier ones, such as a station that exists and a range that is not empty.
_RULES: tuple[tuple[RefusalReason, Callable[[EjectionCommand, GateView], bool]], ...] = (
    (RefusalReason.MODE, _is_wrong_mode),
    (RefusalReason.DRIVER, _is_in_trouble),
    (RefusalReason.WRONG_BOOT, _is_wrong_boot),
    (RefusalReason.WRONG_RECIPE, _is_wrong_recipe),
    (RefusalReason.EXPIRED, _is_expired),
    (RefusalReason.DUPLICATE, _is_seen),
    (RefusalReason.UNKNOWN_STATION, _is_unknown_station),
    (RefusalReason.NOZZLE_RANGE, _is_beyond_bar),
    (RefusalReason.BLAST_LENGTH, _is_no_blast),
    (RefusalReason.QUEUE_FULL, _is_queue_full),
    (RefusalReason.AIR_SUPPLY, _needs_too_much_air),
    (RefusalReason.ON_TIME, _is_open_too_long),
    (RefusalReason.DUTY, _is_duty_exceeded),
    (RefusalReason.REST, _is_resting),
    (RefusalReason.LATE, _is_late),
)
