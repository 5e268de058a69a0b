"""Calibration from boards that were rendered through a known homography."""

import sys
from pathlib import Path
from typing import Any

import click.testing
import cv2
import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from sorter.errors import SourceError
from sorter.model.belt import CameraView
from sorter.runtime.configuration import settings_from
from vision.calibrate_command import calibrate
from vision.calibration import Calibration, Placement, calibrate_camera
from vision.calibration_board import Board

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

WIDTH_PX, HEIGHT_PX = 1280, 960
COLUMNS, ROWS, SQUARE_MM, MARKER_MM = 9, 6, 60.0, 45.0
ORIGIN_X_MM, ORIGIN_Y_MM = 320.0, 150.0
# Belt millimetres → pixels: across grows to the right, upstream upwards, the far end a little smaller and turned.
BELT_TO_PX = np.array([[0.98, 0.05, 60.0], [0.03, -1.02, 900.0], [0.00004, 0.0003, 1.0]])
PX_PER_BOARD_MM = 2.0
SUPERSAMPLING = 3

PATTERNS = ("charuco", "chessboard")
CORNER_TO_CENTRE = np.array([[1.0, 0.0, -0.5], [0.0, 1.0, -0.5], [0.0, 0.0, 1.0]])


def board_of(pattern: str, **changes: Any) -> Board:
    fields = {
        "pattern": pattern,
        "columns": COLUMNS,
        "rows": ROWS,
        "square_mm": SQUARE_MM,
        "marker_mm": MARKER_MM,
    }
    return msgspec.convert(fields | changes, Board)


def printed(pattern: str) -> NDArray[np.uint8]:
    """The board as printed, at two pixels a millimetre."""
    size = round(COLUMNS * SQUARE_MM * PX_PER_BOARD_MM), round(ROWS * SQUARE_MM * PX_PER_BOARD_MM)
    if pattern == "charuco":
        dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_5X5_100)
        layout = cv2.aruco.CharucoBoard((COLUMNS, ROWS), SQUARE_MM, MARKER_MM, dictionary)
        return np.asarray(layout.generateImage(size), np.uint8)
    rows, columns = np.indices((size[1], size[0])) // round(SQUARE_MM * PX_PER_BOARD_MM)
    return np.where((rows + columns) % 2 == 0, 0, 255).astype(np.uint8)


def photographed(pattern: str, quarters: int = 0, noise: float = 3.0) -> NDArray[np.uint8]:
    """A picture of the board lying on a grey belt, turned by quarters, its nearest edges at the origin."""
    board = np.ascontiguousarray(np.rot90(printed(pattern), quarters))
    height_mm = board.shape[0] / PX_PER_BOARD_MM
    board_px_to_mm = np.array(
        [[1 / PX_PER_BOARD_MM, 0, ORIGIN_X_MM], [0, -1 / PX_PER_BOARD_MM, ORIGIN_Y_MM + height_mm], [0, 0, 1.0]]
    )
    finer = np.diag([SUPERSAMPLING, SUPERSAMPLING, 1.0])
    matrix = CORNER_TO_CENTRE @ finer @ BELT_TO_PX @ board_px_to_mm @ np.linalg.inv(CORNER_TO_CENTRE)
    margin = np.array([[1.0, 0, -60.0], [0, 1.0, -60.0], [0, 0, 1.0]])
    padded = cv2.copyMakeBorder(board, 60, 60, 60, 60, cv2.BORDER_CONSTANT, value=255)
    fine_size = SUPERSAMPLING * WIDTH_PX, SUPERSAMPLING * HEIGHT_PX
    fine = cv2.warpPerspective(padded, matrix @ margin, fine_size, borderValue=90.0)
    blurred = cv2.resize(fine, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_AREA).astype(np.float64)
    blurred += np.random.default_rng(1).normal(0, noise, blurred.shape)
    return np.asarray(cv2.cvtColor(np.clip(blurred, 0, 255).astype(np.uint8), cv2.COLOR_GRAY2BGR), np.uint8)


def turned(picture: NDArray[np.uint8], quarters: int) -> NDArray[np.uint8]:
    return np.ascontiguousarray(np.rot90(picture, quarters))


def to_belt_mm(calibration: Calibration, points_px: NDArray[np.float64]) -> NDArray[np.float64]:
    projected = np.column_stack([points_px, np.ones(len(points_px))]) @ np.reshape(calibration.homography, (3, 3)).T
    return np.asarray(projected[:, :2] / projected[:, 2:], np.float64)


