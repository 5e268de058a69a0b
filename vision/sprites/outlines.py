"""Outlines that are not spun: moulded shapes, torn sheets and lumps, as masks with a body's bulge."""

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from vision.sprites.raster import Field, Shape, blurred, depth_inside, polygon_mask
from vision.sprites.turned import LENGTH_PX, MARGIN_PX

Points = Sequence[tuple[float, float]]


def canvas_shape(aspect: float) -> Shape:
    """Rows and columns for a drawing `aspect` times as wide as long, with the margin all forms share."""
    return LENGTH_PX + 2 * MARGIN_PX, round(LENGTH_PX * aspect) + 2 * MARGIN_PX


def placed(points: Points | NDArray[np.floating], shape: Shape) -> Field:
    """`points` (x, y in 0..1) in px on a canvas with margins: (N, 2)."""
    inner = np.array((shape[1] - 2 * MARGIN_PX, shape[0] - 2 * MARGIN_PX), np.float32)
    return np.asarray(np.array(points, np.float32) * inner + MARGIN_PX, np.float32)


def rounded(points: Points, aspect: float, radius_px: float) -> Field:
    """Mask of a polygon with corners rounded by about `radius_px`."""
    shape = canvas_shape(aspect)
    soft = blurred(polygon_mask(shape, placed(points, shape)), radius_px)
    return np.asarray(np.clip((soft - 0.5) * np.float32(radius_px) + 0.5, 0, 1), np.float32)


def pillow(mask: Field, depth_px: float) -> Field:
    """Height of a cushion over `mask`: steep at the border, level after `depth_px`."""
    inward = np.clip(depth_inside(mask) / np.float32(depth_px), 0, 1)
    return blurred(np.sqrt(1 - (1 - inward) ** 2).astype(np.float32), 1.2) * np.float32(0.7 * depth_px)


def torn_sheet(rng: Generator, aspect: float, raggedness: float, corner_count: int = 4) -> Field:
    """Mask of a sheet with `corner_count` corners, edges wavering by `raggedness` (share of the width)."""
    shape = canvas_shape(aspect)
    corner_angle = (np.arange(corner_count) + 0.5) * 2 * np.pi / corner_count + rng.uniform(-0.2, 0.2, corner_count)
    corners = np.stack((np.cos(corner_angle), np.sin(corner_angle)), 1) * np.sqrt(0.5)
    corners = np.clip(corners + 0.5, 0.0, 1.0) if corner_count == 4 else corners / np.abs(corners).max() / 2 + 0.5
    steps = np.linspace(0, 1, 14, endpoint=False)[:, None]
    edges = [start + (end - start) * steps for start, end in zip(corners, np.roll(corners, -1, 0), strict=True)]
    path = np.concatenate(edges)
    path += rng.uniform(-raggedness, raggedness, path.shape) * rng.choice((0.25, 1.0), (len(path), 1))
    return polygon_mask(shape, placed(np.clip(path, 0, 1), shape))


def lump(rng: Generator, aspect: float, roughness: float, harmonics: int = 7) -> Field:
    """Mask of a closed blob whose radius wavers by `roughness`."""
    shape = canvas_shape(aspect)
    angle = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    radius = np.ones_like(angle)
    for k in range(2, 2 + harmonics):
        radius += roughness / np.sqrt(k) * rng.uniform(-1, 1) * np.cos(k * angle + rng.uniform(0, 6.3))
    radius *= 0.5 / radius.max()
    path = np.stack((0.5 + radius * np.cos(angle), 0.5 + radius * np.sin(angle)), 1)
    return polygon_mask(shape, placed(path, shape))
