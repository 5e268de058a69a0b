"""Single items that can be laid into a picture: drawn, cut out, or lifted from labelled pictures."""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from sorter.model.materials import material_named
from training.synthesis.outlining import outline
from training.synthesis.pixels import Picture, recoloured, stretched, warped
from training.synthesis.scene import Scene
from vision.sprites.artist import SpriteArtist

# What the line's camera sees, whatever the number of pixels (see DATA.md: 16:9 stretched to a square).
VIEW_ACROSS_MM = 1400.0
VIEW_ALONG_MM = 787.5
# A millimetre along the belt is this many times as many pixels as one across.
VIEW_STRETCH_RATIO = VIEW_ACROSS_MM / VIEW_ALONG_MM
_SEED_LIMIT = 2**31
_LEAST_ALPHA = 64
_LEAST_SIDE_PX = 8
_MOST_OVERLAP_RATIO = 0.3
# Print and dye may have any hue; for the others the hue is what tells the class.
_ANY_HUE = frozenset({"hdpe", "can", "carton", "paper_cardboard", "residue"})


class Item(msgspec.Struct, frozen=True):
    """One item, ready to be laid.

    Attributes:
        sprite: (H, W, 4) uint8 BGRA, straight alpha, cut to what is visible.
        class_id: into the class list.
        solid: False for items lifted from a picture without an outline, whose own surroundings fade out round them:
            they cast no shadow and cannot be turned.
    """

    sprite: Picture
    class_id: int
    solid: bool


def drawn_item(artist: SpriteArtist, class_names: Sequence[str], class_id: int, size_px: int, rng: Generator) -> Item:
    """An item of a class at the size and turn it may have on the belt.

    Args:
        artist: who draws.
        class_names: ordered classes.
        class_id: which of them.
        size_px: side of the square picture it is meant for.
        rng: source of size, turn and look.
    """
    material = material_named(class_names[class_id])
    long_mm = rng.uniform(*material.long_side_mm) * rng.uniform(0.85, 1.15)
    short_mm = long_mm / rng.uniform(*material.aspect_ratio)
    rotation_rad = rng.uniform(0.0, 2.0 * np.pi)
    sine, cosine = abs(np.sin(rotation_rad)), abs(np.cos(rotation_rad))
    width_px = max(4, round((long_mm * sine + short_mm * cosine) * size_px / VIEW_ACROSS_MM))
    length_px = max(4, round((long_mm * cosine + short_mm * sine) * size_px / VIEW_ALONG_MM))
    seed = int(rng.integers(_SEED_LIMIT))
    return Item(artist.draw(class_names[class_id], seed, rotation_rad, width_px, length_px), class_id, solid=True)


def lifted_items(scene: Scene, margin_px: float = 2.0) -> list[Item]:
    """The labelled items of a picture, along their outlines; where none is found, each in its box, corners fading.

    Items cut by the picture's edge and items overlapped by another box are left out.
    """
    limits = np.array([scene.width_px, scene.height_px])
    boxes_px = scene.boxes_px
    whole = (boxes_px[:, :2] > margin_px).all(axis=1) & (boxes_px[:, 2:] < limits - margin_px).all(axis=1)
    whole &= (boxes_px[:, 2:] - boxes_px[:, :2] >= _LEAST_SIDE_PX).all(axis=1)
    return [_lifted(scene, int(index)) for index in np.flatnonzero(whole & ~_overlapped(boxes_px))]


def varied(item: Item, class_names: Sequence[str], rng: Generator) -> Item:
    """The same item mirrored, of another size, turned if it has an outline, and of another hue if its class allows."""
    sprite = np.ascontiguousarray(item.sprite[:: rng.choice([-1, 1]), :: rng.choice([-1, 1])])
    if class_names[item.class_id] in _ANY_HUE and rng.random() < 0.5:
        sprite = recoloured(sprite, int(rng.integers(180)))
    if item.solid:
        sprite = _turned(sprite, rng.uniform(0.0, 2.0 * np.pi), rng.uniform(0.85, 1.18))
    return rescaled(Item(sprite, item.class_id, item.solid), rng.uniform(0.75, 1.25))


