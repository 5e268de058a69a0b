"""A made-up year of a line for the bench of its store: two shifts a day, some classes rare, some shots refused."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from sorter.model.condition import Mode
from sorter.model.ejection import AckStatus, DecisionReason, RefusalReason
from sorter.model.events import AnyEvent, ItemDecided, ModeTime, RecipeUsed
from sorter.model.materials import MATERIALS
from sorter.model.recipe import recipe_hash
from sorter.model.rollups import Resolution
from sorter.model.settings import RecipeSettings

DAY_COUNT = 365
# a midnight of UTC
BEGIN_MS = 19_723 * Resolution.DAY.value
_SHIFTS_MS = 16 * Resolution.HOUR.value
_SHIFTS_BEGIN_MS = 6 * Resolution.HOUR.value
_RECIPE = RecipeSettings()
_HASH = recipe_hash(_RECIPE)
_STATIONS = {name: station.id for station in _RECIPE.stations for name in station.targets}
_SHARES = np.array([0.3, 0.1, 0.03, 0.12, 0.08, 0.07, 0.02, 0.18, 0.1])
# of other events there are so many for each hundred items
_TIMES_PER_100 = 2


def year_of(event_count: int, batch_count: int, seed: int) -> Iterator[list[AnyEvent]]:
    """So many events, spread evenly over the shifts of a year, in batches of `batch_count`, in the order of time."""
    spacing_ms = DAY_COUNT * _SHIFTS_MS / event_count
    yield from _batches(event_count, batch_count, seed, spacing_ms)


def busy_minutes(event_count: int, batch_count: int, seed: int, rate_hz: float) -> Iterator[list[AnyEvent]]:
    """So many events as a line has them that decides `rate_hz` items a second."""
    yield from _batches(event_count, batch_count, seed, 1000.0 / rate_hz)


def _batches(event_count: int, batch_count: int, seed: int, spacing_ms: float) -> Iterator[list[AnyEvent]]:
    random = np.random.default_rng(seed)
    batch: list[AnyEvent] = [_recipe()]
    for first in range(2, event_count + 1, batch_count):
        classes = random.choice(len(MATERIALS), batch_count, p=_SHARES)
        scores, fates = random.random(batch_count), random.random(batch_count)
        for offset in range(min(batch_count, event_count + 1 - first)):
            seq = first + offset
            at_ms = _wall_ms(seq * spacing_ms)
            if seq % 100 < _TIMES_PER_100:
                batch.append(_time(seq, at_ms))
            else:
                batch.append(_item(seq, at_ms, int(classes[offset]), float(scores[offset]), float(fates[offset])))
        yield batch
        batch = []


def _wall_ms(sorting_ms: float) -> int:
    """Wall time at which the shifts have lasted for so long in all."""
    day, within_ms = divmod(sorting_ms, _SHIFTS_MS)
    return BEGIN_MS + int(day) * Resolution.DAY.value + _SHIFTS_BEGIN_MS + int(within_ms)


def _common(seq: int, at_ms: int) -> dict[str, Any]:
    return {"device_id": "bench", "boot_id": "bench", "seq": seq, "at_ms": at_ms}


def _recipe() -> RecipeUsed:
    targets = {station.id: station.targets for station in _RECIPE.stations}
    return RecipeUsed(
        recipe_hash=_HASH, name=_RECIPE.name, classes=_RECIPE.classes, targets=targets, **_common(1, BEGIN_MS)
    )


def _time(seq: int, at_ms: int) -> ModeTime:
    return ModeTime(mode=Mode.EXECUTE, duration_ms=1000, **_common(seq, at_ms))


def _item(seq: int, at_ms: int, class_id: int, score: float, fate: float) -> ItemDecided:
    material = MATERIALS[class_id]
    probability = round(0.6 + 0.39 * score, 4)
    station_id = _STATIONS.get(material.name) if score > 0.2 else None
    is_late = station_id is not None and fate < 0.01
    status = None if station_id is None else AckStatus.REFUSED_LATE if is_late else AckStatus.FIRED
    other = MATERIALS[(class_id + 1) % len(MATERIALS)].name
    return ItemDecided(
        track_id=seq,
        decision_id=seq,
        class_name=material.name,
        probability=probability,
        class_probabilities={material.name: probability, other: round(0.9 * (1.0 - probability), 4)},
        view_count=5,
        x_um=round(1_200_000 * fate),
        belt_um=seq * 100_000,
        width_um=80_000,
        length_um=round(100_000 + 150_000 * score),
        overlap_ratio=round(0.1 * fate, 3),
        mass_g=round(material.mass_g * (0.5 + score), 2),
        mass_sd_g=round(material.mass_g * 0.4, 2),
        reason=DecisionReason.EJECT if station_id else DecisionReason.NO_STATION,
        station_id=station_id,
        ack_status=status,
        refusal=RefusalReason.LATE if is_late else None,
        placement_error_um=300 if status is AckStatus.FIRED else None,
        frame_to_command_ms=None if status is None else 40.0,
        model_id="bench",
        recipe_hash=_HASH,
        **_common(seq, at_ms),
    )
