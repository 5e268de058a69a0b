"""The last gate before hardware: says why a command must not fire, or that nothing speaks against it.

It takes values and returns a value. When to ask, and what to do with the answer, is the controller's.
"""

from collections.abc import Collection, Container, Mapping

import msgspec

from sorter.model.condition import Mode
from sorter.model.ejection import AckStatus, EjectionCommand
from sorter.model.settings import SafetySettings, StationSettings
from sorter.model.tracks import BeltState
from sorter.model.units import mm_to_um, travel_after_um

MAX_PENDING_COUNT = 4096

Nozzle = tuple[str, int]


class GateView(msgspec.Struct, frozen=True):
    """What the gate looks at, as it is at one instant.

    Attributes:
        mode: the line's mode as far as the controller has been told.
        boot_id: the sorter's present life, None before the first contact.
        recipe_hash: the recipe that the controller was configured with.
        seen: sequence numbers that must not pass again.
        belt: the newest reading of the belt, None before the first.
        now_ns: the present instant.
        response_ns: from energising a valve to its opening.
        late_tolerance_um: how far behind the commanded travel an opening may come.
        stations: the stations by id.
        safety: the limits.
        open_nozzles: what is open now, so that the air supply holds.
        pending_count: commands that wait to be fired.
    """

    mode: Mode
    boot_id: str | None
    recipe_hash: str
    seen: Container[int]
    belt: BeltState | None
    now_ns: int
    response_ns: int
    late_tolerance_um: int
    stations: Mapping[str, StationSettings]
    safety: SafetySettings
    open_nozzles: Collection[Nozzle]
    pending_count: int


def refusal(command: EjectionCommand, view: GateView) -> AckStatus | None:
    """Why a command must not fire, None when it may."""
    if view.mode is not Mode.EXECUTE:
        return AckStatus.REFUSED_MODE
    if _is_stale(command, view):
        return AckStatus.REFUSED_STALE
    if command.seq in view.seen:
        return AckStatus.REFUSED_DUPLICATE
    if _breaks_a_limit(command, view):
        return AckStatus.REFUSED_LIMIT
    if _is_late(command, view):
        return AckStatus.REFUSED_LATE
    return None


def _is_stale(command: EjectionCommand, view: GateView) -> bool:
    return (
        command.boot_id != view.boot_id
        or command.recipe_hash != view.recipe_hash
        or view.now_ns > command.valid_until_ns
    )


def _breaks_a_limit(command: EjectionCommand, view: GateView) -> bool:
    station = view.stations.get(command.station_id)
    if station is None or not 0 <= command.first_nozzle <= command.last_nozzle < station.nozzle_count:
        return True
    blast_um = command.close_at_travel_um - command.open_at_travel_um
    if not 0 < blast_um <= mm_to_um(view.safety.max_blast_mm):
        return True
    return _needs_too_much(command, view)


def _needs_too_much(command: EjectionCommand, view: GateView) -> bool:
    nozzles = {(command.station_id, nozzle) for nozzle in range(command.first_nozzle, command.last_nozzle + 1)}
    open_count = len(nozzles.union(view.open_nozzles))
    return open_count > view.safety.max_open_nozzles or view.pending_count >= MAX_PENDING_COUNT


def _is_late(command: EjectionCommand, view: GateView) -> bool:
    """Whether a valve energised now would open behind the commanded travel; unknown travel is never late."""
    if view.belt is None:
        return False
    until_open_ns = view.now_ns - view.belt.measured_at_ns + view.response_ns
    earliest_um = view.belt.travel_um + travel_after_um(view.belt.speed_um_s, until_open_ns)
    return earliest_um > command.open_at_travel_um + view.late_tolerance_um
