"""Beverage cartons: printed bricks and gable tops, dented or folded flat, with their white and aluminium edges."""

import numpy as np
from numpy.random import Generator

from vision.sprites.colours import CAPS, INKS, SILVER, WHITE, bgr, pick, shifted
from vision.sprites.outlines import Points, canvas_shape, placed
from vision.sprites.prints import contrasting, printed_face, small_print
from vision.sprites.raster import Field, Shape, ellipse_mask, polygon_mask
from vision.sprites.surface import Body, dented, facets, folds, smooth_noise, solid_body


def _facet(body: Body, points: Points, colour: Field, slope: tuple[float, float] = (0.0, 0.0)) -> None:
    """Add a plane face: `colour` (3,) or a picture of the canvas, tilted by `slope` (rise per px along x and y)."""
    mask = polygon_mask(body.shape, placed(points, body.shape))
    body.paint(mask, colour)
    y, x = np.indices(body.shape, dtype=np.float32)
    plane = np.float32(slope[0]) * x + np.float32(slope[1]) * y
    body.height += (plane - body.height) * mask
    body.coverage = np.maximum(body.coverage, mask)


def _blank(shape: Shape) -> Body:
    nothing = np.zeros(shape, np.float32)
    return solid_body(nothing, WHITE, nothing.copy(), gloss=0.25, shininess=14)


def _face_at(rng: Generator, shape: Shape, box: tuple[float, float, float, float], base: Field) -> Field:
    """A printed face in `box` (left, top, right, bottom shares) of an otherwise plain canvas."""
    picture = np.empty((*shape, 3), np.float32)
    picture[:] = base
    left, top = placed(((box[0], box[1]),), shape)[0].astype(int)
    right, bottom = placed(((box[2], box[3]),), shape)[0].astype(int)
    picture[top:bottom, left:right] = printed_face(rng, (bottom - top, right - left), base)
    return picture


def _ground(rng: Generator) -> Field:
    return shifted(rng, pick(rng, (*INKS, WHITE, WHITE, WHITE)))


def gable_top(rng: Generator) -> Body:
    """A milk carton with its gable: sealed fin, sloping roof, front and side face."""
    shape = canvas_shape(rng.uniform(0.42, 0.5))
    body, base = _blank(shape), _ground(rng)
    edge = rng.uniform(0.68, 0.78)
    _facet(body, ((edge, 0.2), (1, 0.23), (1, 0.97), (edge, 1)), _side_panel(rng, shape, base), (-0.75, 0))
    _facet(body, ((0, 0.2), (edge, 0.2), (edge, 1), (0, 1)), _face_at(rng, shape, (0, 0.2, edge, 1), base))
    _facet(body, ((0.02, 0.07), (edge - 0.02, 0.07), (edge, 0.2), (0, 0.2)), base * np.float32(0.95), (0, 0.55))
    _facet(body, ((edge - 0.02, 0.07), (edge, 0.2), (1, 0.23)), base * np.float32(0.8), (-0.8, 0.3))
    _facet(body, ((0.02, 0.0), (edge - 0.02, 0.0), (edge - 0.02, 0.075), (0.02, 0.075)), WHITE * np.float32(0.93))
    if rng.random() < 0.6:
        _cap_disc(rng, body, (edge * 0.5, 0.14))
    _batter(rng, body, float(rng.uniform(0.1, 0.9)))
    return body


def brick(rng: Generator) -> Body:
    """A juice brick: front, side, top with cap or straw hole."""
    shape = canvas_shape(rng.uniform(0.48, 0.62))
    body, base = _blank(shape), _ground(rng)
    edge, top = rng.uniform(0.72, 0.82), rng.uniform(0.1, 0.16)
    _facet(body, ((edge, top), (1, 0.03), (1, 0.9), (edge, 1)), _side_panel(rng, shape, base), (-0.75, 0))
    _facet(body, ((0, top), (0.2, 0), (1, 0.03), (edge, top)), base * np.float32(0.9), (0, 0.5))
    _facet(body, ((0, top), (edge, top), (edge, 1), (0, 1)), _face_at(rng, shape, (0, top, edge, 1), base))
    _cap_disc(rng, body, (0.42, top * 0.45))
    _batter(rng, body, float(rng.uniform(0.1, 0.9)))
    return body


def _cap_disc(rng: Generator, body: Body, place: tuple[float, float]) -> None:
    x, y = placed((place,), body.shape)[0]
    cap = pick(rng, CAPS[:4])
    for radius, gain in ((13.0, 0.7), (11.5, 1.0), (7.0, 0.88)):
        body.paint(ellipse_mask(body.shape, (x, y), (radius, radius * 0.7)), cap * np.float32(gain))


def _side_panel(rng: Generator, shape: Shape, base: Field) -> Field:
    panel = np.empty((*shape, 3), np.float32)
    panel[:] = base * np.float32(0.92)
    small_print(rng, panel, 0.3, 6, contrasting(base))
    return panel


def flattened_carton(rng: Generator) -> Body:
    """A carton pressed flat: creased print, white fold lines, the seam's fin, sometimes the silver inside."""
    shape = canvas_shape(rng.uniform(0.5, 0.66))
    body, base = _blank(shape), _ground(rng)
    skew = rng.uniform(-0.08, 0.08)
    outline = ((0.08 + skew, 0), (0.92 + skew, 0.02), (1, 0.12), (0.97, 0.9), (0.88 - skew, 1), (0.06, 0.97), (0, 0.5))
    _facet(body, outline, _face_at(rng, shape, (0.04, 0.1, 0.96, 0.92), base))
    for y in (0.12, 0.88):
        _facet(body, ((0.03, y), (0.97, y), (0.97, y + 0.007), (0.03, y + 0.007)), WHITE * np.float32(0.85))
    x = rng.uniform(0.25, 0.75)
    _facet(body, ((x, 0), (x + 0.01, 0), (x + 0.01, 1), (x, 1)), WHITE * np.float32(0.85))
    if rng.random() < 0.5:
        _silver_inside(rng, body)
    _batter(rng, body, 1.0)
    return body


def _silver_inside(rng: Generator, body: Body) -> None:
    """A corner torn open: the aluminium lining shows."""
    y = rng.uniform(0.6, 0.8)
    flap = ((0.45, 1.0), (0.98, 1.0), (0.98, y), (0.8, y + 0.06))
    creased = np.float32(0.8) + np.float32(0.25) * smooth_noise(rng, body.shape, 14)
    _facet(body, flap, SILVER * creased[..., None], (0.2, -0.3))
    _facet(body, ((0.45, 1.0), (0.98, y - 0.015), (0.98, y + 0.01), (0.48, 1.0)), bgr("e8e4da"))


def _batter(rng: Generator, body: Body, amount: float) -> None:
    """Dent the box: board buckles along straight creases and round dents."""
    buckle = 6 * facets(rng, body.shape, 70) + 5 * folds(rng, body.shape, 6)
    body.height += np.float32(amount) * buckle
    dented(body, rng, 1 + 7 * amount, 70)
