"""Laying sprites into a frame and spoiling the frame as a moving camera does.

Speed matters here: this runs for every item of every simulated frame. Drawing the sprites is left to the artists.
"""

from functools import lru_cache

import numpy as np
from numpy.random import PCG64, Generator
from numpy.typing import NDArray

from vision.sprites.raster import (
    added,
    blurred_along_rows,
    box_blurred_picture,
    scaled_product,
    spread_channels,
    subtracted,
)

SHADOW_REACH_PX = 7
SHADOW_SHIFT_PX = (2, 3)
_SHADOW_DARKNESS = 0.62
_NOISE_SLACK_PX = 61

_Picture = NDArray[np.uint8]


def paste(picture: _Picture, sprite: _Picture, top_px: int, left_px: int, shadow: bool = True) -> None:
    """Alpha-blend `sprite` into `picture` in place, clipped at its borders.

    Args:
        picture: (H, W, 3) uint8 BGR, changed in place; with shadow up to 7 px round the sprite, else its box alone.
        sprite: (h, w, 4) uint8 BGRA, straight alpha.
        top_px: row of the sprite's first row; may be negative or beyond the picture.
        left_px: column of the sprite's first column; likewise.
        shadow: darken the belt softly round the item, towards lower right, away from the lamps.
    """
    if shadow:
        _cast_shadow(picture, sprite[..., 3], top_px, left_px)
    window = _overlap(picture.shape[:2], sprite.shape[:2], top_px, left_px)
    if window is None:
        return
    target, source = picture[window[0]], sprite[window[1]]
    alpha = spread_channels(np.ascontiguousarray(source[..., 3]))
    visible = scaled_product(np.ascontiguousarray(source[..., :3]), alpha)
    added(scaled_product(target, 255 - alpha), visible, target)


_Window = tuple[slice, slice]


def _overlap(
    picture_shape: tuple[int, ...], sprite_shape: tuple[int, ...], top_px: int, left_px: int
) -> tuple[_Window, _Window] | None:
    """The same pixels as a window of the picture and of the sprite, or None where they do not meet."""
    inner: list[slice] = []
    outer: list[slice] = []
    for size, length, start in zip(picture_shape, sprite_shape, (top_px, left_px), strict=True):
        first, last = max(0, start), min(size, start + length)
        if first >= last:
            return None
        outer.append(slice(first, last))
        inner.append(slice(first - start, last - start))
    return (outer[0], outer[1]), (inner[0], inner[1])


def _cast_shadow(picture: _Picture, alpha: _Picture, top_px: int, left_px: int) -> None:
    reach = SHADOW_REACH_PX
    shape = alpha.shape[0] + 2 * reach, alpha.shape[1] + 2 * reach
    window = _overlap(picture.shape[:2], shape, top_px - reach, left_px - reach)
    if window is None:
        return
    umbra = np.zeros(shape, np.uint8)
    down, right = reach + SHADOW_SHIFT_PX[0], reach + SHADOW_SHIFT_PX[1]
    umbra[down : down + alpha.shape[0], right : right + alpha.shape[1]] = alpha
    soft = box_blurred_picture(box_blurred_picture(umbra, 5, 5), 5, 5)
    left_over = (255 - soft * np.float32(_SHADOW_DARKNESS)).astype(np.uint8)
    target = picture[window[0]]
    scaled_product(target, spread_channels(np.ascontiguousarray(left_over[window[1]])), target)


def motion_blur(picture: _Picture, blur_px: float) -> None:
    """Smear `picture` in place along its rows over `blur_px`, the travel during exposure; below 1 nothing happens.

    Args:
        picture: (H, W, 3) uint8.
        blur_px: length of the smear, fractions count.
    """
    if blur_px <= 1:
        return
    whole = int(np.ceil((blur_px - 1) / 2))
    kernel = np.ones(2 * whole + 1, np.float32)
    kernel[[0, -1]] = (blur_px - (2 * whole - 1)) / 2
    blurred_along_rows(picture, kernel / kernel.sum(), picture)


def add_sensor_noise(picture: _Picture, sigma: float, seed: int) -> None:
    """Add Gaussian noise of `sigma` grey levels in place: one tile a picture size, shifted by `seed`.

    Args:
        picture: (H, W, 3) uint8.
        sigma: standard deviation in grey levels; 0 adds none.
        seed: chooses the shift, so that frames differ and repeats agree.
    """
    if sigma <= 0:
        return
    brighter, darker = _noise_tiles(picture.shape[0], picture.shape[1], round(sigma, 2))
    rng = Generator(PCG64(seed & 0xFFFF_FFFF_FFFF_FFFF))
    top, left = (int(shift) for shift in rng.integers(_NOISE_SLACK_PX, size=2))
    window = slice(top, top + picture.shape[0]), slice(left, left + picture.shape[1])
    added(picture, brighter[window], picture)
    subtracted(picture, darker[window], picture)


@lru_cache(maxsize=8)
def _noise_tiles(length_px: int, width_px: int, sigma: float) -> tuple[_Picture, _Picture]:
    """Positive and negative part of one noise tile, a little larger than the picture."""
    rng = Generator(PCG64(20_240_229))
    shape = length_px + _NOISE_SLACK_PX, width_px + _NOISE_SLACK_PX, 3
    noise = np.round(rng.standard_normal(shape, dtype=np.float32) * np.float32(sigma))
    return np.clip(noise, 0, 255).astype(np.uint8), np.clip(-noise, 0, 255).astype(np.uint8)
