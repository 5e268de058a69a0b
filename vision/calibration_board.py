"""Finding a printed board of known size in a picture; what it says about the camera is left to `calibration`."""

from typing import Literal, cast

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from sorter.errors import SourceError

Pattern = Literal["charuco", "chessboard"]
DICTIONARY_NAMES = tuple(sorted(name for name in dir(cv2.aruco) if name.startswith("DICT_")))
_LEAST_CORNER_COUNT = 8


class Board(msgspec.Struct, frozen=True):
    """A printed board, counted in squares, not in inner corners; marker and dictionary matter to ChArUco alone."""

    pattern: Pattern
    columns: int
    rows: int
    square_mm: float
    marker_mm: float
    dictionary: str = "DICT_5X5_100"

    @property
    def outline_mm(self) -> NDArray[np.float64]:
        """The four outer corners, (4, 2), x to the right and y down from the board's upper left corner."""
        width_mm, height_mm = self.columns * self.square_mm, self.rows * self.square_mm
        return np.array([[0.0, 0.0], [width_mm, 0.0], [width_mm, height_mm], [0.0, height_mm]])


class BoardCorners(msgspec.Struct, frozen=True, eq=False):
    """Inner corners: (N, 2) float64 in pixels from the picture's corner, and where they are on the board, in mm."""

    at_px: NDArray[np.float64]
    on_board_mm: NDArray[np.float64]


def find_corners(picture: NDArray[np.uint8], board: Board) -> BoardCorners:
    """Find the board's inner corners.

    Args:
        picture: (H, W, 3) uint8 BGR.
        board: what to look for.

    Raises:
        SourceError: if too little of the board is found.
    """
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
    found = _find_charuco(grey, board) if board.pattern == "charuco" else _find_chessboard(grey, board)
    if found is None or len(found.at_px) < _LEAST_CORNER_COUNT or not _is_spread_out(found, board):
        count = 0 if found is None else len(found.at_px)
        raise SourceError(
            f"no {board.pattern} board of {board.columns}×{board.rows} squares found ({count} corners of "
            f"{(board.columns - 1) * (board.rows - 1)}, at least {_LEAST_CORNER_COUNT} in several rows are needed); "
            "show all of it, sharp and evenly lit, and check --columns, --rows and --dictionary"
        )
    # cv2 counts from the centre of the first pixel, the settings from its corner.
    return msgspec.structs.replace(found, at_px=found.at_px + 0.5)


def _find_charuco(grey: NDArray[np.uint8], board: Board) -> BoardCorners | None:
    """ChArUco corners under whichever of the two layouts printed boards have shows more of them."""
    layouts = [_charuco_corners(grey, board, is_legacy) for is_legacy in (False, True)]
    found = [corners for corners in layouts if corners is not None]
    return max(found, key=lambda corners: len(corners.at_px), default=None)


def _charuco_corners(grey: NDArray[np.uint8], board: Board, is_legacy: bool) -> BoardCorners | None:
    dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, board.dictionary))
    layout = cv2.aruco.CharucoBoard((board.columns, board.rows), board.square_mm, board.marker_mm, dictionary)
    layout.setLegacyPattern(is_legacy)
    corners, ids, _, _ = cv2.aruco.CharucoDetector(layout).detectBoard(grey)
    # the stubs do not say that both are None where there is no board
    if cast("object", ids) is None or len(ids) < _LEAST_CORNER_COUNT:
        return None
    on_board_mm = np.asarray(layout.getChessboardCorners(), np.float64)[np.asarray(ids).reshape(-1), :2]
    at_px = np.asarray(corners, np.float32).reshape(-1, 2)
    return BoardCorners(_refined(grey, at_px, on_board_mm, board), on_board_mm)


def _refined(
    grey: NDArray[np.uint8], at_px: NDArray[np.float32], on_board_mm: NDArray[np.float64], board: Board
) -> NDArray[np.float64]:
    """Corners moved to where the squares' edges cross, looking round them as far as the markers leave it white.

    The detector's own corners rest on fewer pixels, so that more of the sensor's noise stays in them.
    """
    px_per_mm = np.ptp(at_px, axis=0).max() / np.ptp(on_board_mm, axis=0).max()
    reach_px = int(np.clip(px_per_mm * (board.square_mm - board.marker_mm) / 2, 3, 20))
    criteria = cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_COUNT, 50, 0.001
    refined = cv2.cornerSubPix(grey, at_px.reshape(-1, 1, 2).copy(), (reach_px, reach_px), (-1, -1), criteria)
    return np.asarray(refined, np.float64).reshape(-1, 2)


def _find_chessboard(grey: NDArray[np.uint8], board: Board) -> BoardCorners | None:
    size = board.columns - 1, board.rows - 1
    is_found, corners = cv2.findChessboardCornersSB(grey, size, flags=cv2.CALIB_CB_EXHAUSTIVE | cv2.CALIB_CB_ACCURACY)
    if not is_found:
        return None
    at_px = np.asarray(corners, np.float64).reshape(size[1], size[0], 2)
    along_row, along_column = at_px[0, -1] - at_px[0, 0], at_px[-1, 0] - at_px[0, 0]
    if along_row[0] * along_column[1] - along_row[1] * along_column[0] < 0:
        at_px = at_px[:, ::-1]  # counted from the right: a board that faces the camera is never mirrored
    columns, rows = np.meshgrid(np.arange(1, size[0] + 1), np.arange(1, size[1] + 1))
    on_board_mm = np.stack([columns, rows], axis=2).reshape(-1, 2) * np.float64(board.square_mm)
    return BoardCorners(np.asarray(at_px.reshape(-1, 2), np.float64), np.asarray(on_board_mm, np.float64))


def _is_spread_out(corners: BoardCorners, board: Board) -> bool:
    return bool((np.ptp(corners.on_board_mm, axis=0) > 0.9 * board.square_mm).all())
