"""What the network is shown: a seeded, endless mixture of real pictures, pasted items and the program's own belts.

Picture number `i` is a function of (seed, i) alone, so any number of loader processes gives the same training.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from training.data.datasets import TrainingSet
from training.synthesis.items import (
    VIEW_STRETCH_RATIO,
    Item,
    drawn_item,
    lifted_items,
    rescaled,
    varied,
    with_other_hues,
)
from training.synthesis.laying import belt_scene, with_items
from training.synthesis.pixels import Picture, relit, shot
from training.synthesis.scene import Scene, moved, quarter_turn, scaling, shift, tiled
from vision.sprites.artist import SpriteArtist
from vision.sprites.belt_texture import draw_belt

_BELT_PERIOD_RATIO = 3
# Items lie any way; the belt, its edges and its light do not.
_QUARTER_TURN_RATIO = 0.25


class Recipe(msgspec.Struct, frozen=True):
    """Shares and strengths of the mixture."""

    belt_ratio: float = 0.2
    tiled_ratio: float = 0.25
    lifted_ratio: float = 0.7
    drawn_ratio: float = 0.3
    recoloured_ratio: float = 0.3
    belt_count: int = 12
    drawn_per_class: int = 160


class Stock(NamedTuple):
    """Items made once and laid many times, by class."""

    class_names: tuple[str, ...]

    belts: tuple[Picture, ...]
    drawn: tuple[tuple[Item, ...], ...]
    lifted: tuple[tuple[Item, ...], ...]


class Mixture:
    """Scenes for training, all size_px × size_px."""

    def __init__(self, sets: Sequence[TrainingSet], stock: Stock, recipe: Recipe, size_px: int, seed: int) -> None:
        self._sets = tuple(sets)
        self._stock = stock
        self._recipe = recipe
        self._size_px = size_px
        self._seed = seed
        # A folder teaches to tell apart the pairs of classes that it names: one with seven classes says more than seven
        # times as much as one with a single class, and is shown so much more often.
        counts = np.array([max(1, one.known_class_count) ** 2 for one in sets], dtype=np.float64)
        self._shares = counts / max(1.0, counts.sum())

    def scene(self, index: int) -> Scene:
        """Picture number `index`."""
        rng = np.random.default_rng([self._seed, index])
        scene = self._belt(rng) if rng.random() < self._recipe.belt_ratio else self._real(rng)
        return Scene(shot(relit(scene.picture, rng), rng), scene.boxes_px, scene.class_ids, scene.known)

    def _belt(self, rng: Generator) -> Scene:
        belts = self._stock.belts
        belt = belts[int(rng.integers(len(belts)))]
        top_px = int(rng.integers(belt.shape[0] - self._size_px + 1))
        window = belt[top_px : top_px + self._size_px, :: rng.choice([-1, 1])]
        covered_ratio = 0.0 if rng.random() < 0.7 else 0.25
        items = self._drawn(int(rng.poisson(6)), rng)
        return belt_scene(np.ascontiguousarray(window), items, len(self._stock.drawn), covered_ratio, rng)

    def _real(self, rng: Generator) -> Scene:
        chosen = self._sets[int(rng.choice(len(self._sets), p=self._shares))]
        far = chosen.zoom_ratio < 0.75
        scene = self._four(chosen, rng) if far or rng.random() < self._recipe.tiled_ratio else self._one(chosen, rng)
        scene = with_other_hues(scene, self._stock.class_names, self._recipe.recoloured_ratio, rng)
        if rng.random() < self._recipe.lifted_ratio:
            scene = with_items(scene, self._lifted(1 + int(rng.poisson(1.5)), rng), 0.2, rng)
        if rng.random() < self._recipe.drawn_ratio:
            scene = with_items(scene, self._drawn(1 + int(rng.poisson(1)), rng), 0.2, rng)
        return scene

    def _one(self, chosen: TrainingSet, rng: Generator) -> Scene:
        return _viewed(_pick(chosen, rng), 1.0, self._size_px, self._size_px, rng)

    def _four(self, chosen: TrainingSet, rng: Generator) -> Scene:
        size_px = self._size_px
        column_px, row_px = (int(rng.uniform(0.35, 0.65) * size_px) for _ in range(2))
        sides = [
            (height_px, width_px) for height_px in (row_px, size_px - row_px)
            for width_px in (column_px, size_px - column_px)
        ]  # fmt: skip
        zoom = 0.85 * chosen.zoom_ratio
        return tiled([_viewed(_pick(chosen, rng), zoom, *side, rng) for side in sides], column_px, row_px)

    def _drawn(self, count: int, rng: Generator) -> list[Item]:
        kinds = self._stock.drawn
        return [_any(kinds[int(kind)], rng) for kind in rng.integers(len(kinds), size=count)]

    def _lifted(self, count: int, rng: Generator) -> list[Item]:
        kinds = [items for items in self._stock.lifted if items]
        if not kinds:
            return []
        names = self._stock.class_names
        return [varied(_any(kinds[int(kind)], rng), names, rng) for kind in rng.integers(len(kinds), size=count)]


def fill_stock(
    sets: Sequence[TrainingSet], artists: Sequence[SpriteArtist], class_names: Sequence[str], recipe: Recipe,
    size_px: int, seed: int,
) -> Stock:  # fmt: skip
    """Draw the belts and items of a run, and lift items from the real pictures.

    Args:
        sets: the real pictures.
        artists: who draws, in turn; empty for none.
        class_names: ordered classes.
        recipe: how many.
        size_px: side of the training pictures.
        seed: of all looks.
    """
    rng = np.random.default_rng([seed, 1])
    belts = tuple(
        draw_belt(size_px, _BELT_PERIOD_RATIO * size_px, int(rng.integers(2**31))) for _ in range(recipe.belt_count)
    )
    drawn = tuple(
        tuple(
            drawn_item(artists[index % len(artists)], class_names, class_id, size_px, rng)
            for index in range(recipe.drawn_per_class if artists else 0)
        )
        for class_id in range(len(class_names))
    )
    lifted = _lifted_by_class(sets, len(class_names), rng)
    return Stock(tuple(class_names), belts, drawn, lifted)


def _lifted_by_class(sets: Sequence[TrainingSet], class_count: int, rng: Generator) -> tuple[tuple[Item, ...], ...]:
    """Items of the set that names most classes, and at most as many again of each class from the others."""
    if not sets:
        return ((),) * class_count
    richest = max(sets, key=lambda one: one.known_class_count)
    own = [item for scene in richest.scenes for item in lifted_items(scene)]
    room = np.bincount(np.array([item.class_id for item in own], dtype=np.int64), minlength=class_count)
    others = []
    for item in _lifted_elsewhere([one for one in sets if one is not richest], rng):
        if room[item.class_id] > 0:
            room[item.class_id] -= 1
            others.append(item)
        if not room.any():
            break
    return tuple(tuple(item for item in own + others if item.class_id == class_id) for class_id in range(class_count))


def _lifted_elsewhere(sets: Sequence[TrainingSet], rng: Generator) -> Iterator[Item]:
    """Items of several sets, at the size they have on the line's own camera, pictures in an order drawn by lot."""
    scenes = [(scene, one.zoom_ratio) for one in sets for scene in one.scenes]
    for index in rng.permutation(len(scenes)):
        scene, zoom_ratio = scenes[index]
        yield from (rescaled(item, zoom_ratio) for item in lifted_items(scene))


