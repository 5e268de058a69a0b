"""Areas of boxes, what they have in common, and how far they overlap; pure functions of arrays of (N, 4) xyxy."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.floating[Any]]


def areas(boxes_px: Boxes) -> NDArray[np.float64]:
    """Areas (N,) in square pixels."""
    sides: NDArray[np.float64] = np.maximum(boxes_px[:, 2:] - boxes_px[:, :2], 0)
    return sides[:, 0] * sides[:, 1]


def intersections(boxes_px: Boxes, others_px: Boxes) -> NDArray[np.float64]:
    """Common areas (N, M) in square pixels of every box with every other."""
    low = np.maximum(boxes_px[:, None, :2], others_px[None, :, :2])
    high = np.minimum(boxes_px[:, None, 2:], others_px[None, :, 2:])
    sides: NDArray[np.float64] = np.maximum(high - low, 0)
    return sides[..., 0] * sides[..., 1]


def overlap_ratios(boxes_px: Boxes, others_px: Boxes) -> NDArray[np.float64]:
    """Intersection over union (N, M) of every box with every other."""
    common = intersections(boxes_px, others_px)
    union = areas(boxes_px)[:, None] + areas(others_px)[None, :] - common
    ratios: NDArray[np.float64] = common / np.maximum(union, 1e-12)
    return ratios
