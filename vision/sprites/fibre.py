"""Paper and board: corrugated pieces, newsprint, crumpled sheets, egg boxes and flattened printed boxes."""

import numpy as np
from numpy.random import Generator

from vision.sprites.colours import BROWN_BOARD, INKS, PALE_PAPER, WHITE, bgr, pick, shifted
from vision.sprites.outlines import canvas_shape, pillow, placed, torn_sheet
from vision.sprites.prints import contrasting, printed_face, small_print
from vision.sprites.raster import Field, blurred, depth_inside, line_mask, polygon_mask
from vision.sprites.surface import Body, dented, facets, folds, smooth_noise, solid_body, wrinkles
from vision.sprites.turned import LENGTH_PX, MARGIN_PX

_FLAPS = (
    (0.05, 0.1), (0.1, 0), (0.86, 0), (0.9, 0.1), (1, 0.12), (1, 0.88), (0.9, 0.9), (0.84, 1), (0.1, 1), (0.05, 0.9),
    (0, 0.88), (0, 0.12),
)  # fmt: skip


def _torn_border(body: Body, colour: Field, depth_px: float) -> None:
    """Show the raw core where the sheet is torn."""
    border = np.clip(1 - depth_inside(body.coverage) / np.float32(depth_px), 0, 1)
    body.paint(border * np.float32(0.75), colour)


def corrugated(rng: Generator) -> Body:
    """A piece of corrugated board: flutes showing through, fold lines, perhaps tape and print."""
    mask = torn_sheet(rng, rng.uniform(0.55, 1.0), rng.uniform(0.01, 0.035), int(rng.choice((4, 4, 5, 6))))
    shape = mask.shape[0], mask.shape[1]
    body = solid_body(mask, shifted(rng, pick(rng, BROWN_BOARD)), np.zeros(shape, np.float32), gloss=0.03)
    flutes = np.sin(np.arange(shape[0], dtype=np.float32) * np.float32(2 * np.pi / rng.uniform(5, 7)))
    body.height += np.float32(0.25) * flutes[:, None] + 10 * folds(rng, shape, 3)
    body.albedo *= (
        1 + np.float32(0.07) * smooth_noise(rng, shape, 3) + np.float32(0.1) * smooth_noise(rng, shape, 50)
    )[..., None]
    _torn_border(body, bgr("d8c29c"), 4)
    if rng.random() < 0.55:
        _tape(rng, body)
    if rng.random() < 0.5:
        _stamp(rng, body)
    return body


def _tape(rng: Generator, body: Body) -> None:
    start, end = rng.uniform(0.2, 0.8, 2)
    points = placed(((-0.05, start), (1.05, end)), body.shape)
    tape = line_mask(body.shape, points, int(rng.integers(14, 24)))
    body.paint(tape * np.float32(0.6), pick(rng, (bgr("c9a56a"), bgr("d9d4c6"), bgr("8a6a3c"))))
    body.height += tape * np.float32(0.8)


def _stamp(rng: Generator, body: Body) -> None:
    """One-colour flexo print, as on shipping boxes."""
    rows, columns = body.shape
    tall, wide = rows // 3, int(columns * 0.6)
    top, left = int(rng.uniform(0.1, 0.5) * rows), int(rng.uniform(0.1, 0.3) * columns)
    ground = WHITE.copy()
    face = printed_face(rng, (tall, wide), ground, busy=0.25)
    dark = np.clip(0.92 - face.mean(axis=2), 0, 0.8)
    mask = np.zeros(body.shape, np.float32)
    mask[top : top + tall, left : left + wide] = dark
    body.paint(mask, pick(rng, (bgr("2a2420"), bgr("7a1f1a"), bgr("1f3a6a"))))


