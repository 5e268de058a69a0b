"""HDPE: milk bottles, handled jugs, detergent flasks, canisters and pots; opaque walls without sharp creases."""

import numpy as np
from numpy.random import Generator

from vision.sprites.colours import CAPS, DETERGENT, INKS, MILKY, pick, shifted
from vision.sprites.outlines import Points, pillow, rounded
from vision.sprites.prints import printed_face
from vision.sprites.raster import Field, ellipse_mask, polygon_mask
from vision.sprites.surface import Body, dented, folds, smooth_noise, solid_body, wrinkles
from vision.sprites.turned import Crush, Profile, turned

_MILK: Profile = (
    (0, 0.46), (0.08, 0.46), (0.085, 0.38), (0.12, 0.4), (0.28, 0.86), (0.36, 1.0), (0.96, 1.0), (1, 0.86),
)  # fmt: skip
_DRINKING_YOGURT: Profile = (
    (0, 0.66), (0.07, 0.66), (0.075, 0.56), (0.11, 0.6), (0.2, 0.95), (0.3, 1.0), (0.45, 0.84), (0.55, 0.84),
    (0.68, 1.0), (0.97, 1.0), (1, 0.85),
)  # fmt: skip
_POT: Profile = ((0, 1.0), (0.05, 1.03), (0.06, 0.95), (0.97, 0.74), (1, 0.7))

_JUG: Points = (
    (0.36, 0.0), (0.64, 0.0), (0.64, 0.12), (0.9, 0.24), (1.0, 0.34), (1.0, 0.97), (0.94, 1.0), (0.06, 1.0),
    (0.0, 0.97), (0.0, 0.36), (0.36, 0.12),
)  # fmt: skip
_FLASK: Points = (
    (0.4, 0.0), (0.68, 0.0), (0.7, 0.13), (0.86, 0.22), (0.98, 0.4), (0.95, 0.6), (1.0, 0.8), (0.92, 1.0),
    (0.08, 1.0), (0.0, 0.82), (0.06, 0.5), (0.2, 0.26), (0.38, 0.13),
)  # fmt: skip
_CANISTER: Points = (
    (0.1, 0.0), (0.34, 0.0), (0.34, 0.08), (0.9, 0.08), (1.0, 0.2), (1.0, 0.96), (0.95, 1.0), (0.05, 1.0),
    (0.0, 0.96), (0.0, 0.14), (0.1, 0.08),
)  # fmt: skip


def _crushing(rng: Generator) -> Crush:
    return Crush(rng.uniform(0, 0.22), rng.uniform(0, 0.6), rng.uniform(-9, 9))


def milk_bottle(rng: Generator) -> Body:
    """A white milk or yoghurt-drink bottle, its print often a sleeve."""
    profile, radius = pick(rng, ((_MILK, 46.0), (_MILK, 40.0), (_DRINKING_YOGURT, 44.0)))
    form = turned(rng, profile, radius, _crushing(rng))
    height = form.height + 5 * smooth_noise(rng, form.shape, 34) + 5 * folds(rng, form.shape, 5)
    body = solid_body(form.coverage, shifted(rng, pick(rng, MILKY), 0.04), height, gloss=0.35, shininess=14)
    if rng.random() < 0.7:
        span = (0.4, rng.uniform(0.66, 0.9)) if profile is _MILK else (0.16, 0.95)
        columns = int(3.8 * float(form.half_width_px.max()))
        face = printed_face(rng, (int((span[1] - span[0]) * 240), columns), pick(rng, MILKY))
        body.paint(form.band(*span), form.wrap(face, *span, turn=float(rng.uniform(-0.2, 0.2))))
    if rng.random() < 0.75:
        body.paint(form.band(-0.1, 0.08), pick(rng, CAPS))
    return body


def _moulded(rng: Generator, points: Points, aspect: float, colour: Field, depth_px: float) -> Body:
    """A blow-moulded hollow body with rounded shoulders, outline `points` stretched to `aspect` (wide per long)."""
    mask = rounded(points, aspect, 5)
    height = pillow(mask, depth_px) + 4 * smooth_noise(rng, (mask.shape[0], mask.shape[1]), 40)
    return solid_body(mask, colour, height, gloss=0.45, shininess=18)


def _handle(body: Body, points: Points) -> None:
    """Cut the handle's hole; its rim rises."""
    rows, columns = body.shape
    hole = polygon_mask(body.shape, np.array(points, np.float32) * np.array((columns, rows), np.float32))
    body.coverage = body.coverage * (1 - hole)
    body.height = np.minimum(body.height, pillow(body.coverage, 10) * 1.8 + 2)


def _badge(rng: Generator, body: Body, box: tuple[float, float, float, float], base: Field | None = None) -> None:
    """Glue a rounded printed label into `box` (left, top, right, bottom, as shares of the canvas)."""
    rows, columns = body.shape
    left, top, right, bottom = (round(share * size) for share, size in zip(box, (columns, rows) * 2, strict=True))
    colours = np.zeros((rows, columns, 3), np.float32)
    colours[top:bottom, left:right] = printed_face(rng, (bottom - top, right - left), base)
    middle, radii = ((left + right) / 2, (top + bottom) / 2), ((right - left) / 2, (bottom - top) / 2)
    y, x = np.arange(rows, dtype=np.float32)[:, None], np.arange(columns, dtype=np.float32)[None, :]
    squircle = ((x - middle[0]) / radii[0]) ** 6 + ((y - middle[1]) / radii[1]) ** 6
    body.paint(np.clip((1 - squircle) * 6, 0, 1).astype(np.float32), colours)


