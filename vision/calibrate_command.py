"""`farz calibrate`: a picture of a board in, the lines for the configuration out; the geometry is `calibration`'s."""

from pathlib import Path
from typing import cast

import click
import msgspec

from sorter.errors import SourceError
from vision.calibration import Calibration, Direction, Placement, calibrate_camera
from vision.calibration_board import DICTIONARY_NAMES, Board, Pattern
from vision.sources.decoding import read_picture

_MARKER_RATIO = 0.75
_SQUARE_COUNT = click.IntRange(3, 100)
_LENGTH_MM = click.FloatRange(0.0, 10_000.0, min_open=True)


@click.command()
@click.argument("picture_path", metavar="PICTURE", type=click.Path(path_type=Path))
@click.option("--pattern", type=click.Choice(["charuco", "chessboard"]), default="charuco", show_default=True)
@click.option("--columns", type=_SQUARE_COUNT, required=True, help="Squares in a row of the board.")
@click.option("--rows", type=_SQUARE_COUNT, required=True, help="Rows of squares.")
@click.option("--square-mm", type=_LENGTH_MM, required=True, help="Side of a square as printed.")
@click.option("--marker-mm", type=_LENGTH_MM, help="Side of a marker (ChArUco); left out, 3/4 of a square.")
@click.option("--dictionary", type=click.Choice(DICTIONARY_NAMES), default="DICT_5X5_100", show_default=True)
@click.option(
    "--travel",
    type=click.Choice(["down", "up", "left", "right"]),
    default="down",
    show_default=True,
    help="Where the belt runs to in the picture.",
)
@click.option("--origin-x-mm", type=float, help="From the belt's left edge to the board; left out, the view begins it.")
@click.option("--origin-y-mm", type=float, help="From the reference line upstream to the board; likewise.")
@click.option("--max-error-mm", type=_LENGTH_MM, default=1.0, show_default=True, help="Refuse a worse fit than this.")
@click.option("--json", "is_json", is_flag=True, help="Print one JSON object.")
def calibrate(
    picture_path: Path,
    pattern: str,
    columns: int,
    rows: int,
    square_mm: float,
    marker_mm: float | None,
    dictionary: str,
    travel: str,
    origin_x_mm: float | None,
    origin_y_mm: float | None,
    max_error_mm: float,
    is_json: bool,
) -> None:
    """Work out where the camera's pixels lie on the belt, from a PICTURE of a board laid along the belt.

    Prints the [camera] lines for the configuration and how well they fit. Sizes are in millimetres; the picture must
    be of the size that the line works with.
    """
    marker_mm = marker_mm if marker_mm is not None else _MARKER_RATIO * square_mm
    if marker_mm >= square_mm:
        raise click.BadParameter(
            f"{marker_mm:g} must be smaller than --square-mm {square_mm:g}", param_hint="--marker-mm"
        )
    picture = read_picture(picture_path)
    if picture is None:
        raise SourceError(f"{picture_path}: no such picture, or it cannot be read")
    board = Board(cast("Pattern", pattern), columns, rows, square_mm, marker_mm, dictionary)
    placement = Placement(cast("Direction", travel), origin_x_mm, origin_y_mm)
    calibration = calibrate_camera(picture, board, placement, max_error_mm)
    click.echo(msgspec.json.encode(calibration).decode() if is_json else _as_toml(calibration))


def _as_toml(calibration: Calibration) -> str:
    numbers = ", ".join(f"{value:.9g}" for value in calibration.homography)
    return (
        f"# {calibration.corner_count} corners, {calibration.error_rms_mm} mm from their places "
        f"(root mean square), {calibration.error_max_mm} mm at most\n"
        "[camera]\n"
        f"width_px = {calibration.width_px}\n"
        f"height_px = {calibration.height_px}\n"
        f"view_width_mm = {calibration.view_width_mm}\n"
        f"view_length_mm = {calibration.view_length_mm}\n"
        f"homography = [{numbers}]"
    )
