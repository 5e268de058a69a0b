"""Squares cut out of pictures around boxes, as a second look is shown them, on the line and in training alike.

Lengths are measured in the true aspect: the picture as the first network sees it. Needs no runtime of networks.
"""

import math

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from sorter.runtime.bundle import Network, SecondLook

AspectScale = tuple[float, float]
# The way from the middle of a pixel of a square to a place among the middles of the picture's, (2, 3).
Placement = NDArray[np.float64]

_LEAST_SIDE_PX = 1.0
_GREY = 127
# OpenCV counts corners in sixteenths of a pixel
_CORNER_BITS = 4


class Framing(msgspec.Struct, frozen=True):
    """How a square shows the item of a box.

    Attributes:
        margin_ratio: side of the square over the longer side of the box.
        squaring_ratio: how far the shorter side of a box is drawn out to the longer one: 0 keeps the item's shape, 1
            fills the square with every box. A long item has more pixels then.
        surroundings_ratio: contrast left to what lies outside of the box, from 0, which is grey, to 1, which is as it
            was. Items lie on and beside each other: it tells which of them is meant.
    """

    margin_ratio: float
    squaring_ratio: float = 0.0
    surroundings_ratio: float = 1.0


def framing_of(second_look: SecondLook) -> Framing:
    """How a bundle's second look wants its items shown."""
    return Framing(second_look.margin_ratio, second_look.squaring_ratio, second_look.surroundings_ratio)


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


def placed(
    box_px: NDArray[np.floating],
    aspect_scale: AspectScale,
    framing: Framing,
    out_px: int,
    *,
    angle_rad: float = 0.0,
    mirrored: bool = False,
) -> Placement:
    """Where in the picture the pixels of the square around a box lie.

    Args:
        box_px: (4,) left, top, right, bottom in the picture, where the upper left corner is (0, 0).
        aspect_scale: pixels of the true aspect per pixel of the picture, across and along.
        framing: of the square.
        out_px: side of the square in its own pixels.
        angle_rad: by which the square is turned clockwise as one looks at the picture, in the true aspect, after the
            box was drawn out: what it shows is turned the other way.
        mirrored: whether left and right of the square are swapped.
    """
    box = np.asarray(box_px, np.float64)
    sides_px = np.maximum((box[2:] - box[:2]) * aspect_scale, _LEAST_SIDE_PX)
    side_px = framing.margin_ratio * float(sides_px.max())
    cosine, sine = math.cos(angle_rad), math.sin(angle_rad)
    turned = np.array([[cosine, -sine], [sine, cosine]]) * (side_px / out_px)
    if mirrored:
        turned[:, 0] *= -1.0
    drawn_out = (sides_px.max() / sides_px) ** framing.squaring_ratio
    turned /= (np.array(aspect_scale) * drawn_out)[:, None]
    first = np.full(2, 0.5 - out_px / 2)
    shift = turned @ first + (box[:2] + box[2:]) / 2 - 0.5
    return np.column_stack([turned, shift])


def cut(picture: NDArray[np.uint8], placement: Placement, out: NDArray[np.uint8]) -> None:
    """A square of a picture, bilinear from its own pixels; beyond its edge the picture is reflected.

    Args:
        picture: (H, W, 3) uint8 BGR.
        placement: of `placed`.
        out: (S, S, 3) uint8, C-contiguous, overwritten.
    """
    cv2.warpAffine(
        picture,
        placement,
        (out.shape[1], out.shape[0]),
        dst=out,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT_101,
    )


def pale_around(square: NDArray[np.uint8], placement: Placement, box_px: NDArray[np.floating], ratio: float) -> None:
    """Leave what lies outside of the box so much of its contrast, in place.

    Args:
        square: (S, S, 3) uint8, C-contiguous.
        placement: of the square.
        box_px: (4,) left, top, right, bottom in the picture.
        ratio: of contrast, 0..1.
    """
    if ratio >= 1.0:
        return
    left, top, right, bottom = (float(edge) - 0.5 for edge in box_px)
    corners = np.array([[left, right, right, left], [top, top, bottom, bottom]])
    corners = np.linalg.solve(placement[:, :2], corners - placement[:, 2:]).T
    inside = np.zeros(square.shape[:2], np.uint8)
    cv2.fillConvexPoly(inside, np.rint(corners * (1 << _CORNER_BITS)).astype(np.int32), 1, shift=_CORNER_BITS)
    table = np.rint(_GREY + (np.arange(256) - _GREY) * ratio).astype(np.uint8)
    pale = cv2.LUT(square, table)
    cv2.copyTo(square, inside, pale)
    square[...] = pale


def cut_squares(
    picture: NDArray[np.uint8],
    boxes_px: NDArray[np.floating],
    aspect_scale: AspectScale,
    framing: Framing,
    out: NDArray[np.uint8],
) -> None:
    """The squares around boxes, upright, written into `out`.

    Args:
        picture: (H, W, 3) uint8 BGR.
        boxes_px: (N, 4) left, top, right, bottom in pixels of the picture.
        aspect_scale: of `aspect_scale_of`.
        framing: of each square.
        out: (N, S, S, 3) uint8, C-contiguous, overwritten.
    """
    for box_px, square in zip(boxes_px, out, strict=True):
        placement = placed(box_px, aspect_scale, framing, square.shape[0])
        cut(picture, placement, square)
        pale_around(square, placement, box_px, framing.surroundings_ratio)
