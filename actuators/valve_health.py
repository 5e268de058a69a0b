"""The valves' health: what each nozzle has done, how it answers, whether its shots hit, and the air that was used.

Hits come from whatever sees them: the simulated world, later the audit of a sorted stream.
"""

from collections import deque

from actuators.nozzle_odds import NozzleOdds
from actuators.nozzle_use import Nozzle, NozzleUse
from sorter.model.condition import NozzleReport, ValveReport
from sorter.model.ejection import Ack, EjectionCommand, Outcomes
from sorter.model.settings import Settings
from sorter.model.units import NS_PER_MS

_KEPT_COUNT = 1000
_DRIFT_WEIGHT = 0.1


class ValveHealth:
    """Collects; `report` tells."""

    def __init__(self, settings: Settings) -> None:
        self._air_l_per_ms = settings.valves.air_l_per_ms
        # of the shots that a nozzle stood in the middle of, those that hit anything
        self._hits = NozzleOdds()
        self._drift_ms: dict[Nozzle, float] = {}
        self._fired: deque[tuple[str, int, Nozzle]] = deque(maxlen=_KEPT_COUNT)

    def note_fired(self, command: EjectionCommand, ack: Ack) -> None:
        """Remember a shot by where it opened, until it is known what it hit."""
        middle = (command.station_id, (command.first_nozzle + command.last_nozzle) // 2)
        if ack.opened_at_travel_um is not None:
            self._fired.append((command.station_id, ack.opened_at_travel_um, middle))

    def note_response(self, nozzle: Nozzle, difference_ns: int) -> None:
        """Note how much later than configured a nozzle moved; a running mean is kept."""
        difference_ms = difference_ns / NS_PER_MS
        before_ms = self._drift_ms.get(nozzle, difference_ms)
        self._drift_ms[nozzle] = before_ms + _DRIFT_WEIGHT * (difference_ms - before_ms)

    def note_outcomes(self, outcomes: Outcomes) -> None:
        """Count hits and misses for the nozzles in the middle of the shots."""
        middles = {(station_id, travel_um): nozzle for station_id, travel_um, nozzle in self._fired}
        for shot in outcomes.shots:
            nozzle = middles.get((shot.station_id, shot.open_at_travel_um))
            if nozzle is not None:
                self._hits.note(nozzle, has_happened=shot.hit_count > 0)

    def report(self, use: NozzleUse, now_ns: int) -> ValveReport:
        """The health of every nozzle that has fired."""
        on_ms = {nozzle: total_ns / NS_PER_MS for nozzle, total_ns in use.total_on_ns.items()}
        return ValveReport(
            measured_at_ns=now_ns,
            nozzles=tuple(
                self._nozzle(nozzle, use, on_ms.get(nozzle, 0.0), now_ns) for nozzle in sorted(use.shot_counts)
            ),
            air_l=sum(on_ms.values()) * self._air_l_per_ms,
            open_count=len(use.open_nozzles),
        )

    def _nozzle(self, nozzle: Nozzle, use: NozzleUse, on_time_ms: float, now_ns: int) -> NozzleReport:
        return NozzleReport(
            station_id=nozzle[0],
            nozzle=nozzle[1],
            shot_count=use.shot_counts[nozzle],
            on_time_ms=on_time_ms,
            duty_ratio=use.on_time_ns(nozzle, now_ns) / use.window_ns,
            response_drift_ms=self._drift_ms.get(nozzle),
            suspicion="dead" if self._hits.rare_at(nozzle) else None,
        )
