"""What another recipe would have made of items that have passed: the line's own decision, taken once more."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import msgspec

from sorter.model.settings import RecipeSettings
from sorter.model.units import mm_to_um
from sorter.policy.decision import BeltItem, decide, target_probability

# no blast zone reaches further along the belt
_REACH_UM = mm_to_um(1000.0)


class StationEffect(msgspec.Struct, frozen=True):
    """What a station would have done; expected counts come from calibrated probabilities.

    Attributes:
        ejected_count: items it would have taken.
        target_count: expected targets among them.
        presented_count: expected targets among all items that passed it.
    """

    ejected_count: int
    target_count: float
    presented_count: float

    @property
    def purity(self) -> float | None:
        """Expected share of targets in what it takes, None where it takes nothing."""
        return self.target_count / self.ejected_count if self.ejected_count else None

    @property
    def recovery(self) -> float | None:
        """Expected share of the targets that it takes, None where there are none."""
        return self.target_count / self.presented_count if self.presented_count > 0 else None


def replay(stretches: Sequence[Sequence[BeltItem]], recipe: RecipeSettings) -> dict[str, StationEffect]:
    """Decide anew on stretches of belt, each as if nothing lay before or behind it."""
    ejected = {station.id: 0 for station in recipe.stations}
    targets = dict.fromkeys(ejected, 0.0)
    presented = dict.fromkeys(ejected, 0.0)
    for stretch in stretches:
        for item in _decided(stretch, recipe):
            for station in recipe.stations:
                share = target_probability(item, station, recipe)
                presented[station.id] += share
                if item.leaves_at_um == mm_to_um(station.offset_mm):
                    ejected[station.id] += 1
                    targets[station.id] += share
    return {key: StationEffect(ejected[key], targets[key], presented[key]) for key in ejected}


def _decided(stretch: Sequence[BeltItem], recipe: RecipeSettings) -> list[BeltItem]:
    """Items in the order of the belt, each with the station that takes it, as the line decides: one after the other."""
    items = sorted(stretch, key=lambda item: item.belt_um)
    places = [item.belt_um for item in items]
    for index, item in enumerate(items):
        first = bisect_left(places, item.belt_um - _REACH_UM)
        last = bisect_right(places, item.belt_um + _REACH_UM)
        others = [*items[first:index], *items[index + 1 : last]]
        station = decide(item, others, recipe).station
        if station is not None:
            items[index] = msgspec.structs.replace(item, leaves_at_um=mm_to_um(station.offset_mm))
    return items
