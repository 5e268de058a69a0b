"""Metal cans: drink cans from the side, from the end and crushed, and food tins."""

import numpy as np
from numpy.random import Generator

from vision.sprites.colours import INKS, SILVER, bgr, pick, shifted
from vision.sprites.prints import printed_face
from vision.sprites.raster import Field, ellipse_mask
from vision.sprites.surface import Body, dented, facets, smooth_noise, solid_body, wrinkles
from vision.sprites.turned import Crush, Profile, Turned, turned

_DRINK: Profile = ((0, 0.8), (0.02, 0.84), (0.03, 0.8), (0.09, 1.0), (0.92, 1.0), (0.97, 0.82), (1, 0.76))
_TIN: Profile = ((0, 1.0), (0.03, 1.03), (0.04, 0.98), (0.96, 0.98), (0.97, 1.03), (1, 1.0))
_LID = bgr("d8d9d6")


def _metallic(form: Turned) -> Field:
    """Brightness of brushed metal round the axis: broad light and dark bands."""
    angle = np.arcsin(np.clip(form.across, -1, 1))
    bands = 0.62 + 0.3 * np.cos(angle * 3.1 + 0.9) + 0.22 * np.cos(angle * 7.3 + 2.0)
    return np.clip(bands, 0.25, 1.25).astype(np.float32)


def _shell(rng: Generator, profile: Profile, radius_px: float, crush: Crush) -> tuple[Body, Turned]:
    form = turned(rng, profile, radius_px, crush)
    body = solid_body(form.coverage, SILVER, form.height, gloss=0.7, shininess=26)
    body.albedo *= _metallic(form)[..., None]
    return body, form


def _print_on(rng: Generator, body: Body, form: Turned, span: tuple[float, float], base: Field | None = None) -> None:
    columns = int(np.pi * 1.2 * float(form.half_width_px.max()))
    face = printed_face(rng, (int((span[1] - span[0]) * 240), columns), base)
    sheen = (np.float32(0.45) + np.float32(0.6) * _metallic(form))[..., None]
    body.paint(form.band(*span), form.wrap(face, *span, turn=float(rng.uniform(-0.2, 0.2))) * sheen)


def drink_can(rng: Generator) -> Body:
    """A printed drink can on its side, hardly dented."""
    body, form = _shell(rng, _DRINK, 65, Crush(rng.uniform(0, 0.05), 0.1))
    _print_on(rng, body, form, (0.07, 0.93), shifted(rng, pick(rng, (*INKS, SILVER))))
    _rim_lines(body, form, (0.025, 0.965))
    body.height += np.float32(rng.uniform(0, 3)) * smooth_noise(rng, body.shape, 50)
    return body


def _rim_lines(body: Body, form: Turned, places: tuple[float, ...]) -> None:
    """A dark and a bright ring beside each other at every place: the seamed rims."""
    dark = sum((form.band(place, place + 0.012) for place in places), np.zeros_like(body.coverage))
    bright = sum((form.band(place + 0.014, place + 0.026) for place in places), np.zeros_like(body.coverage))
    body.paint(dark * np.float32(0.6), bgr("4c4e50"))
    body.paint(bright * np.float32(0.6), bgr("ffffff"))


def crushed_can(rng: Generator) -> Body:
    """A drink can stamped flat: buckled print, deep creases, one end turned up."""
    body, form = _shell(rng, _DRINK, rng.uniform(50, 64), Crush(0.3, 0.7, rng.uniform(-14, 14)))
    _print_on(rng, body, form, (0.07, 0.93), shifted(rng, pick(rng, INKS)))
    _rim_lines(body, form, (0.025, 0.965))
    body.height += 9 * facets(rng, body.shape, 60) + 8 * wrinkles(rng, body.shape, 42)
    if rng.random() < 0.6:
        _turned_up_end(body)
    dented(body, rng, 7, 45)
    return body


