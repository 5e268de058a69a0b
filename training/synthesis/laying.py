"""Laying items into pictures so that every one of them is labelled, and making whole belts of the program's own.

Which items and how often is `mixture`'s.
"""

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator

from training.synthesis.items import Item
from training.synthesis.pixels import Picture
from training.synthesis.scene import Boxes, Scene, clipped
from vision.boxes import areas, intersections
from vision.sprites.compositing import paste

_PLACES_TRIED = 12
_LEAST_INSIDE_RATIO = 0.4


def laid(scene: Scene, item: Item, top_px: int, left_px: int) -> Scene:
    """The scene with an item on top and its label added; the given scene stays as it is.

    Args:
        scene: what to lay it into.
        item: what to lay.
        top_px: row of the item's first row, may be outside.
        left_px: column of the item's first column, likewise.
    """
    picture = scene.picture.copy()
    paste(picture, item.sprite, top_px, left_px, shadow=item.solid)
    boxes_px = np.concatenate([scene.boxes_px, _box_px(item, top_px, left_px)[None]])
    return clipped(Scene(picture, boxes_px, np.append(scene.class_ids, item.class_id), scene.known))


def with_items(scene: Scene, items: Sequence[Item], covered_ratio: float, rng: Generator) -> Scene:
    """Lay items where they cover no labelled item by more than `covered_ratio`; those without a place are left out."""
    for item in items:
        place = _free_place(scene, item, covered_ratio, rng)
        if place is not None:
            scene = laid(scene, item, *place)
    return scene


def belt_scene(belt: Picture, items: Sequence[Item], class_count: int, covered_ratio: float, rng: Generator) -> Scene:
    """Items on an empty belt: every item on it is labelled, so all classes are known.

    Args:
        belt: (H, W, 3) uint8 BGR, empty.
        items: what to lay.
        class_count: number of classes.
        covered_ratio: how much of a labelled item another may cover.
        rng: source of the places.
    """
    empty = Scene(belt, np.zeros((0, 4)), np.zeros(0, dtype=np.int64), np.ones(class_count, dtype=np.bool_))
    return with_items(empty, items, covered_ratio, rng)


def _free_place(scene: Scene, item: Item, covered_ratio: float, rng: Generator) -> tuple[int, int] | None:
    height_px, width_px = item.sprite.shape[:2]
    for _ in range(_PLACES_TRIED):
        top_px = int(rng.integers(-height_px // 2, scene.height_px - height_px // 2))
        left_px = int(rng.integers(-width_px // 4, scene.width_px - 3 * width_px // 4))
        box_px = _box_px(item, top_px, left_px)
        if _fits(scene, box_px, covered_ratio):
            return top_px, left_px
    return None


def _fits(scene: Scene, box_px: Boxes, covered_ratio: float) -> bool:
    limits = np.array([scene.width_px, scene.height_px] * 2, dtype=np.float64)
    inside = areas(np.clip(box_px, 0, limits)[None])[0] / areas(box_px[None])[0]
    covered = intersections(scene.boxes_px, box_px[None])[:, 0] / np.maximum(areas(scene.boxes_px), 1.0)
    return bool(inside >= _LEAST_INSIDE_RATIO and (covered <= covered_ratio).all())


def _box_px(item: Item, top_px: int, left_px: int) -> Boxes:
    height_px, width_px = item.sprite.shape[:2]
    return np.array([left_px, top_px, left_px + width_px, top_px + height_px], dtype=np.float64)
