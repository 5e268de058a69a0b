"""Residue: bags and film, crisp packets, textiles, foam and food; soft things without a maker's outline."""

import numpy as np
from numpy.random import Generator

from vision.sprites.colours import CLOTH, FILM, FOOD, INKS, SILVER, WHITE, bgr, pick, shifted
from vision.sprites.outlines import canvas_shape, lump, pillow, placed, torn_sheet
from vision.sprites.prints import printed_face
from vision.sprites.raster import Field, Shape, blurred, polygon_mask
from vision.sprites.surface import Body, dented, folds, smooth_noise, solid_body, wrinkles


def _shape(mask: Field) -> Shape:
    return mask.shape[0], mask.shape[1]


def film_bag(rng: Generator) -> Body:
    """A plastic bag or sheet of film: translucent, wrinkled, bright along its creases."""
    mask = lump(rng, rng.uniform(0.55, 1.0), rng.uniform(0.2, 0.4), 12)
    shape = _shape(mask)
    relief = 30 * wrinkles(rng, shape, 48) + 12 * folds(rng, shape, 8) + 4 * wrinkles(rng, shape, 16)
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
    body = solid_body(mask, SILVER, 20 * wrinkles(rng, shape, 44) + 9 * folds(rng, shape, 8), gloss=0.75, shininess=20)
    if not inside_out:
        body.paint(mask, printed_face(rng, shape, shifted(rng, pick(rng, INKS))))
    seal = np.sin(np.arange(shape[1], dtype=np.float32) * 1.6) * np.float32(0.8)
    rows = np.arange(shape[0])
    body.height += np.where((rows < 22) | (rows > shape[0] - 22), 1, 0)[:, None].astype(np.float32) * seal
    dented(body, rng, rng.uniform(3, 12), 60)
    return body


def textile(rng: Generator) -> Body:
    """A rag or piece of clothing: soft folds, weave, stripes or checks."""
    mask = lump(rng, rng.uniform(0.55, 0.95), 0.3, 6)
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
    mask = torn_sheet(rng, rng.uniform(0.5, 0.95), 0.05, int(rng.choice((4, 5, 6))))
    shape = _shape(mask)
    beads = blurred(np.abs(smooth_noise(rng, shape, 6)), 0.8)
    colour = pick(rng, (bgr("e6e6e2"), bgr("e6e6e2"), bgr("d8c890"), bgr("b8c8d8")))
    body = solid_body(mask, colour, 3 * beads + pillow(mask, 9), gloss=0.0)
    body.albedo *= (np.float32(0.8) + np.float32(0.3) * beads)[..., None]
    dented(body, rng, 2, 9)
    return body


def food(rng: Generator) -> Body:
    """A lump of leftovers or peel: mottled, wet, no straight line."""
    mask = lump(rng, rng.uniform(0.45, 1.0), 0.34, 9)
    shape = _shape(mask)
    relief = 0.8 * pillow(mask, 30) + 9 * smooth_noise(rng, shape, 16) + 3 * smooth_noise(rng, shape, 6)
    body = solid_body(mask, shifted(rng, pick(rng, FOOD), 0.2), relief, gloss=0.35, shininess=30)
    for _ in range(2):
        mottle = np.clip(smooth_noise(rng, shape, rng.uniform(8, 26)) * 3 - 0.3, 0, 1)
        body.paint(mottle * np.float32(0.7), shifted(rng, pick(rng, FOOD), 0.2))
    dented(body, rng, 7, 22)
    return body
