"""All that training does to pixels through OpenCV: reading, stretching, warping, relighting; labels are `scene`'s."""

from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from sorter.errors import DataFolderError

Picture = NDArray[np.uint8]

_OUTSIDE_BGR = (40, 40, 40)
_HALF_PIXEL = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
_MINUS_HALF_PIXEL = np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1]])


def read_picture(path: Path) -> Picture:
    """A picture file as (H, W, 3) uint8 BGR.

    Raises:
        DataFolderError: if it cannot be read.
    """
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise DataFolderError(f"{path}: cannot be read as a picture")
    return np.asarray(picture, np.uint8)


def stretched(picture: Picture, height_px: int, width_px: int) -> Picture:
    """The picture at another size, its aspect not kept; alpha, if any, is scaled with it."""
    # The line's own resize is bilinear; only below half size would that leave pixels out.
    much_smaller = 2 * height_px < picture.shape[0] or 2 * width_px < picture.shape[1]
    how = cv2.INTER_AREA if much_smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (width_px, height_px), interpolation=how), np.uint8)


def warped(
    picture: Picture,
    matrix: NDArray[np.float64],
    height_px: int,
    width_px: int,
    outside: tuple[int, ...] = _OUTSIDE_BGR,
) -> Picture:
    """Move a picture by a 3×3 affine matrix on continuous pixel coordinates; what it does not cover is `outside`."""
    centres = (_MINUS_HALF_PIXEL @ matrix @ _HALF_PIXEL)[:2]
    moved = cv2.warpAffine(picture, centres, (width_px, height_px), flags=cv2.INTER_LINEAR, borderValue=outside)
    return np.asarray(moved, np.uint8)


def recoloured(sprite: Picture, hue_shift: int) -> Picture:
    """A picture (H, W, 3 or 4) with its hue turned by `hue_shift` of OpenCV's 180 steps; alpha stays."""
    hsv = cv2.cvtColor(np.ascontiguousarray(sprite[..., :3]), cv2.COLOR_BGR2HSV)
    hsv[..., 0] = (hsv[..., 0].astype(np.int16) + hue_shift) % 180
    turned = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)
    return np.concatenate([turned, sprite[..., 3:]], axis=2).astype(np.uint8)


def soiled_lens(picture: Picture, rng: Generator) -> Picture:
    """Two or three blurred spots of dust on the lens, darker or milky."""
    height_px, width_px = picture.shape[:2]
    veil = np.zeros((height_px // 8, width_px // 8), np.float32)
    for _ in range(int(rng.integers(1, 4))):
        centre = int(rng.integers(veil.shape[1])), int(rng.integers(veil.shape[0]))
        cv2.circle(veil, centre, int(rng.integers(2, max(3, veil.shape[1] // 6))), rng.uniform(0.15, 0.5), -1)
    soft = cv2.resize(cv2.GaussianBlur(veil, (0, 0), 2.0), (width_px, height_px))[..., None]
    dust = np.float32(rng.choice([25.0, 150.0]))
    return np.clip(picture * (1 - soft) + dust * soft, 0, 255).astype(np.uint8)


def relit(picture: Picture, rng: Generator) -> Picture:
    """Vary gain, gamma, white balance and saturation of a BGR picture (H, W, 3).

    Mild, so that the colour which tells two materials apart survives.
    """
    levels = np.arange(256) / 255.0
    gamma, gain = rng.uniform(0.75, 1.35), rng.uniform(0.75, 1.3)
    balance = rng.uniform(0.93, 1.07, 3)
    table = np.clip(levels[:, None] ** gamma * gain * balance * 255.0, 0, 255).astype(np.uint8)
    lit = cv2.LUT(picture, table.reshape(256, 1, 3))
    grey = cv2.cvtColor(cv2.cvtColor(lit, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    saturation = rng.uniform(0.7, 1.25)
    return np.asarray(cv2.addWeighted(lit, saturation, grey, 1.0 - saturation, 0.0), np.uint8)


def shot(picture: Picture, rng: Generator) -> Picture:
    """Now and then: dust on the lens; motion blur along the travel, defocus or sensor noise."""
    if rng.random() < 0.08:
        picture = soiled_lens(picture, rng)
    chance = rng.random()
    if chance < 0.12:
        return np.asarray(cv2.blur(picture, (1, int(rng.integers(2, 7)))), np.uint8)
    if chance < 0.2:
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.5, 1.2)), np.uint8)
    if chance < 0.35:
        noise = rng.standard_normal(picture.shape, dtype=np.float32) * np.float32(rng.uniform(2.0, 9.0))
        return np.clip(picture + noise, 0, 255).astype(np.uint8)
    return picture
