"""The scorecard: how well a stretch of belt was sorted, from what was decided, answered and, in simulation, hit.

Definitions, per station and over all, for items whose centre lies in the scored stretch of belt and that no seam of a
belt strip cuts:

- recovery: target items ejected by the station ÷ target items on the belt that entered the line (so a target that an
  earlier station took by mistake is lost);
- purity: target items in the station's ejected stream ÷ all items in it;
- missed window: commands refused, failed, or opened more than `MISSED_WINDOW_UM` from the commanded travel ÷ commands;
- placement error: |travel at opening − commanded travel|, mm;
- count error: |items counted − items on the belt| ÷ items on the belt, seam-cut items included in both;
- frame to command: exposure of the frame that led to the decision → command sent, ms.

Intervals are Wilson score intervals at 95 % (Wilson 1927); an item is the unit.
"""

import heapq
import itertools
import math
from collections import Counter

from sorter.model.ejection import NO_ITEM_REASONS, Ack, AckStatus, Decision, EjectionCommand, ItemOutcome, Outcomes
from sorter.model.histogram import Histogram
from sorter.model.settings import RecipeSettings
from sorter.model.statistics import Estimate, Figures, StationFigures
from sorter.model.units import NS_PER_MS, UM_PER_MM, mm_to_um

MISSED_WINDOW_UM = mm_to_um(15.0)
_Z_95 = 1.959963984540054
# percentiles are true to half a bucket, 0.5 %
_BUCKETS_PER_DECADE = 250


def wilson_interval(success_count: float, total_count: int) -> Estimate:
    """A share with its 95 % Wilson score interval; value None and interval 0..1 when nothing was counted.

    Expected counts need not be whole.
    """
    if total_count == 0:
        return Estimate(None, 0.0, 1.0)
    share = success_count / total_count
    z2_n = _Z_95**2 / total_count
    centre = (share + z2_n / 2) / (1 + z2_n)
    half = _Z_95 / (1 + z2_n) * math.sqrt(share * (1 - share) / total_count + z2_n / (4 * total_count))
    return Estimate(share, max(0.0, centre - half), min(1.0, centre + half))


class _Tally:
    """Counts of one station, by number and by mass."""

    def __init__(self) -> None:
        self.presented_count = 0
        self.ejected_count = 0
        self.target_count = 0
        self.empty_shot_count = 0
        self.presented_g = 0.0
        self.ejected_g = 0.0
        self.target_g = 0.0

    def add_item(self, mass_g: float, *, is_wanted: bool, is_ejected: bool, is_right: bool) -> None:
        self.presented_count += is_wanted
        self.presented_g += mass_g * is_wanted
        self.ejected_count += is_ejected
        self.ejected_g += mass_g * is_ejected
        self.target_count += is_right
        self.target_g += mass_g * is_right

    def figures(self) -> StationFigures:
        shot_items = self.ejected_count + self.empty_shot_count
        return StationFigures(
            recovery=wilson_interval(self.target_count, self.presented_count),
            purity=wilson_interval(self.target_count, self.ejected_count),
            presented_count=self.presented_count,
            ejected_count=self.ejected_count,
            target_ejected_count=self.target_count,
            empty_shot_count=self.empty_shot_count,
            recovery_by_mass=self.target_g / self.presented_g if self.presented_g else None,
            purity_by_mass=self.target_g / self.ejected_g if self.ejected_g else None,
            purity_counting_empty_shots=self.target_count / shot_items if shot_items else None,
        )


