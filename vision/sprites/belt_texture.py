"""The empty belt: dark worn rubber between steel rails, without a seam along the travel."""

import numpy as np
from numpy.random import PCG64, Generator
from numpy.typing import NDArray

from vision.sprites.colours import bgr
from vision.sprites.raster import Field, Shape, blurred, sampled

_RUBBER = bgr("2a2d33")
_STEEL = bgr("6d6c66")
_RAIL_RATIO = 0.022


def draw_belt(width_px: int, period_px: int, seed: int) -> NDArray[np.uint8]:
    """Picture of an empty belt, (period_px, width_px, 3) uint8 BGR; its last row continues in its first.

    Args:
        width_px: columns, across the belt, rails included (about 2 % a side).
        period_px: rows after which the belt repeats.
        seed: which belt.
    """
    rng = Generator(PCG64(seed & 0xFFFF_FFFF_FFFF_FFFF))
    shape = period_px, width_px
    brightness = 1 + 0.10 * _periodic_noise(rng, shape, (160, 60)) + 0.05 * _periodic_noise(rng, shape, (9, 5))
    brightness += 0.16 * _periodic_noise(rng, shape, (period_px, 14)) + 0.09 * _periodic_noise(rng, shape, (240, 3))
    brightness *= _lane(width_px)[None, :]
    belt = _RUBBER * brightness[..., None].astype(np.float32)
    _scratch(rng, belt)
    _crumble(rng, belt)
    belt += np.float32(0.012) * rng.standard_normal(belt.shape, dtype=np.float32)
    _rails(rng, belt)
    return np.asarray(np.round(np.clip(belt, 0, 1) * 255), np.uint8)


def _periodic_noise(rng: Generator, shape: Shape, cell_px: tuple[float, float]) -> Field:
    """Smooth noise about -1..1 that wraps along rows; `cell_px` is the size of its features along and across."""
    grid = max(1, round(shape[0] / cell_px[0])), max(2, round(shape[1] / cell_px[1]))
    knots = rng.random(grid, dtype=np.float32) * np.float32(2) - np.float32(1)
    rows, columns = np.indices(shape, dtype=np.float32)
    rows *= np.float32(grid[0] / shape[0])
    return sampled(knots, rows, columns * np.float32((grid[1] - 1) / shape[1]), wrap=True)


def _lane(width_px: int) -> Field:
    """Brightness across: worn pale in the middle, dark and dirty towards the rails."""
    across = np.linspace(-1, 1, width_px, dtype=np.float32)
    return (np.float32(1.12) - np.float32(0.55) * np.abs(across) ** 3).astype(np.float32)


def _scratch(rng: Generator, belt: Field) -> None:
    """Pale scuffs along the travel."""
    rows, columns = belt.shape[:2]
    for _ in range(max(4, rows * columns // 9000)):
        length = int(rng.uniform(0.02, 0.25) * min(rows, 800)) + 2
        at_rows = (int(rng.integers(rows)) + np.arange(length)) % rows
        drift = rng.uniform(-0.06, 0.06)
        at_columns = np.clip(rng.integers(columns) + drift * np.arange(length), 0, columns - 1).astype(int)
        fade = np.sin(np.linspace(0, np.pi, length, dtype=np.float32)) * np.float32(rng.uniform(-0.04, 0.09))
        belt[at_rows, at_columns] += fade[:, None]


def _crumble(rng: Generator, belt: Field) -> None:
    """Dust and crumbs: specks of many colours, more towards the edges."""
    rows, columns = belt.shape[:2]
    count = max(8, rows * columns // 1500)
    at_rows, at_columns = rng.integers(rows, size=count), rng.integers(columns, size=count)
    tone = np.array([bgr(code) for code in ("8a7a62", "b5b2a8", "55493a", "9aa0a6", "6a5a2c")], np.float32)
    specks = np.zeros((rows, columns, 4), np.float32)
    specks[at_rows, at_columns, :3] = tone[rng.integers(len(tone), size=count)]
    specks[at_rows, at_columns, 3] = 1
    large = rng.random(count) < 0.12
    for down, right in ((0, 1), (1, 0), (1, 1)):
        specks[(at_rows[large] + down) % rows, (at_columns[large] + right) % columns] = specks[
            at_rows[large], at_columns[large]
        ]
    wrapped = np.concatenate((specks[-4:], specks, specks[:4]))
    soft = blurred(wrapped, 0.6)[4:-4]
    belt *= 1 - soft[..., 3:] * np.float32(0.8)
    belt += soft[..., :3] * np.float32(0.8)


def _rails(rng: Generator, belt: Field) -> None:
    """Brushed steel at both sides, a rubber skirt's dark line beside it."""
    rows, columns = belt.shape[:2]
    wide = max(3, round(_RAIL_RATIO * columns))
    brushed = (
        1 + 0.12 * _periodic_noise(rng, (rows, wide), (3, 40)) + 0.15 * _periodic_noise(rng, (rows, wide), (90, 3))
    )
    across = np.sin(np.linspace(0.5, 2.6, wide, dtype=np.float32)) * brushed
    steel = _STEEL * across[..., None]
    belt[:, :wide], belt[:, -wide:] = steel, steel[:, ::-1]
    skirt = slice(wide, wide + max(1, wide // 3))
    belt[:, skirt] *= np.float32(0.35)
    belt[:, -skirt.stop : -skirt.start] *= np.float32(0.35)
