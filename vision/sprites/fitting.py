"""Turning and cutting a picture to the exact box the world asks for, so that boxes in the truth are tight."""

import numpy as np
from numpy.typing import NDArray

from vision.sprites.raster import Field, resized_field, scaled_colours, turned_field, with_alpha

VISIBLE_ALPHA = 40
_VISIBLE = (VISIBLE_ALPHA + 1) / 255


def fitted(picture: Field, rotation_rad: float, width_px: int, length_px: int) -> NDArray[np.uint8]:
    """Turn `picture`, cut it to what is visible and resample it.

    Args:
        picture: (rows, columns, 4) straight-alpha BGRA, 0..1.
        rotation_rad: clockwise as seen.
        width_px: columns of the answer.
        length_px: rows of the answer.

    Returns:
        (length_px, width_px, 4) uint8, straight alpha; alpha > 40 touches all four borders.
    """
    alpha = np.ascontiguousarray(picture[..., 3])
    premultiplied = with_alpha(scaled_colours(np.ascontiguousarray(picture[..., :3]), alpha), alpha)
    turned = _cut(turned_field(premultiplied, rotation_rad))
    shrinks = turned.shape[0] > length_px or turned.shape[1] > width_px
    small = resized_field(turned, (length_px, width_px), "area" if shrinks else "linear")
    small[..., :3] /= np.maximum(small[..., 3:], np.float32(1e-4))
    np.clip(small, 0, 1, out=small)
    _touch_borders(small[..., 3])
    return np.asarray(np.rint(small * np.float32(255)), np.uint8)


def _cut(picture: Field) -> Field:
    seen: NDArray[np.bool_] = picture[..., 3] >= _VISIBLE
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    if not len(rows):
        return picture
    return picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _touch_borders(alpha: Field) -> None:
    """Raise the strongest pixel of a border that resampling has made too faint."""
    for line in (alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]):
        strongest = int(line.argmax())
        line[strongest] = max(line[strongest], np.float32(_VISIBLE + 0.02))
