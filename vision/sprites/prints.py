"""Printed faces: labels and packaging designs invented from a seed, brands nobody owns.

A face is a flat picture; wrapping it round a body is left to the module that draws the body.
"""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from vision.sprites.colours import BLACK, INKS, WHITE, pick, shifted
from vision.sprites.raster import Field, Shape, ellipse_mask, painted, polygon_mask, text_mask

_SYLLABLES = (
    "LA", "MI", "RO", "ZU", "KA", "NE", "VO", "TI", "SA",
    "BRI", "OL", "PU", "FE", "DA", "GU", "NA", "SU", "LE",
)  # fmt: skip


def _lay(face: Field, mask: Field, colour: Field) -> None:
    face[:] = painted(face, colour, mask)


def word(rng: Generator, syllable_count: int) -> str:
    """An invented brand name."""
    return "".join(pick(rng, _SYLLABLES) for _ in range(syllable_count))


def _bands(rng: Generator, face: Field, ink: Field) -> None:
    rows = face.shape[0]
    for _ in range(int(rng.integers(1, 4))):
        top = int(rng.integers(0, rows))
        face[top : top + int(rng.integers(2, max(3, rows // 5)))] = ink


def _diagonal(rng: Generator, face: Field, ink: Field) -> None:
    rows, columns = face.shape[:2]
    left, right = rng.uniform(0.1, 0.9, 2) * rows
    thick = rng.uniform(0.15, 0.5) * rows
    points = np.array(((0, left), (columns, right), (columns, right + thick), (0, left + thick)))
    _lay(face, polygon_mask((rows, columns), points), ink)


def _fruit(rng: Generator, face: Field, ink: Field) -> None:
    rows, columns = face.shape[:2]
    for _ in range(int(rng.integers(1, 4))):
        x, y = rng.uniform(0.2, 0.8) * columns, rng.uniform(0.4, 0.95) * rows
        radius = rng.uniform(0.12, 0.26) * min(rows, columns)
        _lay(face, ellipse_mask((rows, columns), (x, y), (radius, radius)), ink)
        bright = ellipse_mask((rows, columns), (x - radius * 0.3, y - radius * 0.3), (radius * 0.5, radius * 0.5))
        _lay(face, bright * np.float32(0.45), WHITE)


def _wave(rng: Generator, face: Field, ink: Field) -> None:
    rows, columns = face.shape[:2]
    x = np.linspace(0, columns, 24)
    y = rows * (rng.uniform(0.3, 0.7) + 0.12 * np.sin(x / columns * rng.uniform(3, 8) + rng.uniform(0, 6)))
    points = np.concatenate((np.stack((x, y), 1), ((columns, rows), (0, rows))))
    _lay(face, polygon_mask((rows, columns), points), ink)


def _medallion(rng: Generator, face: Field, ink: Field) -> None:
    rows, columns = face.shape[:2]
    centre = columns * rng.uniform(0.4, 0.6), rows * rng.uniform(0.3, 0.6)
    for scale, colour in ((1.0, pick(rng, INKS)), (0.88, ink)):
        radii = (0.38 * columns * scale, min(0.3 * rows, 0.3 * columns) * scale)
        _lay(face, ellipse_mask((rows, columns), centre, radii), colour)


_ORNAMENTS: tuple[Callable[[Generator, Field, Field], None], ...] = (_bands, _diagonal, _fruit, _wave, _medallion)


def contrasting(colour: Field) -> Field:
    """White on dark ink, black on light ink."""
    return WHITE if float(colour.mean()) < 0.55 else BLACK


def _brand(rng: Generator, face: Field) -> None:
    rows, columns = face.shape[:2]
    text = word(rng, int(rng.integers(2, 4)))
    height_px = min(0.26 * rows, 1.02 * columns / len(text))
    baseline = int(rng.uniform(0.3, 0.62) * rows)
    left = max(0, round((columns - 0.85 * height_px * len(text)) / 2))
    around = face[max(0, baseline - 6) : baseline].mean(axis=(0, 1))
    _lay(face, text_mask((rows, columns), text, left, baseline, height_px, bold=True), contrasting(around))


def small_print(rng: Generator, face: Field, top_ratio: float, line_pitch_px: int, ink: Field) -> None:
    """Rows of words too small to read, from `top_ratio` of the face down."""
    rows, columns = face.shape[:2]
    left, right = int(0.08 * columns), int(0.92 * columns)
    printed = rng.random((rows, max(1, right - left)), dtype=np.float32) < 0.75
    letters = np.repeat(printed[:, ::3], 3, axis=1)[:, : right - left]
    for y in range(int(top_ratio * rows), rows - 2, line_pitch_px):
        row = face[y, left:right]
        row += (ink - row) * (letters[y] * rng.uniform(0.5, 0.9))[:, None].astype(np.float32)


def barcode(rng: Generator, face: Field) -> None:
    """A white field with black bars in a corner of the face."""
    rows, columns = face.shape[:2]
    tall, wide = max(4, rows // 6), max(6, columns // 3)
    top, left = int(rng.uniform(0.6, 0.8) * rows), int(rng.uniform(0.05, 0.6) * columns)
    patch = face[top : top + tall, left : left + wide]
    patch[:] = WHITE
    bars = rng.random(patch.shape[1]) < 0.45
    patch[1:-1, bars] = BLACK


def printed_face(rng: Generator, shape: Shape, base: Field | None = None, busy: float = 1.0) -> Field:
    """A packaging face of `shape` (rows, columns): (rows, columns, 3) BGR field, 0..1.

    Args:
        rng: source of the design.
        shape: rows and columns.
        base: ground colour, or None to choose one.
        busy: 0 for a plain face, 1 for ornaments, brand and small print.
    """
    face = np.empty((*shape, 3), np.float32)
    face[:] = shifted(rng, pick(rng, INKS)) if base is None else base
    for _ in range(int(rng.integers(1, 3)) if busy > 0.3 else 0):
        pick(rng, _ORNAMENTS)(rng, face, shifted(rng, pick(rng, INKS)))
    _brand(rng, face)
    if rng.random() < busy * 0.6:
        small_print(rng, face, rng.uniform(0.7, 0.85), 4, contrasting(face[-4:].mean(axis=(0, 1))))
    if rng.random() < busy * 0.35:
        barcode(rng, face)
    return face
