"""What a decision rested on, in numbers an operator can follow; the same arithmetic as `decision`, laid open."""

from collections.abc import Sequence

from sorter.model.explanation import Neighbour, ShotWorth
from sorter.model.recipe import non_target_cost
from sorter.model.settings import RecipeSettings, StationSettings
from sorter.policy.blast import Candidate, expected_value
from sorter.policy.decision import BeltItem, in_jet, other_probability, target_probability


def shot_worths(item: BeltItem, others: Sequence[BeltItem], recipe: RecipeSettings) -> tuple[ShotWorth, ...]:
    """What each station's shot at an item is worth."""
    return tuple(_worth(item, others, station, recipe) for station in recipe.stations)


def _worth(item: BeltItem, others: Sequence[BeltItem], station: StationSettings, recipe: RecipeSettings) -> ShotWorth:
    cost = non_target_cost(station)
    hit = in_jet(item, others, station)
    neighbours = tuple(_neighbour(other, station, recipe) for other in hit or ())
    target, other = target_probability(item, station, recipe), other_probability(item, station, recipe)
    candidates = [(target, other), *((one.target_probability, one.other_probability) for one in neighbours)]
    return ShotWorth(
        station_id=station.id,
        target_probability=target,
        other_probability=other,
        purity_target=station.purity_target,
        cost=cost,
        alone=_value(candidates[:1], cost),
        with_neighbours=_value(candidates, cost),
        neighbours=neighbours,
        reaches=hit is not None,
    )


def _neighbour(other: BeltItem, station: StationSettings, recipe: RecipeSettings) -> Neighbour:
    return Neighbour(
        other.track_id, target_probability(other, station, recipe), other_probability(other, station, recipe)
    )


def _value(shares: Sequence[tuple[float, float]], cost: float) -> float:
    return expected_value([Candidate(0, 0, target, other) for target, other in shares], cost)
