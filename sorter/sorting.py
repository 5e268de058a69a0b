"""Sorting: tracks in, decisions and commands out; the deciding process and the closed loop both step it.

It holds no socket and no clock. Mode is told to it; whether a command was sent is reported back to it.
"""

import msgspec

from sorter.item_book import ItemBook
from sorter.model.belt import BeltTravel, seen_length_um
from sorter.model.ejection import (
    Assessment,
    Decision,
    DecisionReason,
    EjectionCommand,
    Intent,
)
from sorter.model.explanation import Explanation
from sorter.model.recipe import last_station_um, recipe_hash
from sorter.model.settings import RecipeSettings, Settings
from sorter.model.tracks import BeltState, TrackBatch
from sorter.model.units import mm_to_um, ms_to_ns
from sorter.policy.decision import BeltItem, Verdict, decide
from sorter.policy.evidence import Calibration
from sorter.policy.explaining import shot_worths
from sorter.policy.overlap import overlap_ratio
from sorter.policy.schedule import ViewPlan, is_due

_FORGET_AFTER_UM = mm_to_um(2000.0)


class Ruling(msgspec.Struct, frozen=True):
    """A decision and the command it leads to, if any; the item as it was judged, and how much others cover it."""

    decision: Decision
    command: EjectionCommand | None
    item: BeltItem
    overlap_ratio: float


