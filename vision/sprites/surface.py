"""Relief, wear and light, because crushed and dirty surfaces are what tells waste from a catalogue picture.

Noise, folds and stains are fields over a drawing; light turns height into brightness. Which form has how much of
each is left to the modules that draw forms.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from vision.sprites.raster import (
    Field,
    Shape,
    blurred,
    brightened,
    painted,
    resized_field,
    sampled,
    scaled_colours,
    with_alpha,
)

DIRT_BGR = np.array((0.10, 0.16, 0.21), np.float32)


@dataclass
class Body:
    """An item before light falls on it; all fields share (rows, columns).

    Attributes:
        albedo: (rows, columns, 3) own colour, BGR, 0..1.
        opacity: how much of the belt the material hides, 0..1.
        coverage: share of the pixel the item covers, 0..1.
        height: px above the belt, for light only.
        gloss: strength of highlights, 0 for paper and 1 for wet plastic.
        shininess: exponent of the highlight; larger is smaller and harder.
    """

    albedo: Field
    opacity: Field
    coverage: Field
    height: Field
    gloss: float = 0.5
    shininess: float = 24.0

    @property
    def shape(self) -> Shape:
        """Rows and columns of the canvas."""
        return self.coverage.shape[0], self.coverage.shape[1]

    def paint(self, mask: NDArray[np.floating], colour: Field, opacity: float | Field | None = 1.0) -> None:
        """Lay `colour` (3,) or (rows, columns, 3) over the item where `mask` (0..1) says so."""
        mask = np.asarray(mask, np.float32)
        self.albedo = painted(self.albedo, np.asarray(colour, np.float32), mask)
        if opacity is not None:
            self.opacity += (opacity - self.opacity) * mask


def solid_body(
    coverage: Field, colour: Field, height: NDArray[np.floating], gloss: float = 0.3, shininess: float = 24.0
) -> Body:
    """An opaque body of one colour."""
    albedo = np.empty((*coverage.shape, 3), np.float32)
    albedo[:] = colour
    return Body(albedo, np.ones_like(coverage), coverage, height.astype(np.float32), gloss, shininess)


def smooth_noise(rng: Generator, shape: Shape, cell_px: float) -> Field:
    """Smooth random field in about -1..1 whose features are `cell_px` across."""
    grid_shape = int(np.ceil(shape[0] / cell_px)) + 1, int(np.ceil(shape[1] / cell_px)) + 1
    grid = rng.random(grid_shape, dtype=np.float32) * np.float32(2) - np.float32(1)
    return resized_field(grid, shape)


def folds(rng: Generator, shape: Shape, count: int) -> Field:
    """Height of a sheet creased along `count` straight lines: piecewise plane, about -1..1, slopes jump at creases."""
    rows, columns = shape
    angle = rng.uniform(0, np.pi, count).astype(np.float32)
    through_x, through_y = (rng.random(count, dtype=np.float32) * np.float32(size) for size in (columns, rows))
    sign = rng.choice((-1.0, 1.0), count).astype(np.float32) * rng.uniform(0.4, 1, count).astype(np.float32)
    cosine, sine = np.cos(angle), np.sin(angle)
    across = cosine[:, None] * np.arange(columns, dtype=np.float32)
    along = sine[:, None] * np.arange(rows, dtype=np.float32)
    height = np.zeros(shape, np.float32)
    for k in range(count):
        offset = cosine[k] * through_x[k] + sine[k] * through_y[k]
        height += sign[k] * np.abs(along[k][:, None] + (across[k] - offset))
    return height / np.float32(np.sqrt(count) * 0.3 * max(shape))


def facets(rng: Generator, shape: Shape, cell_px: float) -> Field:
    """Height of a crumpled stiff sheet: plane facets about `cell_px` across, meeting in sharp creases, about -1..1.

    The squared distance to the nearest of some points is a paraboloid cut into Voronoi cells; the difference of two
    such fields cancels the paraboloids and leaves planes.
    """
    half = (shape[0] + 1) // 2, (shape[1] + 1) // 2
    difference = _squared_distance(rng, half, cell_px / 2) - _squared_distance(rng, half, cell_px / 2)
    return resized_field(difference / np.float32(cell_px**2 / 4), shape, "linear")


def _squared_distance(rng: Generator, shape: Shape, cell_px: float) -> Field:
    """Squared distance in px from each pixel to the nearest of points about `cell_px` apart."""
    y, x = np.arange(shape[0], dtype=np.float32)[:, None], np.arange(shape[1], dtype=np.float32)[None, :]
    nearest = np.full(shape, np.inf, np.float32)
    for _ in range(max(3, round(shape[0] * shape[1] / cell_px**2))):
        at_y, at_x = np.float32(rng.uniform(0, shape[0])), np.float32(rng.uniform(0, shape[1]))
        np.minimum(nearest, (y - at_y) ** 2 + (x - at_x) ** 2, out=nearest)
    return nearest


def wrinkles(rng: Generator, shape: Shape, cell_px: float) -> Field:
    """Height of crumpled film: ridges where two smooth fields change sign, about 0..1."""
    coarse = np.abs(smooth_noise(rng, shape, cell_px))
    return coarse + np.float32(0.5) * np.abs(smooth_noise(rng, shape, cell_px * 0.45))


def dented(body: Body, rng: Generator, amount_px: float, cell_px: float) -> None:
    """Push every field of the body about by a smooth random displacement."""
    rows, columns = np.indices(body.shape, dtype=np.float32)
    rows += np.float32(amount_px) * smooth_noise(rng, body.shape, cell_px)
    columns += np.float32(amount_px) * smooth_noise(rng, body.shape, cell_px)
    body.albedo = sampled(body.albedo, rows, columns)
    body.opacity, body.coverage = sampled(body.opacity, rows, columns), sampled(body.coverage, rows, columns)
    body.height = sampled(body.height, rows, columns)


def soil(body: Body, rng: Generator, amount: float) -> None:
    """Stain the body: broad brown smears and specks, `amount` 0..1."""
    smear = smooth_noise(rng, body.shape, 28) + np.float32(0.5) * smooth_noise(rng, body.shape, 7)
    smear = np.clip((smear - np.float32(1.1 - 1.1 * amount)) * 2, 0, 1) * np.float32(0.55)
    body.paint(smear, DIRT_BGR * np.float32(rng.uniform(0.8, 2.2)), np.maximum(body.opacity, np.float32(0.75)))
    specks = smooth_noise(rng, body.shape, float(rng.uniform(3, 6))) > 1.02 - 0.25 * amount
    body.paint(blurred(specks.astype(np.float32), 0.6) * np.float32(0.8), DIRT_BGR, 1.0)


def lit(body: Body, light_angle_rad: float) -> Field:
    """The body under the lamps of the line: (rows, columns, 4) straight-alpha BGRA field, 0..1.

    Blinn-Phong with one bar lamp before and a weaker one behind the camera; slopes of a translucent body hide more of
    the belt (Fresnel, after Schlick: reflectance grows as the surface turns away).

    Args:
        body: what to light.
        light_angle_rad: turns the lamps against the item, so that they stay put when the item is turned afterwards.
    """
    slope_y, slope_x = np.gradient(body.height)
    upright = 1 / np.sqrt(1 + slope_x**2 + slope_y**2)
    highlight = np.zeros(body.shape, np.float32)
    diffuse = np.zeros(body.shape, np.float32)
    for azimuth_rad, tilt, strength in ((-2.2, 0.75, 1.0), (0.8, 0.85, 0.4)):
        east, north = np.cos(azimuth_rad - light_angle_rad), np.sin(azimuth_rad - light_angle_rad)
        facing = -(slope_x * np.float32(east) + slope_y * np.float32(north)) * upright
        diffuse += np.float32(strength) * np.clip(np.float32(0.66) * upright + np.float32(tilt) * facing, 0, None)
        halfway = np.clip(np.float32(0.92) * upright + np.float32(0.39) * facing, 0, 1)
        highlight += np.float32(strength) * halfway ** np.float32(body.shininess)
    glare = np.float32(body.gloss) * np.clip(highlight - 0.25, 0, 1)
    shade = np.float32(0.28) + np.float32(0.72) * diffuse
    colour = brightened(scaled_colours(body.albedo, shade), glare)
    hiding = body.opacity + (1 - body.opacity) * (np.float32(0.6) * (1 - upright) + glare)
    return with_alpha(np.clip(colour, 0, 1), np.clip(hiding, 0, 1) * body.coverage)
