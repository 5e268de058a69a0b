"""Live statistics of the running line: counts by class, and the scorecard as far as the truth is known."""

from collections import Counter

import msgspec

from sorter.model.belt import seen_length_um
from sorter.model.ejection import NO_ITEM_REASONS, Ack, Decision, EjectionCommand, Outcomes
from sorter.model.scorecard import Scorecard
from sorter.model.settings import RecipeSettings, Settings, is_simulated_source
from sorter.model.statistics import LineStatistics


class LiveStatistics:
    """Counts since the line first executed; items that were in view before are left out."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._upstream_edge_um = seen_length_um(settings)[1]
        self._class_counts: Counter[str] = Counter()
        self._view_sum = 0
        self._item_count = 0
        self._scorecard: Scorecard | None = None
        self.model_id = ""
        # as configured, until vision says in which numbers the model is really calculated
        self.precision: str = "exact" if settings.detector.runtime == "oracle" else settings.detector.precision

    def begin(self, travel_um: int) -> None:
        """Start counting with the item that comes into view at this travel; only the first call counts."""
        if self._scorecard is None:
            self._scorecard = Scorecard(self._settings.recipe, travel_um + self._upstream_edge_um)

    def use_recipe(self, recipe: RecipeSettings) -> None:
        """Judge by another recipe: the scorecard begins anew, since what was a target may be none now."""
        self._settings = msgspec.structs.replace(self._settings, recipe=recipe)
        self._scorecard = None

    def add_decision(self, decision: Decision) -> None:
        """Count a decided item."""
        if self._scorecard is None or decision.reason in NO_ITEM_REASONS:
            return
        self._class_counts[self._settings.recipe.classes[decision.class_id]] += 1
        self._view_sum += decision.view_count
        self._item_count += 1
        self._scorecard.add_decision(decision)

    def add_sent(self, decision: Decision, now_ns: int) -> None:
        """Note when the command for a decision left."""
        if self._scorecard is not None:
            self._scorecard.add_sent(decision, now_ns)

    def add_settled(self, command: EjectionCommand, ack: Ack) -> None:
        """Count an answered command."""
        if self._scorecard is not None:
            self._scorecard.add_settled(command, ack)

    def add_outcomes(self, outcomes: Outcomes) -> None:
        """Count what the simulated world says."""
        if self._scorecard is not None:
            self._scorecard.add_outcomes(outcomes)

    def statistics(self, now_ns: int) -> LineStatistics:
        """All figures so far."""
        detector = self._settings.detector
        scorecard = self._scorecard or Scorecard(self._settings.recipe, 0)
        return LineStatistics(
            measured_at_ns=now_ns,
            has_truth=is_simulated_source(self._settings),
            class_counts={name: self._class_counts[name] for name in self._settings.recipe.classes},
            figures=scorecard.figures(),
            views_per_item=self._view_sum / self._item_count if self._item_count else None,
            model_id=self.model_id,
            detector=detector.runtime,
            precision=self.precision,
        )
