"""The package's door to OpenCV, so that drawing code speaks in float fields and uint8 pictures of our own types.

A *field* is float32, shape (rows, columns) or (rows, columns, 3), colours in 0..1 and BGR order. What to draw is
left to the modules that name forms, prints and surfaces.
"""

from pathlib import Path
from typing import Literal, cast

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]
Picture = NDArray[np.uint8]
Shape = tuple[int, int]

_INTERPOLATION = {"area": cv2.INTER_AREA, "linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC}


def resized_field(field: Field, shape: Shape, interpolation: Literal["area", "linear", "cubic"] = "cubic") -> Field:
    """Resample `field` to `shape` (rows, columns)."""
    return cast("Field", cv2.resize(field, (shape[1], shape[0]), interpolation=_INTERPOLATION[interpolation]))


def resized_picture(picture: Picture, shape: Shape) -> Picture:
    """Resample a uint8 picture to `shape` (rows, columns), averaging when it shrinks."""
    shrinks = shape[0] < picture.shape[0] or shape[1] < picture.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cast("Picture", cv2.resize(picture, (shape[1], shape[0]), interpolation=method))


def sampled(field: Field, rows: Field, columns: Field, wrap: bool = False) -> Field:
    """Read `field` at fractional `rows` and `columns` (same shape as the answer), clamped or wrapped at borders."""
    border = cv2.BORDER_WRAP if wrap else cv2.BORDER_REPLICATE
    return cast("Field", cv2.remap(field, columns, rows, cv2.INTER_LINEAR, borderMode=border))


def turned_field(field: Field, angle_rad: float) -> Field:
    """Turn `field` clockwise as seen, on a canvas just large enough, empty corners 0."""
    rows, columns = field.shape[:2]
    matrix = cv2.getRotationMatrix2D((columns / 2, rows / 2), -float(np.degrees(angle_rad)), 1.0)
    sine, cosine = abs(float(np.sin(angle_rad))), abs(float(np.cos(angle_rad)))
    wide, long = int(np.ceil(rows * sine + columns * cosine)), int(np.ceil(rows * cosine + columns * sine))
    matrix[:, 2] += ((wide - columns) / 2, (long - rows) / 2)
    return cast("Field", cv2.warpAffine(field, matrix, (wide, long), flags=cv2.INTER_LINEAR))


def blurred(field: Field, sigma_px: float) -> Field:
    """Gaussian blur with replicated borders."""
    return cast("Field", cv2.GaussianBlur(field, (0, 0), sigma_px, borderType=cv2.BORDER_REPLICATE))


def polygon_mask(shape: Shape, points_px: NDArray[np.floating]) -> Field:
    """Coverage 0..1 of the polygon with `points_px` (N, 2) as x, y; edges are smooth."""
    mask = np.zeros(shape, np.uint8)
    fixed_point = np.round(np.asarray(points_px) * 16).astype(np.int32)
    cv2.fillPoly(mask, [fixed_point], 255, cv2.LINE_AA, 4)
    return mask.astype(np.float32) / np.float32(255)


def ellipse_mask(shape: Shape, centre_px: tuple[float, float], radii_px: tuple[float, float]) -> Field:
    """Coverage 0..1 of an upright ellipse, centre and radii as x, y."""
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    points = np.stack([centre_px[0] + radii_px[0] * np.cos(angle), centre_px[1] + radii_px[1] * np.sin(angle)], axis=1)
    return polygon_mask(shape, points)


def line_mask(shape: Shape, points_px: NDArray[np.floating], thickness_px: int) -> Field:
    """Coverage 0..1 of an open polyline through `points_px` (N, 2) as x, y."""
    mask = np.zeros(shape, np.uint8)
    fixed_point = np.round(np.asarray(points_px) * 16).astype(np.int32)
    cv2.polylines(mask, [fixed_point], False, 255, thickness_px, cv2.LINE_AA, 4)
    return mask.astype(np.float32) / np.float32(255)


def text_mask(shape: Shape, text: str, left_px: int, baseline_px: int, height_px: float, bold: bool = False) -> Field:
    """Coverage 0..1 of a line of text whose capitals are `height_px` tall."""
    mask = np.zeros(shape, np.uint8)
    font = cv2.FONT_HERSHEY_DUPLEX if bold else cv2.FONT_HERSHEY_SIMPLEX
    thickness = max(1, round(height_px / 6)) if bold else 1
    cv2.putText(mask, text, (left_px, baseline_px), font, height_px / 22, 255, thickness, cv2.LINE_AA)
    return mask.astype(np.float32) / np.float32(255)


def painted(ground: Field, colour: Field, mask: Field) -> Field:
    """`ground` (rows, columns, 3) with `colour` laid over where `mask` (0..1) says so.

    `colour` is (3,) or a field that stretches to the ground's shape.
    """
    kept = cv2.multiply(ground, cv2.cvtColor(1 - mask, cv2.COLOR_GRAY2BGR))
    if colour.ndim == 1:
        return cast("Field", cv2.add(kept, cv2.transform(mask, colour[:, None])))
    everywhere = np.ascontiguousarray(np.broadcast_to(colour, ground.shape))
    return cast("Field", cv2.add(kept, cv2.multiply(everywhere, cv2.cvtColor(mask, cv2.COLOR_GRAY2BGR))))


def scaled_colours(colours: Field, gain: Field) -> Field:
    """`colours` (rows, columns, 3) times `gain` (rows, columns)."""
    return cast("Field", cv2.multiply(colours, cv2.cvtColor(gain, cv2.COLOR_GRAY2BGR)))


def brightened(colours: Field, light: Field) -> Field:
    """`colours` (rows, columns, 3) plus white `light` (rows, columns)."""
    return cast("Field", cv2.add(colours, cv2.cvtColor(light, cv2.COLOR_GRAY2BGR)))


def with_alpha(colours: Field, alpha: Field) -> Field:
    """BGRA of (rows, columns, 3) and (rows, columns)."""
    return cast("Field", cv2.merge((*cv2.split(colours), alpha)))


def depth_inside(mask: Field) -> Field:
    """Distance in px from each covered pixel to the nearest uncovered one."""
    inside = np.pad((mask > 0.5).astype(np.uint8), 1)
    return cast("Field", cv2.distanceTransform(inside, cv2.DIST_L2, 3)[1:-1, 1:-1])


def read_picture(path: Path) -> Picture | None:
    """Read a picture with all its channels, or None where the file is not a readable picture."""
    return cast("Picture | None", cv2.imread(str(path), cv2.IMREAD_UNCHANGED))


def box_blurred_picture(picture: Picture, width_px: int, length_px: int) -> Picture:
    """Mean over a box of `width_px` columns and `length_px` rows."""
    return cast("Picture", cv2.blur(picture, (width_px, length_px)))


def scaled_product(picture: Picture, weight: Picture, out: Picture | None = None) -> Picture:
    """`picture * weight / 255`, rounded; both uint8 of one shape."""
    return cast("Picture", cv2.multiply(picture, weight, dst=out, scale=1 / 255))


def spread_channels(channel: Picture) -> Picture:
    """(rows, columns) repeated into three channels."""
    return cast("Picture", cv2.cvtColor(channel, cv2.COLOR_GRAY2BGR))


def added(picture: Picture, other: Picture, out: Picture) -> None:
    """Saturating sum into `out`."""
    cv2.add(picture, other, dst=out)


def subtracted(picture: Picture, other: Picture, out: Picture) -> None:
    """Saturating difference into `out`."""
    cv2.subtract(picture, other, dst=out)


def blurred_along_rows(picture: Picture, kernel: Field, out: Picture) -> None:
    """Convolve every column with `kernel` (N,), borders replicated, into `out`."""
    cv2.sepFilter2D(picture, -1, np.ones(1, np.float32), kernel, dst=out, borderType=cv2.BORDER_REPLICATE)
