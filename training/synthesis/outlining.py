"""Finding an item's outline inside its labelled box, so that it can be lifted out and turned freely.

What is done with the outline is `items`' business.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from training.synthesis.pixels import Picture

# Of its own box an item fills this much; outside of it GrabCut has taken the belt for the item or lost the item.
_PLAUSIBLE_FILL_RATIO = (0.35, 0.97)
_MARGIN_RATIO = 0.25
_ROUNDS = 4
# GrabCut's time grows with the pixels and its outline does not: larger windows are shrunk to this side for it.
_MOST_SIDE_PX = 160


def outline(picture: Picture, box_px: NDArray[np.float64]) -> Picture | None:
    """Soft mask of the item in a box, or None where no plausible outline is found.

    GrabCut (Rother et al. 2004) on the box and a margin round it: the margin is belt for certain, the middle of the box
    probably item.

    Args:
        picture: (H, W, 3) uint8 BGR.
        box_px: (4,) x0, y0, x1, y1, whole pixels, inside the picture.

    Returns:
        (y1 - y0, x1 - x0) uint8, 255 on the item, with a soft border.
    """
    left, top, right, bottom = (int(edge) for edge in box_px)
    margin_px = max(3, round(_MARGIN_RATIO * max(right - left, bottom - top)))
    first_row, first_column = max(0, top - margin_px), max(0, left - margin_px)
    window = np.ascontiguousarray(picture[first_row : bottom + margin_px, first_column : right + margin_px])
    shrink = min(1.0, _MOST_SIDE_PX / max(window.shape[:2]))
    guess = np.full(window.shape[:2], cv2.GC_BGD, np.uint8)
    inside = slice(top - first_row, bottom - first_row), slice(left - first_column, right - first_column)
    guess[inside] = _first_guess(bottom - top, right - left)
    found = _segmented(_resized(window, shrink, cv2.INTER_AREA), _resized(guess, shrink, cv2.INTER_NEAREST))
    if found is None:
        return None
    whole = cv2.resize(found, (window.shape[1], window.shape[0]), interpolation=cv2.INTER_LINEAR)
    return _plausible((whole[inside] > 127).astype(np.uint8))


def _segmented(window: Picture, labels: Picture) -> Picture | None:
    """255 where GrabCut finds the item, from a first guess; None where it finds nothing to part."""
    cv2.setRNGSeed(0)
    try:
        cv2.grabCut(window, labels, (0, 0, 0, 0), np.zeros((1, 65)), np.zeros((1, 65)), _ROUNDS, cv2.GC_INIT_WITH_MASK)
    except cv2.error:
        return None
    return np.where(np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)), 255, 0).astype(np.uint8)


def _resized(picture: Picture, scale: float, how: int) -> Picture:
    if scale == 1.0:
        return picture
    return np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=how), np.uint8)


def _first_guess(height_px: int, width_px: int) -> NDArray[np.uint8]:
    along = np.abs(np.linspace(-1, 1, height_px))[:, None]
    across = np.abs(np.linspace(-1, 1, width_px))[None, :]
    radius = (along**2 + across**2) ** 0.5
    guess = np.where(radius < 1.05, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    guess[radius < 0.25] = cv2.GC_FGD
    return guess


def _plausible(inside: NDArray[np.uint8]) -> Picture | None:
    count, parts, figures, _ = cv2.connectedComponentsWithStats(inside)
    if count < 2:
        return None
    largest = 1 + int(figures[1:, cv2.CC_STAT_AREA].argmax())
    contours, _ = cv2.findContours((parts == largest).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    mask = np.zeros(inside.shape, np.uint8)
    cv2.drawContours(mask, contours, -1, 255, cv2.FILLED)
    fill_ratio = float((mask > 0).mean())
    reach = (mask > 0).any(axis=0).mean(), (mask > 0).any(axis=1).mean()
    if not _PLAUSIBLE_FILL_RATIO[0] <= fill_ratio <= _PLAUSIBLE_FILL_RATIO[1] or min(reach) < 0.8:
        return None
    return np.asarray(cv2.GaussianBlur(cv2.erode(mask, np.ones((3, 3), np.uint8)), (0, 0), 0.8), np.uint8)
