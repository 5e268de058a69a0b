"""What the views of each item say: whether they name different classes, and how sure they are all together.

Evidence is added up as the policy does it, so that an item counts as uncertain here when the policy wavered.
"""

import math
from collections.abc import Callable

import msgspec
import numpy as np
from numpy.typing import NDArray

from sorter.model.belt import CameraView
from sorter.model.recipe import non_target_cost
from sorter.model.settings import RecipeSettings, Settings
from sorter.model.tracks import Track, TrackBatch
from sorter.model.units import mm_to_um
from sorter.policy.evidence import Calibration, Evidence, class_probabilities, no_evidence, with_view
from vision.harvest.choice import Reason

_FORGET_AFTER_UM = mm_to_um(10_000.0)
_FORGET_EVERY_UM = mm_to_um(2_000.0)
# An item that no station takes is named, not ejected; the policy calls it sure from here.
_SURE_OF_NAME = 0.5
_LEAST_SCORE = 1e-4


class _Opinion:
    __slots__ = ("belt_um", "evidence", "is_disagreeing", "is_judged", "named_class_id")

    def __init__(self, class_count: int) -> None:
        self.evidence: Evidence = no_evidence(class_count)
        self.belt_um = 0
        self.named_class_id: int | None = None
        self.is_disagreeing = False
        self.is_judged = False


class Opinions:
    """The opinion on each item in view, by track.

    Args:
        settings: the line's configuration.
        calibration_of: calibration of a model's scores, by the model's id.
    """

    def __init__(self, settings: Settings, calibration_of: Callable[[str], Calibration]) -> None:
        self._recipe = settings.recipe
        self._calibration_of = calibration_of
        self._stations = _stations(settings.recipe)
        self._band = settings.harvest.uncertain_band
        self._min_vote_probability = settings.harvest.min_vote_probability
        self._leaving_um = CameraView(settings.camera).downstream_edge_um + mm_to_um(settings.camera.view_step_mm)
        self._opinions: dict[int, _Opinion] = {}
        self._forgotten_until_um = 0

    def take(self, batch: TrackBatch) -> dict[int, tuple[Reason, ...]]:
        """Add one view; the tracks that it gives a reason for, each reason once in an item's life."""
        calibration = self._calibration_of(batch.model_id)
        findings = {track.track_id: self._take_track(track, batch.travel_um, calibration) for track in batch.tracks}
        if abs(batch.travel_um - self._forgotten_until_um) >= _FORGET_EVERY_UM:
            self._forget(batch.travel_um)
        return {track_id: reasons for track_id, reasons in findings.items() if reasons}

    def probabilities(self, track: Track, model_id: str) -> NDArray[np.float64]:
        """Calibrated probability of each class (C,), from all views so far; from this one alone if none is known."""
        known = self._opinions.get(track.track_id)
        if known is not None:
            return class_probabilities(known.evidence)
        nothing, scores = no_evidence(len(track.class_probs)), np.array(track.class_probs)
        return class_probabilities(with_view(nothing, scores, 1.0, self._calibration_of(model_id)))

    def _take_track(self, track: Track, travel_um: int, calibration: Calibration) -> tuple[Reason, ...]:
        opinion = self._opinions.get(track.track_id)
        if opinion is None:
            opinion = self._opinions[track.track_id] = _Opinion(len(track.class_probs))
        opinion.belt_um = track.belt_um
        scores = np.array(track.class_probs)
        weight = self._recipe.truncated_view_weight if track.truncated else 1.0
        opinion.evidence = with_view(opinion.evidence, scores, weight, calibration)
        disagrees = not track.truncated and self._disagrees(opinion, scores, calibration)
        is_unsure = self._is_unsure(opinion, track, travel_um)
        return (Reason.DISAGREEING,) * disagrees + (Reason.UNCERTAIN,) * is_unsure

    def _disagrees(self, opinion: _Opinion, scores: NDArray[np.float64], calibration: Calibration) -> bool:
        class_id = int(scores.argmax())
        if opinion.is_disagreeing or _probability(scores, class_id, calibration) < self._min_vote_probability:
            return False
        opinion.is_disagreeing = opinion.named_class_id not in {None, class_id}
        opinion.named_class_id = class_id
        return opinion.is_disagreeing

    def _is_unsure(self, opinion: _Opinion, track: Track, travel_um: int) -> bool:
        """Judged once, when no further view will show the whole item: on the evidence that decides."""
        low_um = track.belt_um - track.length_um // 2
        if opinion.is_judged or low_um - travel_um >= self._leaving_um:
            return False
        opinion.is_judged = True
        if track.view_count < self._recipe.min_decision_views:
            return False
        return self._margin(class_probabilities(opinion.evidence)) <= self._band

    def _margin(self, probabilities: NDArray[np.float64]) -> float:
        """How far the item is from the probability at which its station, or its name, would just be chosen."""
        class_id = int(probabilities.argmax())
        margins = [
            abs(float(probabilities @ station.is_target) - station.break_even)
            for station in self._stations
            if station.is_target[class_id]
        ]
        return min(margins, default=abs(float(probabilities[class_id]) - _SURE_OF_NAME))

    def _forget(self, travel_um: int) -> None:
        self._forgotten_until_um = travel_um
        self._opinions = {
            key: one for key, one in self._opinions.items() if abs(one.belt_um - travel_um) < _FORGET_AFTER_UM
        }


class _Station(msgspec.Struct, frozen=True):
    """Which classes a station takes (C,) 0 or 1, and the probability at which a shot at one item just pays."""

    is_target: NDArray[np.float64]
    break_even: float


def _stations(recipe: RecipeSettings) -> tuple[_Station, ...]:
    costs = [non_target_cost(station) for station in recipe.stations]
    return tuple(
        _Station(np.array([float(name in station.targets) for name in recipe.classes]), cost / (1.0 + cost))
        for station, cost in zip(recipe.stations, costs, strict=True)
    )


def _probability(scores: NDArray[np.float64], class_id: int, calibration: Calibration) -> float:
    """Calibrated probability of one class by one view; plain floats, because every track of every view asks."""
    score = min(max(float(scores[class_id]), _LEAST_SCORE), 1.0 - _LEAST_SCORE)
    logit = float(calibration.slope[class_id]) * math.log(score / (1.0 - score)) + float(calibration.offset[class_id])
    return 1.0 / (1.0 + math.exp(-logit))
