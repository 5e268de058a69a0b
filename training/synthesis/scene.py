"""A labelled picture in memory and the moves that keep its labels exact; what to show and when is left to `mixture`.

Coordinates are continuous pixels: pixel `i` covers `[i, i + 1]`, so a flip maps `x` to `width - x` without half-pixel
errors.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from training.synthesis.pixels import Picture, warped
from vision.boxes import areas

Boxes = NDArray[np.float64]

# Below this visible share of its area a cut item is no longer worth naming.
VISIBLE_RATIO = 0.3


class Scene(msgspec.Struct, frozen=True):
    """One picture with its boxes and what its labels are worth.

    Attributes:
        picture: (H, W, 3) uint8 BGR.
        boxes_px: (N, 4) float64 x0, y0, x1, y1 in pixels.
        class_ids: (N,) int64.
        known: (C,) bool, True for classes whose every instance in the picture is labelled.
    """

    picture: Picture
    boxes_px: Boxes
    class_ids: NDArray[np.int64]
    known: NDArray[np.bool_]

    @property
    def height_px(self) -> int:
        """Rows of the picture."""
        return int(self.picture.shape[0])

    @property
    def width_px(self) -> int:
        """Columns of the picture."""
        return int(self.picture.shape[1])


def scaling(across: float, along: float) -> NDArray[np.float64]:
    """3×3 matrix that stretches columns by `across` and rows by `along`; negative values mirror."""
    return np.diag([across, along, 1.0])


def shift(right_px: float, down_px: float) -> NDArray[np.float64]:
    """3×3 matrix that moves the picture."""
    matrix = np.eye(3)
    matrix[:2, 2] = right_px, down_px
    return matrix


def quarter_turn() -> NDArray[np.float64]:
    """3×3 matrix that swaps across and along (mirrored: harmless, as any flip of a top view is valid)."""
    return np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])


def moved(scene: Scene, matrix: NDArray[np.float64], height_px: int, width_px: int) -> Scene:
    """Warp picture and boxes by an axis-preserving affine matrix onto a new canvas.

    Args:
        scene: what to move.
        matrix: (3, 3) from old to new continuous pixel coordinates; scalings, mirrors, shifts, quarter turns only, so
            that boxes stay exact.
        height_px: rows of the new picture; what the old one does not cover is grey.
        width_px: columns of the new picture.

    Returns:
        The moved scene; boxes clipped, those less than `VISIBLE_RATIO` visible left out.
    """
    picture = warped(scene.picture, matrix, height_px, width_px)
    boxes_px = moved_boxes(scene.boxes_px, matrix)
    return clipped(Scene(picture, boxes_px, scene.class_ids, scene.known))


def moved_boxes(boxes_px: Boxes, matrix: NDArray[np.float64]) -> Boxes:
    """Boxes (N, 4) after an axis-preserving affine matrix (3, 3)."""
    low = boxes_px[:, :2] @ matrix[:2, :2].T + matrix[:2, 2]
    high = boxes_px[:, 2:] @ matrix[:2, :2].T + matrix[:2, 2]
    return np.concatenate([np.minimum(low, high), np.maximum(low, high)], axis=1)


def clipped(scene: Scene) -> Scene:
    """Cut boxes at the picture's edge and leave out those of which less than `VISIBLE_RATIO` is left."""
    limits = np.array([scene.width_px, scene.height_px] * 2, dtype=np.float64)
    boxes_px = np.clip(scene.boxes_px, 0, limits)
    kept = areas(boxes_px) >= VISIBLE_RATIO * areas(scene.boxes_px)
    kept &= (boxes_px[:, 2:] - boxes_px[:, :2]).min(axis=1, initial=np.inf) >= 1.0
    return Scene(scene.picture, boxes_px[kept], scene.class_ids[kept], scene.known)


def tiled(tiles: Sequence[Scene], column_px: int, row_px: int) -> Scene:
    """Four scenes, already cut to size, laid two by two round the point (column_px, row_px).

    The labels of a class are exhaustive only where they are so in all four.
    """
    top_left, top_right, low_left, low_right = tiles
    picture = np.vstack(
        [np.hstack([top_left.picture, top_right.picture]), np.hstack([low_left.picture, low_right.picture])]
    )
    moves = (0, 0), (column_px, 0), (0, row_px), (column_px, row_px)
    boxes_px = np.concatenate(
        [moved_boxes(tile.boxes_px, shift(*move)) for tile, move in zip(tiles, moves, strict=True)]
    )
    class_ids = np.concatenate([tile.class_ids for tile in tiles])
    return Scene(picture, boxes_px, class_ids, np.logical_and.reduce([tile.known for tile in tiles]))
