"""What the second look is shown: items turned, mirrored, moved and relit, drawn by lot.

Example number `i` is a function of (seed, i) alone, so any number of loader processes gives the same training.
"""

from collections.abc import Sequence

import cv2
import msgspec
import numpy as np
from numpy.random import Generator

from training.naming.patches import SPARE_RATIO, Patch, shares_by_class
from training.synthesis.pixels import Picture
from vision.second_look.cutting import cut_square


class Shares(msgspec.Struct, frozen=True):
    """Of a hundred examples, how many are not real labelled items."""

    drawn_ratio: float = 0.1
    mistaken_ratio: float = 0.22


class ItemLot:
    """An endless lot of examples."""

    def __init__(self, pools: Sequence[tuple[float, Sequence[Patch]]], side_px: int, seed: int) -> None:
        """Draw from several pools.

        Args:
            pools: how often, and what; empty ones are left out.
            side_px: of an example.
            seed: of everything that is drawn by lot.
        """
        filled = [(share, patches) for share, patches in pools if share > 0.0 and patches]
        self._pools = [(patches, shares_by_class(patches)) for _, patches in filled]
        total = sum(share for share, _ in filled)
        self._shares = [share / total for share, _ in filled]
        self._side_px = side_px
        self._seed = seed

    def example(self, index: int) -> tuple[Picture, int]:
        """Example number `index`: (side_px, side_px, 3) uint8 BGR, and its class."""
        rng = np.random.default_rng([self._seed, index])
        patches, shares = self._pools[int(rng.choice(len(self._pools), p=self._shares))]
        patch = patches[int(rng.choice(len(patches), p=shares))]
        return _relit(_turned(patch.picture, self._side_px, rng), rng), patch.class_id


def _turned(patch: Picture, side_px: int, rng: Generator) -> Picture:
    """The patch any way round, as on a belt seen from above, nearer or further, and not quite in the middle."""
    whole_px = patch.shape[0]
    item_px = whole_px / SPARE_RATIO
    centre_px = whole_px / 2 + rng.normal(0.0, 0.04, 2) * item_px
    return cut_square(
        patch, (float(centre_px[0]), float(centre_px[1])), item_px * float(np.exp(rng.normal(0.0, 0.12))), (1.0, 1.0),
        side_px, angle_rad=rng.uniform(0.0, 2.0 * np.pi), mirrored=bool(rng.random() < 0.5),
    )  # fmt: skip


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
