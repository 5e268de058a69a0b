"""The simulated world: which items lie where on an endless belt, a pure function of belt travel.

The camera and the valves of a simulated line ask the same world, so what was pictured and what was hit agree.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from sorter.model.materials import material_named
from sorter.model.settings import Settings
from sorter.model.units import UM_PER_MM, mm_to_um

_CELL_MM = 800.0
_PLACEMENT_TRIES = 40


class WorldItem(msgspec.Struct, frozen=True):
    """An item on the belt: its class, its straight box in belt coordinates, and what seeds its looks.

    `is_scored` is False for an item that a seam of the belt strip cuts: pictured, but in no figure.
    """

    item_id: int
    class_id: int
    x_um: int
    belt_um: int
    width_um: int
    length_um: int
    rotation_rad: float
    appearance_seed: int
    mass_g: float
    is_scored: bool


class World(Protocol):
    """Items on the belt, by belt coordinate of their centres."""

    def items_between(self, start_um: int, end_um: int) -> list[WorldItem]:
        """All items with start ≤ centre < end, ordered by belt coordinate."""
        ...


class ScatteredWorld:
    """Items of drawn sizes scattered over the belt, cell by cell, none of them touching (when they fit)."""

    def __init__(self, settings: Settings) -> None:
        self._seed = settings.simulation.seed
        self._class_names = settings.recipe.classes
        self._belt_width_mm = settings.belt.width_mm
        self._min_gap_mm = settings.simulation.min_gap_mm
        self._shares = _class_shares(settings)
        self._items_per_cell = settings.simulation.occupancy_ratio * self._belt_width_mm * _CELL_MM / self._mean_area()
        self._cell = lru_cache(maxsize=64)(self._fill_cell)

    def items_between(self, start_um: int, end_um: int) -> list[WorldItem]:
        """All items with start ≤ centre < end, ordered by belt coordinate; nothing lies before travel 0."""
        cell_um = mm_to_um(_CELL_MM)
        first, last = max(0, start_um // cell_um), (end_um - 1) // cell_um
        items = [item for index in range(first, last + 1) for item in self._cell(index)]
        return [item for item in items if start_um <= item.belt_um < end_um]

    def _mean_area(self) -> float:
        means = [_mean_area_mm2(name) for name in self._class_names]
        return float(np.dot(self._shares, means))

    def _fill_cell(self, index: int) -> tuple[WorldItem, ...]:
        rng = np.random.Generator(np.random.PCG64([self._seed, index]))
        placed: list[WorldItem] = []
        for number in range(int(rng.poisson(self._items_per_cell))):
            item = self._place(rng, index, number, placed)
            if item is not None:
                placed.append(item)
        return tuple(sorted(placed, key=lambda item: item.belt_um))

    def _place(
        self, rng: np.random.Generator, index: int, number: int, placed: Sequence[WorldItem]
    ) -> WorldItem | None:
        class_id = int(rng.choice(len(self._class_names), p=self._shares))
        width_mm, length_mm, rotation_rad, size_ratio = _draw_extents(rng, self._class_names[class_id])
        appearance_seed = int(rng.integers(2**31))
        x_low_mm, y_low_mm = (width_mm + self._min_gap_mm) / 2, (length_mm + self._min_gap_mm) / 2
        if x_low_mm > self._belt_width_mm / 2 or y_low_mm > _CELL_MM / 2:
            return None
        for _ in range(_PLACEMENT_TRIES):
            x_mm = rng.uniform(x_low_mm, self._belt_width_mm - x_low_mm)
            y_mm = rng.uniform(y_low_mm, _CELL_MM - y_low_mm)
            item = WorldItem(
                item_id=index * 1000 + number,
                class_id=class_id,
                x_um=mm_to_um(x_mm),
                belt_um=mm_to_um(index * _CELL_MM + y_mm),
                width_um=mm_to_um(width_mm),
                length_um=mm_to_um(length_mm),
                rotation_rad=rotation_rad,
                appearance_seed=appearance_seed,
                mass_g=round(material_named(self._class_names[class_id]).mass_g * size_ratio, 1),
                is_scored=True,
            )
            if not any(_is_closer(item, other, mm_to_um(self._min_gap_mm)) for other in placed):
                return item
        return None


class StripPicture(msgspec.Struct, frozen=True):
    """The labels of one still of a belt strip: shares of the picture (N, 4) centre x, centre y, width, height."""

    boxes: NDArray[np.float64]
    class_ids: NDArray[np.int64]


class StripWorld:
    """Labelled stills laid end to end along the travel, each lap in another order; the first row is upstream."""

    def __init__(self, pictures: Sequence[StripPicture], settings: Settings) -> None:
        self._pictures = pictures
        self._seed = settings.simulation.seed
        self._class_names = settings.recipe.classes
        self._width_um = settings.camera.view_width_mm * UM_PER_MM
        self.picture_length_um = mm_to_um(settings.camera.view_length_mm)
        self._order = lru_cache(maxsize=8)(self._shuffled)
        self._items = lru_cache(maxsize=64)(self._items_of)

    @property
    def lap_um(self) -> int:
        """Belt travel that shows every picture once."""
        return self.picture_length_um * len(self._pictures)

    def picture_index_at(self, place: int) -> int:
        """Which picture lies at the place-th stretch of belt; laps begin at place 1, after one picture of run-in."""
        lap, within = divmod(place - 1, len(self._pictures))
        return self._order(max(0, lap))[within]

    def items_between(self, start_um: int, end_um: int) -> list[WorldItem]:
        """All items with start ≤ centre < end, ordered by belt coordinate; nothing lies before travel 0."""
        first = max(0, start_um // self.picture_length_um)
        last = (end_um - 1) // self.picture_length_um
        items = [item for place in range(first, last + 1) for item in self._items(place)]
        return [item for item in items if start_um <= item.belt_um < end_um]

    def _shuffled(self, lap: int) -> tuple[int, ...]:
        rng = np.random.Generator(np.random.PCG64([self._seed, lap]))
        return tuple(int(index) for index in rng.permutation(len(self._pictures)))

    def _items_of(self, place: int) -> tuple[WorldItem, ...]:
        picture = self._pictures[self.picture_index_at(place)]
        items = [
            self._item(place, number, box, int(class_id))
            for number, (box, class_id) in enumerate(zip(picture.boxes, picture.class_ids, strict=True))
        ]
        return tuple(sorted(items, key=lambda item: item.belt_um))

    def _item(self, place: int, number: int, box: NDArray[np.float64], class_id: int) -> WorldItem:
        centre_x, centre_y, width, height = (float(value) for value in box)
        is_cut = centre_y - height / 2 < 0.004 or centre_y + height / 2 > 0.996
        return WorldItem(
            item_id=place * 1000 + number,
            class_id=class_id,
            x_um=round(centre_x * self._width_um),
            belt_um=round((place + 1 - centre_y) * self.picture_length_um),
            width_um=round(width * self._width_um),
            length_um=round(height * self.picture_length_um),
            rotation_rad=0.0,
            appearance_seed=0,
            mass_g=material_named(self._class_names[class_id]).mass_g,
            is_scored=not is_cut,
        )


def _class_shares(settings: Settings) -> NDArray[np.float64]:
    mix = settings.simulation.mix
    weights = np.array([mix.get(name, 0.0 if mix else 1.0) for name in settings.recipe.classes])
    shares: NDArray[np.float64] = weights / weights.sum()
    return shares


def _mean_area_mm2(name: str) -> float:
    material = material_named(name)
    return (sum(material.long_side_mm) / 2) ** 2 / (sum(material.aspect_ratio) / 2)


def _draw_extents(rng: np.random.Generator, name: str) -> tuple[float, float, float, float]:
    """Width, length (mm) of the straight box around a turned item, its rotation, and its size against the typical."""
    material = material_named(name)
    long_mm = rng.uniform(*material.long_side_mm)
    short_mm = long_mm / rng.uniform(*material.aspect_ratio)
    rotation_rad = float(rng.uniform(0.0, 2 * math.pi))
    cosine, sine = abs(math.cos(rotation_rad)), abs(math.sin(rotation_rad))
    width_mm = short_mm * cosine + long_mm * sine
    length_mm = long_mm * cosine + short_mm * sine
    size_ratio = float(long_mm * short_mm / _mean_area_mm2(name))
    return width_mm, length_mm, rotation_rad, size_ratio


def _is_closer(item: WorldItem, other: WorldItem, gap_um: int) -> bool:
    """Whether the gap between two straight boxes is below a limit both across and along."""
    across_um = abs(item.x_um - other.x_um) - (item.width_um + other.width_um) // 2
    along_um = abs(item.belt_um - other.belt_um) - (item.length_um + other.length_um) // 2
    return max(across_um, along_um) < gap_um
