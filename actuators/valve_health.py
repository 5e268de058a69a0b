"""The valves' health: what each nozzle has done, how it answers, whether its shots hit, and the air that was used.

Hits, and items that left without a shot, come from whatever sees them behind the bars: the simulated world. Valve
hardware does not, so on a real line no nozzle is suspected before a sensor stands there.
"""

from collections import deque

from actuators.blow import Blow, blow_of
from actuators.nozzle_odds import NozzleOdds
from actuators.nozzle_use import Nozzle, NozzleUse
from actuators.stray_items import StrayItems
from sorter.model.condition import NozzleReport, ValveReport
from sorter.model.ejection import Ack, EjectionCommand, ItemOutcome, Outcomes
from sorter.model.settings import Settings
from sorter.model.units import NS_PER_MS

_KEPT_COUNT = 1000
# A shot may miss with the best of nozzles: an item turns over, lies at the jet's edge, or was no item.
_MOST_HIT_RATIO = 0.95
_DRIFT_WEIGHT = 0.1


class ValveHealth:
    """Collects; `report` tells."""

    def __init__(self, settings: Settings) -> None:
        self._air_l_per_ms = settings.valves.air_l_per_ms
        # of the shots that a nozzle stood in the middle of, those that hit anything
        self._hits = NozzleOdds()
        self._stray_items = StrayItems(settings)
        self._drift_ms: dict[Nozzle, float] = {}
        self._stations = {station.id: station for station in settings.recipe.stations}
        self._fired: deque[Blow] = deque(maxlen=_KEPT_COUNT)
        self._taken: deque[ItemOutcome] = deque(maxlen=_KEPT_COUNT)

    def note_fired(self, command: EjectionCommand, ack: Ack) -> None:
        """Remember a shot by where it opened, until it is known what it hit."""
        if ack.opened_at_travel_um is not None:
            blow = blow_of(command, ack.opened_at_travel_um)
            self._fired.append(blow)
            self._stray_items.note_shot(blow)

    def note_by_hand(self, nozzle: Nozzle, travel_um: int) -> None:
        """Note that somebody holds a nozzle open just now: what leaves there is no sign of anything."""
        self._stray_items.note_by_hand(nozzle, travel_um)

    def note_response(self, nozzle: Nozzle, difference_ns: int) -> None:
        """Note how much later than configured a nozzle moved; a running mean is kept."""
        difference_ms = difference_ns / NS_PER_MS
        before_ms = self._drift_ms.get(nozzle, difference_ms)
        self._drift_ms[nozzle] = before_ms + _DRIFT_WEIGHT * (difference_ms - before_ms)

    def note_outcomes(self, outcomes: Outcomes) -> None:
        """Count hits and misses for the nozzles in the middle of the shots, and what left the belt without a shot."""
        self._taken += [item for item in outcomes.items if item.station_id is not None]
        blows = {(blow.station_id, blow.from_um): blow for blow in self._fired}
        for shot in outcomes.shots:
            blow = blows.get((shot.station_id, shot.open_at_travel_um))
            if blow is not None and (shot.hit_count > 0 or not self._came_too_late(blow)):
                middle = (blow.first_nozzle + blow.last_nozzle) // 2
                self._hits.note((blow.station_id, middle), has_happened=shot.hit_count > 0)
        self._stray_items.note_outcomes(outcomes)

    def report(self, use: NozzleUse, now_ns: int) -> ValveReport:
        """The health of every nozzle that has fired, and of those that blow though they have not."""
        stuck_open = self._stray_items.stuck_open_nozzles()
        on_ms = {nozzle: total_ns / NS_PER_MS for nozzle, total_ns in use.total_on_ns.items()}
        return ValveReport(
            measured_at_ns=now_ns,
            nozzles=tuple(
                self._nozzle(nozzle, use, on_ms.get(nozzle, 0.0), now_ns, is_stuck_open=nozzle in stuck_open)
                for nozzle in sorted(use.shot_counts.keys() | stuck_open)
            ),
            air_l=sum(on_ms.values()) * self._air_l_per_ms,
            open_count=len(use.open_nozzles),
        )

    def _came_too_late(self, blow: Blow) -> bool:
        """Whether what a shot was meant for had left further upstream, so that its miss says nothing of its nozzle."""
        station = self._stations.get(blow.station_id)
        if station is None:
            return False
        upstream = {each.id for each in self._stations.values() if each.offset_mm < station.offset_mm}
        return any(item.station_id in upstream and blow.was_near(item, station) for item in self._taken)

    def _nozzle(
        self, nozzle: Nozzle, use: NozzleUse, on_time_ms: float, now_ns: int, *, is_stuck_open: bool
    ) -> NozzleReport:
        suspicion = "dead" if self._hits.rare_at(nozzle, _MOST_HIT_RATIO) else None
        return NozzleReport(
            station_id=nozzle[0],
            nozzle=nozzle[1],
            shot_count=use.shot_counts.get(nozzle, 0),
            on_time_ms=on_time_ms,
            duty_ratio=use.on_time_ns(nozzle, now_ns) / use.window_ns,
            response_drift_ms=self._drift_ms.get(nozzle),
            suspicion="stuck_open" if is_stuck_open else suspicion,
        )
