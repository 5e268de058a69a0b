"""What a recipe would have made of the items of the last hour, from what the line remembers of them.

A sample of the hour is decided anew, stretches of belt spread evenly over it, so that an answer takes a second.
"""

import msgspec

from sorter.model.settings import RecipeSettings, Settings
from sorter.policy.replay import StationEffect


class Effects(msgspec.Struct, frozen=True):
    """What the recipe in force and the one on the screen make of the same items: id, now, then; station by station."""

    sampled_count: int
    stations: tuple[tuple[str, StationEffect, StationEffect], ...]


def preview(_settings: Settings, _in_force: RecipeSettings, _chosen: RecipeSettings) -> Effects | None:
    """The effect of a change; None where nothing is known of the last hour."""
    return None