class Sorting:
    """The items on the belt and what is done with them."""

    def __init__(self, settings: Settings, calibration: Calibration, boot_id: str) -> None:
        self._recipe = settings.recipe
        self._validity_ns = ms_to_ns(settings.recipe.command_validity_ms)
        self._recipe_hash = recipe_hash(settings.recipe)
        self._boot_id = boot_id
        self._plan = _view_plan(settings)
        self._passed_after_um = last_station_um(settings.recipe) + _FORGET_AFTER_UM
        self._book = ItemBook(settings.recipe, calibration)
        self._belt = BeltTravel()
        self._newest_batch: TrackBatch | None = None
        self._decision_count = 0
        self._command_count = 0
        self.is_executing = False

    def take_belt(self, belt: BeltState, now_ns: int) -> list[Ruling]:
        """Note where the belt is, and rule on items that can wait no longer."""
        self._belt.add(belt)
        return self._rule_on_due(now_ns)

    def take_tracks(self, batch: TrackBatch, now_ns: int) -> list[Ruling]:
        """Add one view's evidence, and rule on items that no further view will show in time."""
        self._newest_batch = batch
        self._book.observe(batch)
        return self._rule_on_due(now_ns)

    def use_calibration(self, calibration: Calibration) -> None:
        """Read the scores of the next views by this calibration: that of the model they come from."""
        self._book.calibration = calibration

    def use_recipe(self, recipe: RecipeSettings) -> None:
        """Judge by this recipe from here on: other targets, purity targets or costs, at the same stations.

        Commands go on naming the recipe that the line began with, which is the one that the controller knows: what
        changes is none of its business.
        """
        self._recipe = recipe

    def explain(self, ruling: Ruling, sent_at_ns: int | None) -> Explanation:
        """What a ruling of just now rested on."""
        decision = ruling.decision
        item = self._book.item(decision.track_id)
        before = msgspec.structs.replace(item, leaves_at_um=None)
        return Explanation(
            decision=decision,
            width_um=item.width_um,
            length_um=item.length_um,
            probabilities=tuple(item.probabilities.tolist()),
            votes=self._book.votes(decision.track_id),
            shots=shot_worths(before, self._book.others(decision.track_id), self._recipe),
            sent_at_ns=sent_at_ns,
        )

    def assess(self, batch: TrackBatch) -> Assessment:
        """What would be done with each item of a view if it were decided now; for screens.

        A view that comes very late shows items that have passed the line since and are forgotten: those are left out.
        """
        known_ids = [track.track_id for track in batch.tracks if self._book.holds(track.track_id)]
        return Assessment(batch.frame_id, tuple(self._intent(track_id) for track_id in known_ids))

    def forget_items(self) -> None:
        """Forget all items: the tracks' numbers begin anew."""
        self._book.forget_all()

    def _rule_on_due(self, now_ns: int) -> list[Ruling]:
        belt, batch = self._belt_at(now_ns), self._newest_batch
        if belt is None or batch is None:
            return []
        due = [
            item
            for item in self._book.undecided()
            if is_due(item.belt_um, item.belt_um - item.length_um // 2, belt, batch.travel_um, self._plan)
        ]
        rulings = [self._rule(item, belt, batch, now_ns) for item in sorted(due, key=lambda item: item.belt_um)]
        self._book.forget_before(belt.travel_um - self._passed_after_um)
        return rulings

    def _rule(self, item: BeltItem, belt: BeltState, batch: TrackBatch, now_ns: int) -> Ruling:
        others = self._book.others(item.track_id)
        verdict = self._in_time(self._in_mode(decide(item, others, self._recipe)), belt)
        station = verdict.station
        self._decision_count += 1
        decision = Decision(
            decision_id=self._decision_count,
            track_id=item.track_id,
            station_id=station.id if station else None,
            class_id=verdict.class_id,
            probability=verdict.probability,
            reason=verdict.reason,
            view_count=item.view_count,
            belt_um=item.belt_um,
            x_um=item.x_um,
            decided_at_ns=now_ns,
            frame_id=batch.frame_id,
            exposed_at_ns=batch.exposed_at_ns,
        )
        self._book.settle(decision, mm_to_um(station.offset_mm) if station else None)
        return Ruling(decision, self._command(decision, verdict, now_ns), item, overlap_ratio(item, others))

    def _in_mode(self, verdict: Verdict) -> Verdict:
        if self.is_executing or verdict.station is None:
            return verdict
        return Verdict(DecisionReason.NOT_EXECUTING, verdict.class_id, verdict.probability)

    def _in_time(self, verdict: Verdict, belt: BeltState) -> Verdict:
        if verdict.station is None or verdict.zone is None:
            return verdict
        opens_at_um = verdict.zone.belt_low_um + mm_to_um(verdict.station.offset_mm)
        if belt.travel_um < opens_at_um:
            return verdict
        return Verdict(DecisionReason.TOO_LATE, verdict.class_id, verdict.probability)

    def _command(self, decision: Decision, verdict: Verdict, now_ns: int) -> EjectionCommand | None:
        station, zone = verdict.station, verdict.zone
        if station is None or zone is None:
            return None
        self._command_count += 1
        offset_um = mm_to_um(station.offset_mm)
        return EjectionCommand(
            boot_id=self._boot_id,
            seq=self._command_count,
            decision_ids=(decision.decision_id,),
            station_id=station.id,
            first_nozzle=zone.first_nozzle,
            last_nozzle=zone.last_nozzle,
            open_at_travel_um=zone.belt_low_um + offset_um,
            close_at_travel_um=zone.belt_high_um + offset_um,
            valid_until_ns=now_ns + self._validity_ns,
            recipe_hash=self._recipe_hash,
        )

    def _intent(self, track_id: int) -> Intent:
        decided = self._book.decision(track_id)
        if decided is not None:
            return Intent(
                track_id, decided.class_id, decided.probability, decided.station_id, decided.reason, is_decided=True
            )
        verdict = self._in_mode(decide(self._book.item(track_id), self._book.others(track_id), self._recipe))
        station_id = verdict.station.id if verdict.station else None
        return Intent(track_id, verdict.class_id, verdict.probability, station_id, verdict.reason, is_decided=False)

    def _belt_at(self, now_ns: int) -> BeltState | None:
        travel_um, newest = self._belt.travel_um_at(now_ns), self._belt.newest
        if travel_um is None or newest is None:
            return None
        return BeltState(now_ns, travel_um, newest.speed_um_s)


def _view_plan(settings: Settings) -> ViewPlan:
    return ViewPlan(
        downstream_edge_um=seen_length_um(settings)[0],
        view_step_um=mm_to_um(settings.camera.view_step_mm),
        nearest_station_um=min(mm_to_um(station.offset_mm) for station in settings.recipe.stations),
        lead_time_ns=ms_to_ns(settings.recipe.lead_time_ms),
        response_ns=ms_to_ns(settings.valves.response_ms),
    )
