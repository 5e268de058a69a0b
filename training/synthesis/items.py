"""Single items that can be laid into a picture: drawn, cut out, or lifted from labelled pictures."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from sorter.model.materials import material_named
from training.synthesis.pixels import Picture, stretched
from training.synthesis.scene import Scene
from vision.sprites.artist import CutoutSprites, DrawnSprites, SpriteArtist

# What the line's camera sees, whatever the number of pixels (see DATA.md: 16:9 stretched to a square).
VIEW_ACROSS_MM = 1400.0
VIEW_ALONG_MM = 787.5
_SEED_LIMIT = 2**31


class Item(msgspec.Struct, frozen=True):
    """One item, ready to be laid.

    Attributes:
        sprite: (H, W, 4) uint8 BGRA, straight alpha, cut to what is visible.
        class_id: into the class list.
        solid: False for items lifted from a picture, whose own surroundings fade out round them: they cast no shadow.
    """

    sprite: Picture
    class_id: int
    solid: bool


class TrustedCutouts:
    """Cut-outs of those materials whose name settles the class; the other classes are drawn.

    A plastic cut-out may be clear or green PET, HDPE or a cup: its file name does not say, so it teaches nothing here.
    """

    _AMBIGUOUS = frozenset({"pet_clear"})

    def __init__(self, folder: Path) -> None:
        self._cutouts = CutoutSprites(folder)
        self._drawn = DrawnSprites()

    def draw(
        self, class_name: str, appearance_seed: int, rotation_rad: float, width_px: int, length_px: int
    ) -> Picture:
        """Draw one item; see `SpriteArtist.draw`."""
        artist = self._drawn if class_name in self._AMBIGUOUS else self._cutouts
        return artist.draw(class_name, appearance_seed, rotation_rad, width_px, length_px)


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
    """The labelled items of a picture, each in its box with rounded, fading corners.

    Items cut by the picture's edge and items overlapped by another box are left out.
    """
    limits = np.array([scene.width_px, scene.height_px])
    boxes_px = scene.boxes_px
    whole = (boxes_px[:, :2] > margin_px).all(axis=1) & (boxes_px[:, 2:] < limits - margin_px).all(axis=1)
    return [_lifted(scene, int(index)) for index in np.flatnonzero(whole & ~_overlapped(boxes_px))]


def varied(item: Item, rng: Generator) -> Item:
    """The same item mirrored at random and a little larger or smaller."""
    sprite = np.ascontiguousarray(item.sprite[:: rng.choice([-1, 1]), :: rng.choice([-1, 1])])
    return rescaled(Item(sprite, item.class_id, item.solid), rng.uniform(0.8, 1.2))


def rescaled(item: Item, scale: float) -> Item:
    """The same item `scale` times as large."""
    height_px, width_px = (max(4, round(side * scale)) for side in item.sprite.shape[:2])
    return Item(stretched(item.sprite, height_px, width_px), item.class_id, item.solid)


def _lifted(scene: Scene, index: int) -> Item:
    left, top, right, bottom = np.round(scene.boxes_px[index]).astype(int)
    colours = scene.picture[top:bottom, left:right]
    sprite = np.dstack([colours, _fading_mask(*colours.shape[:2])])
    return Item(sprite, int(scene.class_ids[index]), solid=False)


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
    overlapped: NDArray[np.bool_] = common.sum(axis=1) > 0.15 * area
    return overlapped
