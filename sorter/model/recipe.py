"""A recipe's fingerprint and what its stations cost and cover, derived from the settings."""

import hashlib

import msgspec

from sorter.model.settings import RecipeSettings, StationSettings
from sorter.model.units import mm_to_um


def recipe_hash(recipe: RecipeSettings) -> str:
    """Sixteen hexadecimal digits that change with anything in the recipe; commands carry it, controllers check it."""
    return hashlib.sha256(msgspec.json.encode(recipe, order="deterministic")).hexdigest()[:16]


def non_target_cost(station: StationSettings) -> float:
    """What taking one non-target along costs, in targets.

    Left out of the recipe, it is P / (1 − P) for a purity target P: then a shot breaks even exactly when the expected
    share of targets in it is P.
    """
    if station.non_target_cost is not None:
        return station.non_target_cost
    return station.purity_target / (1.0 - station.purity_target)


def last_station_um(recipe: RecipeSettings) -> int:
    """Offset of the station furthest downstream: what has passed it can be ejected no more."""
    return max(mm_to_um(station.offset_mm) for station in recipe.stations)