class Scorecard:
    """Counts for one stretch of belt, from `start_um` to `end_um` (None: open); memory is bounded."""

    def __init__(self, recipe: RecipeSettings, start_um: int, end_um: int | None = None) -> None:
        self._stretch_um = (start_um, end_um)
        self._targets = {
            station.id: {recipe.classes.index(name) for name in station.targets} for station in recipe.stations
        }
        self._any_target = set().union(*self._targets.values())
        self._offsets_um = {station.id: mm_to_um(station.offset_mm) for station in recipe.stations}
        self._tallies = {station.id: _Tally() for station in recipe.stations}
        self._overall = _Tally()
        self._item_count = 0
        self._counted_count = 0
        self._uncounted_belt_um: list[int] = []
        self._arrivals = itertools.count()
        self._unpassed_commands: list[tuple[int, int, EjectionCommand, Ack]] = []
        self._command_count = 0
        self._missed_count = 0
        self._acks: Counter[str] = Counter()
        self._refusals: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._placement_mm = Histogram(0.001, 1_000.0, _BUCKETS_PER_DECADE)
        self._latency_ms = Histogram(0.01, 100_000.0, _BUCKETS_PER_DECADE)

    def add_decision(self, decision: Decision) -> None:
        """Count an item that the line decided; what was hardly an item is not counted."""
        if not self._is_inside(decision.belt_um):
            return
        self._reasons[decision.reason.value] += 1
        if decision.reason not in NO_ITEM_REASONS:
            heapq.heappush(self._uncounted_belt_um, decision.belt_um)

    def add_sent(self, decision: Decision, sent_at_ns: int) -> None:
        """Note when the command for a decision was sent."""
        if self._is_inside(decision.belt_um):
            self._latency_ms.add((sent_at_ns - decision.exposed_at_ns) / NS_PER_MS)

    def add_settled(self, command: EjectionCommand, ack: Ack) -> None:
        """Note a command with its answer; it counts once its stretch of belt has passed.

        So commands that an operator's stop voids, for belt that never came, are no missed windows.
        """
        belt_um = command.open_at_travel_um - self._offsets_um[command.station_id]
        if self._is_inside(belt_um):
            heapq.heappush(self._unpassed_commands, (belt_um, next(self._arrivals), command, ack))

    def pass_until(self, belt_um: int) -> None:
        """Count decided items and answered commands for belt that has passed the last station."""
        while self._uncounted_belt_um and self._uncounted_belt_um[0] <= belt_um:
            heapq.heappop(self._uncounted_belt_um)
            self._counted_count += 1
        while self._unpassed_commands and self._unpassed_commands[0][0] <= belt_um:
            _, _, command, ack = heapq.heappop(self._unpassed_commands)
            self._count_command(command, ack)

    def _count_command(self, command: EjectionCommand, ack: Ack) -> None:
        self._command_count += 1
        self._acks[ack.status.value] += 1
        if ack.reason is not None:
            self._refusals[ack.reason.value] += 1
        if ack.status is AckStatus.FIRED and ack.opened_at_travel_um is not None:
            error_um = abs(ack.opened_at_travel_um - command.open_at_travel_um)
            self._placement_mm.add(error_um / UM_PER_MM)
            self._missed_count += error_um > MISSED_WINDOW_UM
        else:
            self._missed_count += ack.status is not AckStatus.FIRED

    def add_outcomes(self, outcomes: Outcomes) -> None:
        """Count what the simulated world says became of items and shots."""
        for item in outcomes.items:
            if self._is_inside(item.belt_um):
                self._add_item(item)
        for shot in outcomes.shots:
            if shot.hit_count == 0 and self._is_inside(shot.open_at_travel_um - self._offsets_um[shot.station_id]):
                self._tallies[shot.station_id].empty_shot_count += 1
                self._overall.empty_shot_count += 1
        self.pass_until(outcomes.passed_until_um)

    def figures(self) -> Figures:
        """All figures so far."""
        error = abs(self._counted_count - self._item_count)
        latency_ms = self._latency_ms.distribution()
        return Figures(
            stations={station_id: tally.figures() for station_id, tally in self._tallies.items()},
            overall=self._overall.figures(),
            item_count=self._item_count,
            counted_count=self._counted_count,
            count_error_ratio=error / self._item_count if self._item_count else None,
            command_count=self._command_count,
            missed_window_ratio=self._missed_count / self._command_count if self._command_count else None,
            placement_error_p99_mm=self._placement_mm.distribution().quantile(0.99),
            frame_to_command_p50_ms=latency_ms.quantile(0.5),
            frame_to_command_p99_ms=latency_ms.quantile(0.99),
            acks=dict(sorted(self._acks.items())),
            refusals=dict(sorted(self._refusals.items())),
            decisions=dict(sorted(self._reasons.items())),
        )

    def _add_item(self, item: ItemOutcome) -> None:
        self._item_count += 1
        if not item.is_scored:
            return
        is_right = item.station_id is not None and item.class_id in self._targets[item.station_id]
        for station_id, tally in self._tallies.items():
            is_here = item.station_id == station_id
            is_wanted = item.class_id in self._targets[station_id]
            tally.add_item(item.mass_g, is_wanted=is_wanted, is_ejected=is_here, is_right=is_here and is_right)
        is_wanted = item.class_id in self._any_target
        is_ejected = item.station_id is not None
        self._overall.add_item(item.mass_g, is_wanted=is_wanted, is_ejected=is_ejected, is_right=is_right)

    def _is_inside(self, belt_um: int) -> bool:
        start_um, end_um = self._stretch_um
        return belt_um >= start_um and (end_um is None or belt_um < end_um)
