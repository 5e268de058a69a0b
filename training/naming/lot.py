"""What the second look is shown: items turned, mirrored, moved and relit, drawn by lot.

Example number `i` is a function of (seed, i) alone, so any number of loader processes gives the same training.
"""

from collections.abc import Sequence

import cv2
import msgspec
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from training.naming.patches import Box, Patch, shares_by_class
from training.synthesis.pixels import Picture
from vision.second_look.cutting import Framing, cut, pale_around, placed

# Overlap with a label from which on a box is a little of its class, and wholly so.
_FIRST_FIT_RATIO, _WHOLE_FIT_RATIO = 0.25, 0.6
# How far, by its sides, a box is moved: a label as boxes of a network lie, a found one less, since it lies as it does.
_LABEL_SHIFT_RATIO, _FOUND_SHIFT_RATIO = 0.07, 0.035
_NEARER_RATIO = 0.08


class Shares(msgspec.Struct, frozen=True):
    """Of a hundred examples, how many are not real labelled items."""

    drawn_ratio: float = 0.15
    found_ratio: float = 0.35


class ItemLot:
    """An endless lot of examples."""

    def __init__(
        self,
        pools: Sequence[tuple[float, Sequence[Patch]]],
        class_count: int,
        side_px: int,
        framing: Framing,
        seed: int,
    ) -> None:
        """Draw from several pools.

        Args:
            pools: how often, and what; empty ones are left out.
            class_count: C.
            side_px: of an example.
            framing: of an example.
            seed: of everything that is drawn by lot.
        """
        filled = [(share, patches) for share, patches in pools if share > 0.0 and patches]
        self._pools = [(patches, shares_by_class(patches, class_count)) for _, patches in filled]
        total = sum(share for share, _ in filled)
        self._shares = [share / total for share, _ in filled]
        self._class_count = class_count
        self._side_px = side_px
        self._framing = framing
        self._seed = seed

    def example(self, index: int) -> tuple[Picture, NDArray[np.float32]]:
        """Example number `index`: (side_px, side_px, 3) uint8 BGR, and what it should be named.

        The names (C + 1,) add up to 1. The last one is that of nothing: the worse a box fits the item, the more.
        """
        rng = np.random.default_rng([self._seed, index])
        patches, shares = self._pools[int(rng.choice(len(self._pools), p=self._shares))]
        patch = patches[int(rng.choice(len(patches), p=shares))]
        box_px = _moved(patch, rng)
        return self._square(patch, box_px, rng), self._names(patch, box_px)

    def _square(self, patch: Patch, box_px: Box, rng: Generator) -> Picture:
        """The box any way round, as on a belt seen from above, nearer or further, and in another light."""
        nearer = float(np.exp(rng.normal(0.0, _NEARER_RATIO)))
        framing = msgspec.structs.replace(self._framing, margin_ratio=self._framing.margin_ratio * nearer)
        placement = placed(
            box_px, patch.aspect_scale, framing, self._side_px,
            angle_rad=rng.uniform(0.0, 2.0 * np.pi), mirrored=bool(rng.random() < 0.5),
        )  # fmt: skip
        square = np.empty((self._side_px, self._side_px, 3), np.uint8)
        cut(patch.picture(), placement, square)
        square = _relit(square, rng)
        pale_around(square, placement, box_px, framing.surroundings_ratio)
        return square

    def _names(self, patch: Patch, box_px: Box) -> NDArray[np.float32]:
        fit = (patch.fit_ratio(box_px) - _FIRST_FIT_RATIO) / (_WHOLE_FIT_RATIO - _FIRST_FIT_RATIO)
        names = np.zeros(self._class_count + 1, np.float32)
        names[patch.class_id] = np.clip(fit, 0.0, 1.0)
        names[-1] += 1.0 - names.sum()
        return names


def _moved(patch: Patch, rng: Generator) -> Box:
    """The box as a network might have found it."""
    shift_ratio = _FOUND_SHIFT_RATIO if patch.is_found else _LABEL_SHIFT_RATIO
    sides = patch.box_px[2:] - patch.box_px[:2]
    centre = (patch.box_px[:2] + patch.box_px[2:]) / 2 + rng.normal(0.0, shift_ratio, 2) * sides
    half = sides / 2 * np.exp(rng.normal(0.0, 1.7 * shift_ratio, 2))
    return np.concatenate([centre - half, centre + half])


def _relit(picture: Picture, rng: Generator) -> Picture:
    """Another lamp, lens and sensor; now and then a part is hidden, as by an item that lies over it."""
    lit = picture.astype(np.float32) * rng.uniform(0.65, 1.4)
    lit = (lit - lit.mean()) * rng.uniform(0.7, 1.35) + lit.mean()
    lit *= rng.uniform(0.88, 1.12, 3).astype(np.float32)
    if rng.random() < 0.3:
        grey = lit.mean(axis=2, keepdims=True)
        lit = grey + (lit - grey) * rng.uniform(0.4, 1.5)
    if rng.random() < 0.3:
        lit = cv2.GaussianBlur(lit, (0, 0), rng.uniform(0.3, 1.5)).astype(np.float32)
    if rng.random() < 0.3:
        lit += rng.normal(0.0, rng.uniform(2.0, 10.0), lit.shape)
    if rng.random() < 0.35:
        side_px = lit.shape[0]
        high, wide = rng.integers(side_px // 8, side_px // 2, 2)
        top, left = rng.integers(0, side_px - high), rng.integers(0, side_px - wide)
        lit[top : top + high, left : left + wide] = rng.uniform(0.0, 255.0)
    return np.asarray(np.clip(lit, 0.0, 255.0), np.uint8)