def _viewed(scene: Scene, zoom: float, height_px: int, width_px: int, rng: Generator) -> Scene:
    """A window of a scene, its size, place and orientation drawn by lot."""
    matrix = shift(-scene.width_px / 2, -scene.height_px / 2)
    turned = rng.random() < _QUARTER_TURN_RATIO
    if turned:
        zoom *= VIEW_STRETCH_RATIO**0.5
        # A turned belt, the camera's stretch undone and done again, so that shapes stay true.
        matrix = scaling(1 / VIEW_STRETCH_RATIO, VIEW_STRETCH_RATIO) @ quarter_turn() @ matrix
    scale, aspect = zoom * np.exp(rng.uniform(-0.35, 0.35)), np.exp(rng.uniform(-0.1, 0.1))
    matrix = scaling(scale * aspect * rng.choice([-1, 1]), scale / aspect * rng.choice([-1, 1])) @ matrix
    free_px = _free_px(scene, matrix, height_px, width_px)
    offset_px = np.array([width_px / 2, height_px / 2]) + rng.uniform(-0.5, 0.5, 2) * free_px
    return moved(scene, shift(*offset_px) @ matrix, height_px, width_px)


def _free_px(scene: Scene, matrix: NDArray[np.float64], height_px: int, width_px: int) -> NDArray[np.float64]:
    extent = np.abs(matrix[:2, :2]) @ np.array([scene.width_px, scene.height_px])
    free: NDArray[np.float64] = np.abs(extent - np.array([width_px, height_px]))
    return free


def _pick(chosen: TrainingSet, rng: Generator) -> Scene:
    return chosen.scenes[int(rng.choice(len(chosen.scenes), p=chosen.weights))]


def _any(items: Sequence[Item], rng: Generator) -> Item:
    return items[int(rng.integers(len(items)))]
