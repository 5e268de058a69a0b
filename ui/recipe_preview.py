"""What a recipe would have made of the items of the last hour, from what the line remembers of them.

A sample of the hour is decided anew, stretches of belt spread evenly over it, so that an answer takes a second.
"""

import msgspec
import numpy as np

from sorter.errors import StoreError
from sorter.model.events import ItemDecided
from sorter.model.rollups import Period
from sorter.model.settings import RecipeSettings
from sorter.policy.decision import BeltItem
from sorter.policy.replay import StationEffect, replay
from sorter.runtime.clock import wall_ms
from sorter.store.protocol import StoreReader
from ui.records import Records

_HOUR_MS = 3_600_000
_STRETCH_COUNT = 30
_STRETCH_ITEM_COUNT = 60


class Effects(msgspec.Struct, frozen=True):
    """What the recipe in force and the one on the screen make of the same items: id, now, then; station by station."""

    sampled_count: int
    stations: tuple[tuple[str, StationEffect, StationEffect], ...]


def preview(records: Records, in_force: RecipeSettings, chosen: RecipeSettings) -> Effects | None:
    """The effect of a change; None where nothing is known of the last hour."""
    try:
        with records.reader() as reader:
            stretches = [] if reader is None else _stretches(reader, records.device_id, in_force.classes)
    except StoreError:
        return None
    sampled_count = sum(len(stretch) for stretch in stretches)
    if sampled_count == 0:
        return None
    now, then = replay(stretches, in_force), replay(stretches, chosen)
    return Effects(sampled_count, tuple((key, now[key], then[key]) for key in now))


def _stretches(reader: StoreReader, device_id: str, classes: tuple[str, ...]) -> list[list[BeltItem]]:
    end_ms = wall_ms()
    step_ms = _HOUR_MS // _STRETCH_COUNT
    stretches: list[list[BeltItem]] = []
    for start_ms in range(end_ms - _HOUR_MS, end_ms, step_ms):
        period = Period(start_ms, start_ms + step_ms)
        events = reader.events(ItemDecided, period, device_id=device_id, limit=_STRETCH_ITEM_COUNT)
        stretches += _by_life([event for event in events if isinstance(event, ItemDecided)], classes)
    return stretches


def _by_life(events: list[ItemDecided], classes: tuple[str, ...]) -> list[list[BeltItem]]:
    """Belt coordinates of two lives of the line have nothing to do with each other."""
    lives: dict[str, list[BeltItem]] = {}
    for event in events:
        lives.setdefault(event.boot_id, []).append(_item(event, classes))
    return list(lives.values())


def _item(event: ItemDecided, classes: tuple[str, ...]) -> BeltItem:
    probabilities = np.array([event.class_probabilities.get(name, 0.0) for name in classes])
    return BeltItem(
        event.track_id, event.x_um, event.belt_um, event.width_um, event.length_um, probabilities, event.view_count
    )
