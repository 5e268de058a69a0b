"""Bodies of revolution lying on their side, because bottles, cans, jars and pots are all one outline spun round.

Gives coverage, height and the angle round the axis, on which labels and highlights hang.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from vision.sprites.raster import Field, Shape, sampled
from vision.sprites.surface import smooth_noise

LENGTH_PX = 240
MARGIN_PX = 6

Profile = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Turned:
    """A lying body of revolution, its top end at row 0.

    Attributes:
        across: (rows, columns) -1 at the left edge, 0 on the axis, 1 at the right edge.
        along: (rows,) 0 at the top end, 1 at the bottom.
        half_width_px: (rows,) mean half width.
        coverage: (rows, columns) 0..1.
        height: (rows, columns) px above the belt.
    """

    across: Field
    along: Field
    half_width_px: Field
    coverage: Field
    height: Field

    @property
    def shape(self) -> Shape:
        """Rows and columns of the canvas."""
        return self.across.shape[0], self.across.shape[1]

    def band(self, start: float, end: float, tilt: float = 0.0) -> Field:
        """Mask of the stretch `start`..`end` (0..1 along the axis), curved as a ring is seen from above."""
        position = self.along[:, None] - np.float32(tilt) * self.across
        sharpness = np.float32(self.along.shape[0] * 0.7)
        lower, upper = (position - np.float32(start)) * sharpness, (np.float32(end) - position) * sharpness
        inside = np.clip(np.minimum(lower, upper) + 0.5, 0, 1) * (np.abs(self.across) <= 1)
        return np.asarray(inside, np.float32)

    def wrap(self, face: Field, start: float, end: float, turn: float = 0.0) -> Field:
        """`face` bent round the stretch `start`..`end`, 60 % of it in view: (rows, columns, 3)."""
        rows, columns = face.shape[:2]
        angle = np.arcsin(np.clip(self.across, -1, 1)) / np.float32(np.pi)
        read_columns = (angle * np.float32(0.6) + np.float32(0.5 + turn)) * np.float32(columns)
        read_rows = (self.along[:, None] - np.float32(start)) / np.float32(end - start) * np.float32(rows)
        return sampled(face, np.broadcast_to(read_rows, self.shape).astype(np.float32), read_columns % columns)


@dataclass(frozen=True)
class Crush:
    """How far a body is from new: `dent_ratio` of the outline, `flat_ratio` of the height, `bend_px` of the axis."""

    dent_ratio: float = 0.0
    flat_ratio: float = 0.0
    bend_px: float = 0.0


def turned(rng: Generator, profile: Profile, radius_px: float, crush: Crush | None = None) -> Turned:
    """Spin an outline and lay it on the belt.

    Args:
        rng: source of dents and bends.
        profile: points (position 0..1 from the top end, half width as a share of `radius_px`).
        radius_px: half width where the profile says 1.
        crush: dents, flattening and bend; None for a body as new.
    """
    crush = crush or Crush()
    row = (np.arange(LENGTH_PX + 2 * MARGIN_PX, dtype=np.float32) - MARGIN_PX) / np.float32(LENGTH_PX)
    left, right = _sides(rng, _half_width(row, profile, radius_px), radius_px, crush)
    axis = np.float32(crush.bend_px) * np.sin(row * np.float32(np.pi) * np.float32(rng.uniform(0.7, 1.8)))
    reach = np.float32(max(np.max(left - axis), np.max(right + axis)) + MARGIN_PX)
    column = np.arange(int(2 * reach), dtype=np.float32)[None, :] - reach - axis[:, None]
    side_width = np.where(column < 0, left[:, None], right[:, None])
    across = np.clip(column / np.maximum(side_width, np.float32(0.5)), -1.2, 1.2).astype(np.float32)
    coverage = np.clip((1 - np.abs(across)) * side_width + 0.5, 0, 1) * (left[:, None] > 0)
    mean_half = np.asarray((left + right) / 2, np.float32)
    round_part = np.sqrt(np.clip(1 - across**2, 0, 1)) * mean_half[:, None]
    height = np.asarray(round_part * np.float32(1 - 0.8 * crush.flat_ratio), np.float32)
    return Turned(across, row, mean_half, coverage.astype(np.float32), height)


def _half_width(row: Field, profile: Profile, radius_px: float) -> Field:
    """The outline's half width at each `row` (0..1), its corners slightly eased."""
    places, widths = zip(*profile, strict=True)
    half = np.interp(row, places, widths, left=0, right=0) * radius_px
    eased = np.convolve(half, np.full(5, 0.2), mode="same") * (half > 0)
    return np.asarray(eased, np.float32)


def _sides(rng: Generator, half: Field, radius_px: float, crush: Crush) -> tuple[Field, Field]:
    """Left and right half width of the crushed body; thin necks are stiff and keep theirs."""
    soft = np.clip(half / np.float32(radius_px), 0, 1) ** 2
    waver = smooth_noise(rng, (len(half), 2), len(half) / 6) * np.float32(crush.dent_ratio)
    spread = 1 + np.float32(0.35 * crush.flat_ratio) * soft
    return half * (spread + waver[:, 0] * soft), half * (spread + waver[:, 1] * soft)