def newsprint(rng: Generator) -> Body:
    """A newspaper or leaflet page: columns of text, a headline, pictures, folds."""
    mask = torn_sheet(rng, rng.uniform(0.62, 0.85), 0.02)
    shape = mask.shape[0], mask.shape[1]
    body = solid_body(mask, shifted(rng, pick(rng, PALE_PAPER), 0.04), 16 * folds(rng, shape, 4), gloss=0.04)
    body.height += 2 * wrinkles(rng, shape, 40)
    page = body.albedo[12:-12, 12:-12]
    columns = int(rng.integers(2, 4))
    width = page.shape[1] // columns
    for k in range(columns):
        small_print(rng, page[:, k * width : (k + 1) * width], rng.uniform(0.04, 0.3), 5, bgr("3a3a3c"))
    for _ in range(int(rng.integers(1, 3))):
        _photograph(rng, page)
    return body


def _photograph(rng: Generator, page: Field) -> None:
    rows, columns = page.shape[:2]
    tall, wide = int(rng.uniform(0.15, 0.4) * rows), int(rng.uniform(0.4, 0.9) * columns)
    top, left = int(rng.uniform(0, rows - tall)), int(rng.uniform(0, columns - wide))
    page[top : top + tall, left : left + wide] = printed_face(rng, (tall, wide))


def crumpled_paper(rng: Generator) -> Body:
    """A sheet screwed up into a ball or rag: many sharp facets."""
    mask = torn_sheet(rng, rng.uniform(0.7, 1.0), 0.03, int(rng.integers(6, 10)))
    shape = mask.shape[0], mask.shape[1]
    relief = 9 * facets(rng, shape, 46) + 3 * facets(rng, shape, 26) + 0.5 * pillow(mask, 60)
    colour = shifted(rng, pick(rng, (*PALE_PAPER, *PALE_PAPER, *BROWN_BOARD)), 0.05)
    body = solid_body(mask, colour, relief, gloss=0.05)
    if rng.random() < 0.3:
        small_print(rng, body.albedo, 0.1, 9, contrasting(colour) * np.float32(0.5) + colour * np.float32(0.5))
    dented(body, rng, 9, 40)
    return body


def egg_box(rng: Generator) -> Body:
    """A moulded-pulp egg box: two rows of cups, rough grey or brown."""
    shape = canvas_shape(rng.uniform(0.42, 0.6))
    y, x = np.indices(shape, dtype=np.float32)
    cups = np.sin((x - MARGIN_PX) * np.float32(np.pi * int(rng.integers(2, 4)) / (shape[1] - 2 * MARGIN_PX)))
    cups *= np.sin((y - MARGIN_PX) * np.float32(np.pi * int(rng.integers(4, 7)) / LENGTH_PX))
    box = polygon_mask(shape, placed(((0, 0.02), (0.04, 0), (0.96, 0), (1, 0.02), (1, 0.98), (0.96, 1), (0, 1)), shape))
    colour = pick(rng, (bgr("9a9a94"), bgr("a79c84"), bgr("8e8878"), bgr("b4a488")))
    body = solid_body(box, shifted(rng, colour), 30 * np.abs(cups), gloss=0.02)
    body.height += np.float32(0.7) * smooth_noise(rng, shape, 3)
    body.albedo *= (np.float32(0.75) + np.float32(0.4) * blurred(np.abs(cups), 3))[..., None]
    return body


def printed_box(rng: Generator) -> Body:
    """A cereal or medicine box pressed flat, flaps open, grey board inside."""
    shape = canvas_shape(rng.uniform(0.6, 0.8))
    board = shifted(rng, bgr("a39a8c"))
    body = solid_body(polygon_mask(shape, placed(_FLAPS, shape)), board, 10 * folds(rng, shape, 4), gloss=0.12)
    panel = polygon_mask(shape, placed(((0, 0.1), (1, 0.1), (1, 0.9), (0, 0.9)), shape))
    body.paint(panel, printed_face(rng, shape, pick(rng, (*INKS, WHITE))))
    return body