def _screw_cap(rng: Generator, body: Body, box: tuple[float, float, float, float]) -> None:
    rows, columns = body.shape
    mask = np.zeros(body.shape, np.float32)
    mask[round(box[1] * rows) : round(box[3] * rows), round(box[0] * columns) : round(box[2] * columns)] = 1
    stripes = np.float32(0.82) + np.float32(0.18) * np.sin(np.arange(columns, dtype=np.float32) * 1.5)
    body.paint(mask, pick(rng, CAPS) * stripes[None, :, None])


def jug(rng: Generator) -> Body:
    """A milk or juice jug with its handle."""
    body = _moulded(rng, _JUG, rng.uniform(0.56, 0.66), shifted(rng, pick(rng, MILKY), 0.04), 34)
    _handle(body, ((0.74, 0.3), (0.86, 0.34), (0.88, 0.56), (0.8, 0.6), (0.76, 0.52)))
    _badge(rng, body, (0.1, 0.55, 0.68, rng.uniform(0.78, 0.92)))
    if rng.random() < 0.8:
        _screw_cap(rng, body, (0.36, 0.0, 0.64, 0.1))
    _squash(rng, body)
    return body


def detergent_flask(rng: Generator) -> Body:
    """A coloured detergent flask with a large front label."""
    body = _moulded(rng, _FLASK, rng.uniform(0.42, 0.54), shifted(rng, pick(rng, DETERGENT)), 26)
    if rng.random() < 0.5:
        _handle(body, ((0.72, 0.3), (0.84, 0.34), (0.85, 0.5), (0.78, 0.56), (0.72, 0.46)))
    _badge(rng, body, (0.16, 0.45, 0.84, 0.93), shifted(rng, pick(rng, (*INKS, *MILKY))))
    if rng.random() < 0.8:
        _screw_cap(rng, body, (0.4, 0.0, 0.7, 0.12))
    _squash(rng, body)
    return body


def canister(rng: Generator) -> Body:
    """A motor-oil or chemical canister: square shoulders, grip at the top."""
    body = _moulded(rng, _CANISTER, rng.uniform(0.58, 0.7), shifted(rng, pick(rng, (*DETERGENT, *MILKY))), 22)
    _handle(body, ((0.44, 0.14), (0.84, 0.14), (0.88, 0.22), (0.5, 0.22)))
    _badge(rng, body, (0.12, 0.4, 0.88, rng.uniform(0.75, 0.9)))
    _screw_cap(rng, body, (0.1, 0.0, 0.34, 0.07))
    _squash(rng, body)
    return body


def pot(rng: Generator) -> Body:
    """A yoghurt pot lying on its side."""
    form = turned(rng, _POT, rng.uniform(78, 92), Crush(rng.uniform(0, 0.14), rng.uniform(0, 0.4)))
    body = solid_body(form.coverage, pick(rng, MILKY), form.height, gloss=0.4, shininess=16)
    face = printed_face(rng, (200, 380), shifted(rng, pick(rng, (*MILKY, *INKS))))
    body.paint(form.band(0.12, 0.96, tilt=0.04), form.wrap(face, 0.12, 0.96))
    mouth = ellipse_mask(body.shape, (body.shape[1] / 2, 16), (0.4 * body.shape[1], 15))
    body.paint(mask := mouth * np.float32(0.9), pick(rng, MILKY) * np.float32(0.55))
    body.height = body.height * (1 - mask)
    return body


def pot_from_above(rng: Generator) -> Body:
    """A pot or tub standing mouth up: rim, dark inside, leftovers at the bottom."""
    size = 190
    middle = (size / 2, size / 2)
    radius = size / 2 - 5
    body = solid_body(
        ellipse_mask((size, size), middle, (radius, radius)), pick(rng, MILKY), np.zeros((size, size)), 0.4
    )
    y, x = np.indices((size, size), dtype=np.float32) - np.float32(size / 2)
    ring = np.sqrt(x * x + y * y) / np.float32(radius)
    body.height = np.interp(ring, (0, 0.6, 0.62, 0.88, 0.93, 1.0), (0, 0, 1, 42, 44, 38)).astype(np.float32)
    body.paint(np.clip((0.62 - ring) * 14, 0, 1), pick(rng, MILKY) * np.float32(0.8))
    left = np.clip((0.5 - ring + np.float32(0.3) * smooth_noise(rng, (size, size), 24)) * 10, 0, 1)
    body.paint(left * np.float32(0.8), pick(rng, (*MILKY, *INKS)) * np.float32(0.8))
    return body


def _squash(rng: Generator, body: Body) -> None:
    amount = float(rng.uniform(0, 1))
    body.height += np.float32(7 * amount) * (folds(rng, body.shape, 5) + wrinkles(rng, body.shape, 50))
    dented(body, rng, 9 * amount, 60)
