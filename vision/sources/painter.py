"""What the simulated camera asks of those who picture the belt, and how pixels lie on it."""

from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from sorter.model.settings import CameraSettings
from sorter.model.units import UM_PER_MM


class BeltScale(msgspec.Struct, frozen=True):
    """Size of a pixel on the belt, across (column) and along (row), in micrometres; they may differ."""

    column_um: float
    row_um: float

    @classmethod
    def of_camera(cls, camera: CameraSettings) -> "BeltScale":
        """The scale at which the camera's view fills its picture."""
        return cls(
            camera.view_width_mm * UM_PER_MM / camera.width_px, camera.view_length_mm * UM_PER_MM / camera.height_px
        )

    def rows_at(self, belt_um: float) -> int:
        """Whole rows from belt coordinate 0 up to a belt coordinate, to the nearest."""
        return round(belt_um / self.row_um)


class BeltPainter(Protocol):
    """Pictures a stretch of the simulated belt."""

    def paint(self, canvas: NDArray[np.uint8], first_row: int) -> None:
        """Fill a picture of the belt.

        Args:
            canvas: (H, W, 3) uint8 BGR, overwritten; columns run across from the belt's left edge, and its last row is
                the furthest downstream.
            first_row: rows from belt coordinate 0 to the downstream edge of the canvas; may be negative.
        """
        ...

    def draw_ahead(self) -> None:
        """Prepare one thing that will soon come into view, if any is left; called while the camera has time."""
        ...
