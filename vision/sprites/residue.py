"""Residue: bags and film, crisp packets, textiles, foam and food; soft things without a maker's outline."""

import numpy as np
from numpy.random import Generator

from vision.sprites.colours import CLOTH, FILM, FOOD, INKS, SILVER, WHITE, bgr, pick, shifted
from vision.sprites.outlines import canvas_shape, lump, pillow, placed, rounded, torn_sheet
from vision.sprites.prints import printed_face
from vision.sprites.raster import Field, Shape, blurred, line_mask, polygon_mask
from vision.sprites.surface import Body, dented, facets, folds, smooth_noise, solid_body, wrinkles

_CARRIER = (
    (0.06, 0.02), (0.3, 0.0), (0.33, 0.24), (0.42, 0.32), (0.58, 0.32), (0.67, 0.24), (0.7, 0.0), (0.95, 0.03),
    (0.94, 0.3), (1.0, 0.6), (0.95, 0.98), (0.5, 1.0), (0.04, 0.97), (0.0, 0.6), (0.07, 0.3),
)  # fmt: skip
_PEEL = (
    (0.44, 0.0), (0.56, 0.0), (0.6, 0.2), (0.78, 0.3), (1.0, 0.62), (0.98, 0.7), (0.76, 0.52), (0.7, 0.6), (0.78, 1.0),
    (0.7, 0.98), (0.53, 0.62), (0.4, 0.95), (0.3, 1.0), (0.36, 0.56), (0.08, 0.78), (0.0, 0.72), (0.3, 0.34),
    (0.4, 0.2),
)  # fmt: skip


def _shape(mask: Field) -> Shape:
    return mask.shape[0], mask.shape[1]


def _bag_outline(rng: Generator) -> Field:
    """A carrier bag with handles, a sheet torn ragged, or a knotted lump."""
    kind = int(rng.integers(3))
    if kind == 0:
        return rounded(_CARRIER, rng.uniform(0.6, 0.8), 3)
    if kind == 1:
        return torn_sheet(rng, rng.uniform(0.5, 1.0), 0.02, int(rng.choice((4, 4, 5))))
    return lump(rng, rng.uniform(0.55, 1.0), 0.2, 5)


def film_bag(rng: Generator) -> Body:
    """A plastic bag or sheet of film: translucent, wrinkled, bright along its creases."""
    mask = _bag_outline(rng)
    shape = _shape(mask)
    relief = 18 * wrinkles(rng, shape, 48) + 8 * facets(rng, shape, 52) + 3 * wrinkles(rng, shape, 16)
    body = solid_body(mask, shifted(rng, pick(rng, FILM)), relief, gloss=0.55, shininess=16)
    thin = rng.uniform(0.25, 0.75)
    body.opacity = np.clip(np.float32(thin) + np.float32(0.3) * smooth_noise(rng, shape, 36), 0.2, 0.95)
    if rng.random() < 0.35:
        face = printed_face(rng, shape, pick(rng, FILM))
        body.paint(np.float32(0.7) * pillow(mask, 40) / 28, face, np.maximum(body.opacity, 0.7))
    dented(body, rng, 12, 40)
    return body


def crisp_packet(rng: Generator) -> Body:
    """A metallised snack packet: loud print, zigzag seals, hard wrinkles, perhaps inside out."""
    shape = canvas_shape(rng.uniform(0.62, 0.78))
    teeth = np.linspace(0, 1, 25)
    zigzag = np.where(np.arange(25) % 2, 0.015, 0.0)
    path = np.concatenate((np.stack((teeth, zigzag), 1), np.stack((teeth[::-1], 1 - zigzag), 1)))
    mask = polygon_mask(shape, placed(path, shape))
    inside_out = rng.random() < 0.3
    body = solid_body(
        mask, SILVER, 12 * wrinkles(rng, shape, 44) + 6 * facets(rng, shape, 50), gloss=0.75, shininess=20
    )
    if not inside_out:
        body.paint(mask, printed_face(rng, shape, shifted(rng, pick(rng, INKS))))
    seal = np.sin(np.arange(shape[1], dtype=np.float32) * 1.6) * np.float32(0.8)
    rows = np.arange(shape[0])
    body.height += np.where((rows < 22) | (rows > shape[0] - 22), 1, 0)[:, None].astype(np.float32) * seal
    dented(body, rng, rng.uniform(3, 12), 60)
    return body


