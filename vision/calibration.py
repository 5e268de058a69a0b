"""From a board on the belt to the homography that the settings need: camera pixels → belt millimetres.

The board lies with its edges along the belt's; finding it is left to `calibration_board`.
"""

import math
from typing import Literal

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from sorter.errors import SourceError
from vision.calibration_board import Board, BoardCorners, find_corners

Direction = Literal["down", "up", "left", "right"]
# Turn of the picture, in quarters clockwise, that makes the belt run down.
_QUARTERS: dict[Direction, int] = {"down": 0, "right": 1, "up": 2, "left": 3}


class Placement(msgspec.Struct, frozen=True):
    """How board and belt lie to each other and in the picture.

    `origin_x_mm` and `origin_y_mm` are the distances from the belt's left edge (looking upstream) and from the
    reference line to the board's nearest edges; None: the picture's furthest left, or downstream, point counts as 0.
    """

    travel: Direction = "down"
    origin_x_mm: float | None = None
    origin_y_mm: float | None = None


class Calibration(msgspec.Struct, frozen=True):
    """A camera's homography as `camera.homography` takes it, the view it gives, and how well the board fits it."""

    width_px: int
    height_px: int
    view_width_mm: float
    view_length_mm: float
    homography: tuple[float, ...]
    corner_count: int
    error_rms_mm: float
    error_max_mm: float


def calibrate_camera(
    picture: NDArray[np.uint8], board: Board, placement: Placement, max_error_mm: float
) -> Calibration:
    """Work out how a camera's picture lies on the belt.

    Args:
        picture: (H, W, 3) uint8 BGR, with the board in it.
        board: what was laid on the belt.
        placement: where, and which way the belt runs.
        max_error_mm: largest root mean square distance between corners as printed and as seen.

    Raises:
        SourceError: if no board is found, the fit is worse than that, or the picture reaches to the horizon.
    """
    corners = find_corners(picture, board)
    height_px, width_px = picture.shape[:2]
    to_board = _fit(corners)
    errors_mm = np.linalg.norm(_project(to_board, corners.at_px) - corners.on_board_mm, axis=1)
    rms_mm = math.sqrt(float((errors_mm**2).mean()))
    if rms_mm > max_error_mm:
        raise SourceError(
            f"the board's corners lie {rms_mm:.2f} mm (root mean square) from where they should, more than the "
            f"{max_error_mm:g} mm allowed: check --square-mm, that the board is flat, and the lens for distortion"
        )
    frame_px = np.array([[0.0, 0.0], [width_px, 0.0], [width_px, height_px], [0.0, height_px]])
    homography = _placed(to_board, frame_px, board, placement)
    view_width_mm, view_length_mm = np.ptp(_project(homography, frame_px), axis=0)
    return Calibration(
        width_px=width_px,
        height_px=height_px,
        view_width_mm=round(float(view_width_mm), 2),
        view_length_mm=round(float(view_length_mm), 2),
        homography=tuple(float(value) for value in homography.reshape(-1)),
        corner_count=len(errors_mm),
        error_rms_mm=round(rms_mm, 3),
        error_max_mm=round(float(errors_mm.max()), 3),
    )


def _fit(corners: BoardCorners) -> NDArray[np.float64]:
    """Pixels → board millimetres, by least squares over all corners."""
    matrix, _ = cv2.findHomography(corners.at_px, corners.on_board_mm)
    if matrix is None:
        raise SourceError("the board's corners fit no flat board; show all of it, and check --columns and --rows")
    return np.asarray(matrix, np.float64)


def _placed(
    to_board: NDArray[np.float64], frame_px: NDArray[np.float64], board: Board, placement: Placement
) -> NDArray[np.float64]:
    """Pixels → belt millimetres: the board's axes turned to the belt's, its origin moved to the belt's."""
    depths = np.column_stack([frame_px, np.ones(4)]) @ to_board[2]
    if depths.min() * depths.max() <= 0:
        raise SourceError("the picture reaches to the horizon of the belt; tilt the camera down or crop the picture")
    turn = _turn_to_belt(to_board, frame_px, placement.travel)
    outline_mm, view_mm = _project(turn, board.outline_mm), _project(turn @ to_board, frame_px)
    wanted_mm = (placement.origin_x_mm, placement.origin_y_mm)
    shift = np.eye(3)
    for axis, origin_mm in enumerate(wanted_mm):
        low_mm = view_mm[:, axis].min() if origin_mm is None else outline_mm[:, axis].min() - origin_mm
        shift[axis, 2] = -low_mm
    placed: NDArray[np.float64] = shift @ turn @ to_board
    return np.asarray(placed / placed[2, 2], np.float64)


def _turn_to_belt(
    to_board: NDArray[np.float64], frame_px: NDArray[np.float64], travel: Direction
) -> NDArray[np.float64]:
    """Board axes (right, down) → belt axes (across, upstream): whichever quarter turn is nearest to the picture's.

    What remains of an angle is the camera's, since the board lies along the belt.
    """
    centre_px = frame_px.mean(axis=0)
    across_px = _rotation(-_QUARTERS[travel])[:2, :2] @ np.array([1.0, 0.0])
    ends_mm = _project(to_board, np.array([centre_px - across_px, centre_px + across_px]))
    right_mm, down_mm = ends_mm[1] - ends_mm[0]
    quarters = round(math.atan2(down_mm, right_mm) / (math.pi / 2))
    return np.diag([1.0, -1.0, 1.0]) @ _rotation(-quarters)


def _rotation(quarters: int) -> NDArray[np.float64]:
    """A turn by quarters from the first axis towards the second, exact."""
    cosine, sine = ((1, 0), (0, 1), (-1, 0), (0, -1))[quarters % 4]
    return np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])


def _project(matrix: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    projected = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    result: NDArray[np.float64] = projected[:, :2] / projected[:, 2:]
    return result