def with_other_hues(scene: Scene, class_names: Sequence[str], share_ratio: float, rng: Generator) -> Scene:
    """The scene with some items, of classes whose hue says nothing, given another hue where they lie."""
    picture = scene.picture.copy()
    for box_px, class_id in zip(np.round(scene.boxes_px).astype(int), scene.class_ids, strict=True):
        if class_names[class_id] in _ANY_HUE and rng.random() < share_ratio:
            left, top, right, bottom = box_px
            colours = picture[top:bottom, left:right]
            mask = _fading_mask(*colours.shape[:2])[..., None] / np.float32(255)
            colours[:] = recoloured(colours, int(rng.integers(180))) * mask + colours * (1 - mask)
    return Scene(picture, scene.boxes_px, scene.class_ids, scene.known)


def _turned(sprite: Picture, turn_rad: float, squeeze: float) -> Picture:
    """A sprite turned and squeezed on the belt: the view's stretch is undone before and done again after."""
    sine, cosine = np.sin(turn_rad), np.cos(turn_rad)
    stretch = np.diag([1.0, VIEW_STRETCH_RATIO])
    turn = stretch @ np.array([[cosine, -sine], [sine, cosine]]) @ np.diag([squeeze, 1 / squeeze])
    matrix = np.eye(3)
    matrix[:2, :2] = turn @ np.linalg.inv(stretch)
    height_px, width_px = sprite.shape[:2]
    corners = np.array([[0, 0], [width_px, 0], [0, height_px], [width_px, height_px]]) @ matrix[:2, :2].T
    matrix[:2, 2] = -corners.min(axis=0)
    extent = np.ceil(np.ptp(corners, axis=0)).astype(int)
    return _cut_to_visible(warped(sprite, matrix, int(extent[1]), int(extent[0]), outside=(0, 0, 0, 0)))


def _cut_to_visible(sprite: Picture) -> Picture:
    visible = sprite[..., 3] >= _LEAST_ALPHA
    rows, columns = np.flatnonzero(visible.any(axis=1)), np.flatnonzero(visible.any(axis=0))
    if not len(rows):
        return sprite
    return np.ascontiguousarray(sprite[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def rescaled(item: Item, scale: float) -> Item:
    """The same item `scale` times as large."""
    height_px, width_px = (max(4, round(side * scale)) for side in item.sprite.shape[:2])
    return Item(stretched(item.sprite, height_px, width_px), item.class_id, item.solid)


def _lifted(scene: Scene, index: int) -> Item:
    box_px = np.round(scene.boxes_px[index])
    left, top, right, bottom = box_px.astype(int)
    colours = scene.picture[top:bottom, left:right]
    mask = outline(scene.picture, box_px)
    class_id = int(scene.class_ids[index])
    if mask is None:
        return Item(np.dstack([colours, _fading_mask(*colours.shape[:2])]), class_id, solid=False)
    return Item(_cut_to_visible(np.dstack([colours, mask])), class_id, solid=True)


def _fading_mask(height_px: int, width_px: int) -> Picture:
    # A superellipse of order four: full over most of the box, gone in the corners, where the belt shows.
    along = np.abs(np.linspace(-1, 1, height_px))[:, None]
    across = np.abs(np.linspace(-1, 1, width_px))[None, :]
    radius = (along**4 + across**4) ** 0.25
    mask: Picture = (np.clip((1.08 - radius) / 0.16, 0, 1) * 255).astype(np.uint8)
    return mask


def _overlapped(boxes_px: NDArray[np.float64]) -> NDArray[np.bool_]:
    low = np.maximum(boxes_px[:, None, :2], boxes_px[None, :, :2])
    high = np.minimum(boxes_px[:, None, 2:], boxes_px[None, :, 2:])
    common = np.maximum(high - low, 0).prod(axis=2)
    np.fill_diagonal(common, 0)
    area = (boxes_px[:, 2:] - boxes_px[:, :2]).prod(axis=1)
    overlapped: NDArray[np.bool_] = common.sum(axis=1) > _MOST_OVERLAP_RATIO * area
    return overlapped