def _turned_up_end(body: Body) -> None:
    columns = body.shape[1]
    radius = 0.36 * columns
    centre = columns / 2, 0.62 * radius + 14
    for scale, colour in ((1.0, "d9dbdc"), (0.9, "7d8083"), (0.82, "b4b7b9"), (0.3, "8d9092")):
        mask = ellipse_mask(body.shape, centre, (radius * scale, radius * 0.62 * scale))
        body.paint(mask, bgr(colour))
        body.coverage = np.maximum(body.coverage, mask)
    hole = ellipse_mask(body.shape, (centre[0], centre[1] - radius * 0.3), (radius * 0.26, radius * 0.14))
    body.paint(hole, bgr("17181a"))


def can_end(rng: Generator) -> Body:
    """A can seen from its end: concentric rings, tab and mouth."""
    size = 200
    centre, radius = (size / 2, size / 2), size / 2 - 5
    y, x = np.indices((size, size), dtype=np.float32) - np.float32(size / 2)
    ring = np.sqrt(x * x + y * y) / np.float32(radius)
    coverage = ellipse_mask((size, size), centre, (radius, radius))
    height = 5 * np.sin(np.clip(ring, 0.72, 1.1) * 38) + 16 * np.clip(1 - ring, 0, 0.2)
    body = solid_body(coverage, SILVER, height.astype(np.float32), gloss=0.7, shininess=20)
    anisotropic = 0.78 + 0.24 * np.cos(2 * np.arctan2(y, x) + rng.uniform(0, 6))
    body.albedo *= anisotropic[..., None]
    body.paint(np.clip((ring - 0.95) * 30, 0, 1), shifted(rng, pick(rng, (*INKS, SILVER))))
    if rng.random() < 0.7:
        _tab(body, radius)
    else:
        body.height += 6 * smooth_noise(rng, body.shape, 60)
    return body


def _tab(body: Body, radius: float) -> None:
    middle = body.shape[0] / 2
    mouth = ellipse_mask(body.shape, (middle, middle - radius * 0.42), (radius * 0.3, radius * 0.24))
    body.paint(mouth, bgr("121314"))
    for scale, colour in ((1.0, "6f7274"), (0.9, "d4d6d8"), (0.5, "85888a")):
        tab = ellipse_mask(body.shape, (middle, middle + radius * 0.2), (radius * 0.2 * scale, radius * 0.36 * scale))
        body.paint(tab, bgr(colour))


def food_tin(rng: Generator) -> Body:
    """A ribbed steel food tin, with or without its paper label."""
    body, form = _shell(rng, _TIN, rng.uniform(66, 82), Crush(rng.uniform(0, 0.12), rng.uniform(0, 0.4)))
    ribs = form.band(0.2, 0.8) * np.sin(form.along[:, None] * np.float32(130))
    body.height += np.float32(1.6) * ribs
    if rng.random() < 0.65:
        _print_on(rng, body, form, (0.06, 0.94))
    elif rng.random() < 0.5:
        rust = np.clip(smooth_noise(rng, body.shape, 30) * 2 - 0.6, 0, 1) * np.float32(0.7)
        body.paint(rust, bgr("7a4420"))
    if rng.random() < 0.4:
        _bent_lid(body)
    return body


def _bent_lid(body: Body) -> None:
    """The lid, cut open and bent back: a disc of concentric beads over the upper end."""
    radius = body.shape[1] * 0.4
    middle = body.shape[1] / 2, radius * 0.55 + 12
    mask = ellipse_mask(body.shape, middle, (radius, radius * 0.55))
    y, x = np.indices(body.shape, dtype=np.float32)
    ring = np.sqrt(((x - middle[0]) / radius) ** 2 + ((y - middle[1]) / (0.55 * radius)) ** 2)
    turn = np.arctan2(y - middle[1], x - middle[0])
    body.paint(mask, _LID * (np.float32(0.7) + np.float32(0.25) * np.cos(2 * turn + 1))[..., None])
    body.height += (4 * np.sin(ring * 22) - body.height) * mask
    body.coverage = np.maximum(body.coverage, mask)
