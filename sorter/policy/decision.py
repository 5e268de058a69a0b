"""The one decision on an item: which station takes it, or why it passes."""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from sorter.model.ejection import DecisionReason
from sorter.model.recipe import non_target_cost
from sorter.model.settings import RecipeSettings, StationSettings
from sorter.model.units import mm_to_um
from sorter.policy.blast import BlastZone, Candidate, blast_zone, expected_value


class BeltItem(msgspec.Struct, frozen=True):
    """What the policy knows of one item: its box on the belt, class probabilities (C,), how often it was seen.

    `leaves_at_um` is the offset of the station that will take it, None while it stays on the belt.
    """

    track_id: int
    x_um: int
    belt_um: int
    width_um: int
    length_um: int
    probabilities: NDArray[np.float64]
    view_count: int
    leaves_at_um: int | None = None


class Verdict(msgspec.Struct, frozen=True):
    """Station and zone when the item is ejected; the reason either way."""

    reason: DecisionReason
    class_id: int
    probability: float
    station: StationSettings | None = None
    zone: BlastZone | None = None


def decide(item: BeltItem, others: Sequence[BeltItem], recipe: RecipeSettings) -> Verdict:
    """Judge an item among its neighbours.

    The station with the highest expected value takes it, neighbours in the blast zone included, if that is above
    zero. Otherwise it passes, with the reason that came closest to ejecting it.
    """
    class_id = int(item.probabilities.argmax())
    probability = float(item.probabilities[class_id])
    if item.view_count < recipe.min_decision_views:
        return Verdict(DecisionReason.TOO_FEW_VIEWS, class_id, probability)
    shots = [_judge_shot(item, others, station, recipe) for station in recipe.stations]
    best = max(shots, key=lambda shot: shot.value)
    if best.reason is DecisionReason.EJECT:
        return Verdict(best.reason, class_id, probability, best.station, best.zone)
    return Verdict(_reason_to_pass(shots, item, class_id, recipe), class_id, probability)


class _Shot(msgspec.Struct, frozen=True):
    value: float
    reason: DecisionReason
    station: StationSettings
    zone: BlastZone | None


def target_probability(item: BeltItem, station: StationSettings, recipe: RecipeSettings) -> float:
    """How likely the item is one of the station's targets, in 0..1."""
    return min(1.0, float(sum(item.probabilities[recipe.classes.index(name)] for name in station.targets)))


def other_probability(item: BeltItem, station: StationSettings, recipe: RecipeSettings) -> float:
    """How likely the item is one that the station must not take, in 0..1.

    That is, of another class, or, by the recipe's share, of none at all and yet no mere shadow on the belt.
    """
    named = float(item.probabilities.sum())
    target = target_probability(item, station, recipe)
    return max(0.0, named - target) + recipe.unlisted_item_ratio * max(0.0, 1.0 - max(named, target))


def _judge_shot(item: BeltItem, others: Sequence[BeltItem], station: StationSettings, recipe: RecipeSettings) -> _Shot:
    cost = non_target_cost(station)
    alone = expected_value([_candidate(item, station, recipe)], cost)
    if alone <= 0.0:
        return _Shot(alone, DecisionReason.UNKNOWN, station, None)
    zone = blast_zone(item.x_um, item.belt_um, item.width_um, item.length_um, station)
    if zone is None:
        return _Shot(-float("inf"), DecisionReason.OFF_BAR, station, None)
    hit = _covered(zone, others, station)
    value = alone + expected_value([_candidate(other, station, recipe) for other in hit], cost)
    reason = DecisionReason.EJECT if value > 0.0 else DecisionReason.NEIGHBOURS
    return _Shot(value, reason, station, zone)


def in_jet(item: BeltItem, others: Sequence[BeltItem], station: StationSettings) -> list[BeltItem] | None:
    """Which others a station's shot at an item takes along; None where its bar does not reach the item."""
    zone = blast_zone(item.x_um, item.belt_um, item.width_um, item.length_um, station)
    return None if zone is None else _covered(zone, others, station)


def _covered(zone: BlastZone, others: Sequence[BeltItem], station: StationSettings) -> list[BeltItem]:
    station_um = mm_to_um(station.offset_mm)
    return [other for other in others if zone.covers(other.x_um, other.belt_um) and _is_there(other, station_um)]


def _candidate(item: BeltItem, station: StationSettings, recipe: RecipeSettings) -> Candidate:
    target, other = target_probability(item, station, recipe), other_probability(item, station, recipe)
    return Candidate(item.x_um, item.belt_um, target, other)


def _is_there(item: BeltItem, station_um: int) -> bool:
    # an item that this or an earlier station will take anyway neither adds to the shot nor spoils it
    return item.leaves_at_um is None or item.leaves_at_um > station_um


def _reason_to_pass(shots: Sequence[_Shot], item: BeltItem, class_id: int, recipe: RecipeSettings) -> DecisionReason:
    if float(item.probabilities.sum()) < recipe.min_item_probability:
        return DecisionReason.NOTHING
    reasons = {shot.reason for shot in shots}
    for reason in (DecisionReason.NEIGHBOURS, DecisionReason.OFF_BAR):
        if reason in reasons:
            return reason
    wanted = {name for station in recipe.stations for name in station.targets}
    is_sure = float(item.probabilities[class_id]) >= 0.5
    return DecisionReason.NO_STATION if is_sure and recipe.classes[class_id] not in wanted else DecisionReason.UNKNOWN
