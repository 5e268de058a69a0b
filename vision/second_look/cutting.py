"""Squares cut out of pictures around boxes, as a second look is shown them, on the line and in training alike.

Lengths are measured in the true aspect: the picture as the first network sees it. Needs no runtime of networks.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from sorter.runtime.bundle import Network

AspectScale = tuple[float, float]

_LEAST_SIDE_PX = 1.0


def aspect_scale_of(network: Network, picture_shape: tuple[int, ...]) -> AspectScale:
    """Pixels of the true aspect per pixel of a picture, across and along.

    A network that learned stretched pictures sees them in the aspect of its input, so lengths are those in its input;
    one that sees them letterboxed leaves their shape alone, so lengths are those in the picture.

    Args:
        network: the first one, which finds the items.
        picture_shape: (H, W, 3).
    """
    if network.fit == "letterbox":
        return 1.0, 1.0
    return network.input_width_px / picture_shape[1], network.input_height_px / picture_shape[0]


def square_sides(boxes_px: NDArray[np.floating], aspect_scale: AspectScale, margin_ratio: float) -> NDArray[np.float64]:
    """Sides (N,) of the squares around boxes, in pixels of the true aspect.

    Args:
        boxes_px: (N, 4) left, top, right, bottom in pixels of the picture.
        aspect_scale: of `aspect_scale_of`.
        margin_ratio: side of the square over the longer side of the box.
    """
    sides_px = (boxes_px[:, 2:] - boxes_px[:, :2]).astype(np.float64) * aspect_scale
    squares: NDArray[np.float64] = np.maximum(margin_ratio * sides_px.max(axis=1, initial=0.0), _LEAST_SIDE_PX)
    return squares


def cut_square(
    picture: NDArray[np.uint8],
    centre_px: tuple[float, float],
    side_px: float,
    aspect_scale: AspectScale,
    out_px: int,
    *,
    angle_rad: float = 0.0,
    mirrored: bool = False,
) -> NDArray[np.uint8]:
    """A square of a picture, bilinear from its own pixels; beyond its edge the picture is reflected.

    Args:
        picture: (H, W, 3) uint8 BGR.
        centre_px: x and y of the square's centre in the picture, where the upper left corner is (0, 0).
        side_px: of the square, in pixels of the true aspect.
        aspect_scale: pixels of the true aspect per pixel of the picture, across and along.
        out_px: side of the result.
        angle_rad: by which the square is turned clockwise as one looks at the picture, in the true aspect: what it
            shows is turned the other way.
        mirrored: whether left and right of the result are swapped.

    Returns:
        (out_px, out_px, 3) uint8 BGR.
    """
    out = np.empty((out_px, out_px, 3), np.uint8)
    _cut(picture, _to_picture(centre_px, side_px, aspect_scale, out_px, angle_rad, mirrored=mirrored), out)
    return out


def cut_squares(
    picture: NDArray[np.uint8],
    boxes_px: NDArray[np.floating],
    aspect_scale: AspectScale,
    margin_ratio: float,
    out: NDArray[np.uint8],
) -> None:
    """The squares around boxes, upright, written into `out`.

    Args:
        picture: (H, W, 3) uint8 BGR.
        boxes_px: (N, 4) left, top, right, bottom in pixels of the picture.
        aspect_scale: of `aspect_scale_of`.
        margin_ratio: side of a square over the longer side of its box.
        out: (N, S, S, 3) uint8, C-contiguous, overwritten.
    """
    centres = (boxes_px[:, :2].astype(np.float64) + boxes_px[:, 2:]) / 2
    sides = square_sides(boxes_px, aspect_scale, margin_ratio)
    for (x_px, y_px), side_px, square in zip(centres.tolist(), sides.tolist(), out, strict=True):
        _cut(picture, _to_picture((x_px, y_px), side_px, aspect_scale, square.shape[0], 0.0, mirrored=False), square)


def _to_picture(
    centre_px: tuple[float, float],
    side_px: float,
    aspect_scale: AspectScale,
    out_px: int,
    angle_rad: float,
    *,
    mirrored: bool,
) -> NDArray[np.float64]:
    """The way from the middle of a pixel of the result to a place among the middles of the picture's, (2, 3)."""
    cosine, sine = math.cos(angle_rad), math.sin(angle_rad)
    turned = np.array([[cosine, -sine], [sine, cosine]]) * (side_px / out_px)
    if mirrored:
        turned[:, 0] *= -1.0
    turned /= np.array(aspect_scale)[:, None]
    first = np.full(2, 0.5 - out_px / 2)
    shift = turned @ first + np.array(centre_px) - 0.5
    return np.column_stack([turned, shift])


def _cut(picture: NDArray[np.uint8], to_picture: NDArray[np.float64], out: NDArray[np.uint8]) -> None:
    cv2.warpAffine(
        picture,
        to_picture,
        (out.shape[1], out.shape[0]),
        dst=out,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT_101,
    )