def points() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points all over the picture, in pixels and where they are on the belt."""
    x, y = np.meshgrid(np.linspace(40, WIDTH_PX - 40, 7), np.linspace(40, HEIGHT_PX - 40, 7))
    at_px = np.stack([x, y], axis=2).reshape(-1, 2)
    projected = np.column_stack([at_px, np.ones(49)]) @ np.linalg.inv(BELT_TO_PX).T
    return at_px, projected[:, :2] / projected[:, 2:]


PLACED = Placement(origin_x_mm=ORIGIN_X_MM, origin_y_mm=ORIGIN_Y_MM)


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_the_homography_comes_back_however_the_board_is_turned(pattern: str, quarters: int) -> None:
    calibration = calibrate_camera(photographed(pattern, quarters), board_of(pattern), PLACED, 1.0)
    at_px, expected_mm = points()
    assert np.abs(to_belt_mm(calibration, at_px) - expected_mm).max() < 1.0
    assert calibration.corner_count == (COLUMNS - 1) * (ROWS - 1)
    assert calibration.error_rms_mm <= calibration.error_max_mm < 1.0


@pytest.mark.parametrize(("travel", "quarters"), [("down", 0), ("right", 1), ("up", 2), ("left", 3)])
def test_the_belt_may_run_any_way_in_the_picture(travel: str, quarters: int) -> None:
    picture = turned(photographed("charuco"), quarters)
    placement = msgspec.structs.replace(PLACED, travel=travel)
    calibration = calibrate_camera(picture, board_of("charuco"), placement, 1.0)
    at_px, expected_mm = points()
    centre_px, turned_centre_px = np.array([WIDTH_PX, HEIGHT_PX]) / 2, np.array(picture.shape[1::-1]) / 2
    angle = -quarters * np.pi / 2  # rot90 turns anticlockwise, as seen
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turned_px = (at_px - centre_px) @ turn.T + turned_centre_px
    assert np.abs(to_belt_mm(calibration, turned_px) - expected_mm).max() < 1.0


def test_without_an_origin_the_view_begins_at_zero() -> None:
    calibration = calibrate_camera(photographed("charuco"), board_of("charuco"), Placement(), 1.0)
    frame_px = np.array([[0.0, 0.0], [WIDTH_PX, 0.0], [WIDTH_PX, HEIGHT_PX], [0.0, HEIGHT_PX]])
    frame_mm = to_belt_mm(calibration, frame_px)
    assert np.allclose(frame_mm.min(axis=0), 0.0, atol=1e-6)
    assert np.allclose(frame_mm.max(axis=0), [calibration.view_width_mm, calibration.view_length_mm], atol=0.01)


def test_a_board_of_another_size_is_off_by_its_scale_and_one_of_another_shape_is_not_found() -> None:
    double = board_of("charuco", square_mm=2 * SQUARE_MM, marker_mm=2 * MARKER_MM)
    twice = calibrate_camera(photographed("charuco"), double, PLACED, 2.0)
    once = calibrate_camera(photographed("charuco"), board_of("charuco"), PLACED, 1.0)
    assert twice.view_width_mm == pytest.approx(2 * once.view_width_mm, rel=0.001)
    with pytest.raises(SourceError, match="no chessboard board of 12×9 squares found"):
        calibrate_camera(photographed("chessboard"), board_of("chessboard", columns=12, rows=9), PLACED, 1.0)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_picture_without_a_board_is_refused(pattern: str) -> None:
    with pytest.raises(SourceError, match=f"no {pattern} board of 9×6 squares found"):
        calibrate_camera(np.full((480, 640, 3), 90, np.uint8), board_of(pattern), PLACED, 1.0)


def test_a_bent_board_is_refused() -> None:
    picture = photographed("charuco")
    rows, columns = np.indices(picture.shape[:2], dtype=np.float32)
    bent = cv2.remap(picture, columns + 12 * np.sin(rows / 90), rows, cv2.INTER_LINEAR)
    with pytest.raises(SourceError, match="more than the 1 mm allowed"):
        calibrate_camera(np.asarray(bent, np.uint8), board_of("charuco"), PLACED, 1.0)


def arguments(path: Path, *more: str) -> list[str]:
    return [str(path), "--columns", "9", "--rows", "6", "--square-mm", "60", "--marker-mm", "45", *more]


def run(*words: str) -> click.testing.Result:
    return click.testing.CliRunner().invoke(calibrate, list(words))


@pytest.fixture(scope="module")
def picture_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("board") / "board.png"
    cv2.imwrite(str(path), photographed("charuco"))
    return path


def test_the_lines_it_prints_are_a_camera_that_sees_the_belt_so(picture_path: Path) -> None:
    result = run(*arguments(picture_path, "--origin-x-mm", "320", "--origin-y-mm", "150"))
    assert result.exit_code == 0, result.output
    settings = settings_from(tomllib.loads(result.output))
    at_px, expected_mm = points()
    boxes_um = CameraView(settings.camera).boxes_to_belt_um(np.concatenate([at_px, at_px], axis=1), 0)
    assert np.abs(boxes_um[:, :2] / 1000 - expected_mm).max() < 1.0
    assert "mm from their places" in result.output


def test_with_json_it_prints_one_object(picture_path: Path) -> None:
    result = run(*arguments(picture_path, "--json"))
    calibration = msgspec.json.decode(result.output, type=Calibration)
    assert calibration.corner_count == 40
    assert len(calibration.homography) == 9


def test_a_picture_that_is_not_there_is_named(tmp_path: Path) -> None:
    result = run(*arguments(tmp_path / "gone.png"))
    assert isinstance(result.exception, SourceError)
    assert "gone.png" in str(result.exception)


def test_a_marker_as_large_as_its_square_is_bad_input(picture_path: Path) -> None:
    result = run(str(picture_path), "--columns", "9", "--rows", "6", "--square-mm", "60", "--marker-mm", "60")
    assert result.exit_code == 2
    assert "--marker-mm" in result.output