def textile(rng: Generator) -> Body:
    """A rag or piece of clothing: soft folds, weave, stripes or checks."""
    mask = lump(rng, rng.uniform(0.55, 0.95), 0.2, 5)
    shape = _shape(mask)
    relief = 26 * smooth_noise(rng, shape, 44) + 22 * wrinkles(rng, shape, 56) + 0.3 * pillow(mask, 30)
    body = solid_body(mask, shifted(rng, pick(rng, CLOTH), 0.15), blurred(relief, 3), gloss=0.0)
    y, x = np.indices(shape, dtype=np.float32)
    pitch = np.float32(rng.uniform(12, 24))
    pattern = pick(
        rng, (np.sin(x / pitch * 6), np.sin(y / pitch * 6), np.sin(x / pitch * 6) * np.sin(y / pitch * 6), x * 0)
    )
    body.paint(np.clip(pattern * 4, 0, 1) * np.float32(0.55), shifted(rng, pick(rng, (*CLOTH, WHITE))))
    body.albedo *= (np.float32(0.92) + np.float32(0.12) * np.sin(x * 2.4) * np.sin(y * 2.4))[..., None]
    dented(body, rng, 8, 46)
    return body


def foam(rng: Generator) -> Body:
    """A broken piece of expanded polystyrene: white beads, crumbling border."""
    mask = torn_sheet(rng, rng.uniform(0.5, 0.95), 0.02, int(rng.choice((4, 5, 6))))
    shape = _shape(mask)
    beads = blurred(np.abs(smooth_noise(rng, shape, 6)), 0.8)
    colour = pick(rng, (bgr("e6e6e2"), bgr("e6e6e2"), bgr("d8c890"), bgr("b8c8d8")))
    body = solid_body(mask, colour, 3 * beads + pillow(mask, 9), gloss=0.0)
    body.albedo *= (np.float32(0.8) + np.float32(0.3) * beads)[..., None]
    dented(body, rng, 2, 9)
    return body


def food(rng: Generator) -> Body:
    """A lump of leftovers or peel: mottled, wet, no straight line."""
    mask = lump(rng, rng.uniform(0.45, 1.0), 0.14, 9)
    shape = _shape(mask)
    coarse = smooth_noise(rng, shape, float(rng.uniform(16, 40)))
    relief = 0.8 * pillow(mask, 40) + 7 * coarse + 1.5 * smooth_noise(rng, shape, 6)
    body = solid_body(mask, shifted(rng, pick(rng, FOOD), 0.2), relief, gloss=0.25, shininess=30)
    for _ in range(2):
        mottle = np.clip(smooth_noise(rng, shape, rng.uniform(8, 26)) * 3 - 0.3, 0, 1)
        body.paint(mottle * np.float32(0.7), shifted(rng, pick(rng, FOOD), 0.2))
    dented(body, rng, 7, 22)
    return body


def banana_peel(rng: Generator) -> Body:
    """A banana skin, its strips spread, browning."""
    mask = rounded(_PEEL, rng.uniform(0.7, 1.0), 3)
    body = solid_body(mask, shifted(rng, bgr("d9b13a")), 1.3 * pillow(mask, 14), gloss=0.15)
    inside = np.clip(smooth_noise(rng, _shape(mask), 60) * 4 - 1, 0, 1)
    body.paint(inside * np.float32(0.8), bgr("e6dcb0"))
    ripe = np.clip(smooth_noise(rng, _shape(mask), 22) * 3 - rng.uniform(-0.6, 1), 0, 1)
    body.paint(ripe * np.float32(0.85), bgr("3a2612"))
    dented(body, rng, 9, 60)
    return body


def face_mask(rng: Generator) -> Body:
    """A pleated surgical mask with its ear loops."""
    shape = canvas_shape(0.62)
    sheet = rounded(((0.06, 0.2), (0.94, 0.2), (1, 0.5), (0.94, 0.8), (0.06, 0.8), (0, 0.5)), 0.62, 3)
    loops = np.zeros(shape, np.float32)
    for y, out in ((0.2, 0.0), (0.8, 1.0)):
        path = placed(((0.1, y), (0.2, out), (rng.uniform(0.3, 0.7), out), (0.8, out), (0.9, y)), shape)
        loops = np.maximum(loops, line_mask(shape, path, 4))
    pleats = np.abs((np.arange(shape[1], dtype=np.float32) / 26) % 1 - np.float32(0.5)) * 14
    body = solid_body(np.maximum(sheet, loops), WHITE, sheet * pleats, gloss=0.05)
    body.paint(sheet, shifted(rng, pick(rng, (bgr("8cc4de"), bgr("8cc4de"), bgr("a6d8c4"), bgr("5a5e66")))))
    body.height += 6 * folds(rng, shape, 4)
    dented(body, rng, 8, 70)
    return body
