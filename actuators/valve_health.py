"""The valves' health: what each nozzle has done, how it answers, whether its shots hit, and the air that was used.

Hits come from whatever sees them: the simulated world, later the audit of a sorted stream.
"""

import math
from collections import deque

import msgspec

from actuators.nozzle_use import Nozzle, NozzleUse
from sorter.model.condition import NozzleReport, ValveReport
from sorter.model.ejection import Ack, EjectionCommand, Outcomes
from sorter.model.settings import Settings
from sorter.model.units import NS_PER_MS

# A nozzle is suspected when its misses would be as many by chance once in so many.
_CHANCE = 1e-4
_KEPT_COUNT = 1000
_DRIFT_WEIGHT = 0.1


class _Hits(msgspec.Struct):
    """Shots that a nozzle stood in the middle of, and how many of them hit anything."""

    shot_count: int = 0
    hit_count: int = 0


class ValveHealth:
    """Collects; `report` tells."""

    def __init__(self, settings: Settings) -> None:
        self._air_l_per_ms = settings.valves.air_l_per_ms
        self._hits: dict[Nozzle, _Hits] = {}
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
                hits = self._hits.setdefault(nozzle, _Hits())
                hits.shot_count += 1
                hits.hit_count += shot.hit_count > 0

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
            suspicion="dead" if self._seems_dead(nozzle) else None,
        )

    def _seems_dead(self, nozzle: Nozzle) -> bool:
        """Whether so many misses in a row of shots are too many to be chance, as all nozzles together hit."""
        own = self._hits.get(nozzle)
        others = [hits for each, hits in self._hits.items() if each != nozzle]
        shot_count, hit_count = sum(each.shot_count for each in others), sum(each.hit_count for each in others)
        if own is None or shot_count == 0 or hit_count == 0:
            return False
        return chance_of_so_few(own.hit_count, own.shot_count, hit_count / shot_count) < _CHANCE


def chance_of_so_few(hit_count: int, shot_count: int, hit_ratio: float) -> float:
    """The probability of at most so many hits, if each shot hits with that probability (binomial distribution)."""
    missed_ratio = 1.0 - hit_ratio
    return sum(
        math.comb(shot_count, hits) * hit_ratio**hits * missed_ratio ** (shot_count - hits)
        for hits in range(hit_count + 1)
    )
