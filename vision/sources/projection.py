"""The straight simulated belt as a tilted camera sees it, so that a calibrated homography can be tried without one."""

import cv2
import numpy as np
from numpy.typing import NDArray

from sorter.model.belt import CameraView
from sorter.model.settings import CameraSettings
from sorter.model.units import UM_PER_MM
from vision.sources.painter import BeltScale

# The settings count pixels from the picture's corner, cv2 from the centre of its first pixel.
_CENTRE_TO_CORNER = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])


class TiltedView:
    """A straight picture to paint on, and its projection into the camera's picture.

    Attributes:
        canvas: (H, W, 3) uint8 BGR over the whole width and length that the camera sees, at the camera's mean scale.
    """

    def __init__(self, camera: CameraSettings) -> None:
        view, scale = CameraView(camera), BeltScale.of_camera(camera)
        rows = int(np.ceil(view.view_length_um / scale.row_um))
        self.canvas = np.zeros((rows, camera.width_px, 3), np.uint8)
        across_mm, along_mm = scale.column_um / UM_PER_MM, scale.row_um / UM_PER_MM
        top_mm = view.downstream_edge_um / UM_PER_MM + rows * along_mm
        canvas_to_mm = np.array([[across_mm, 0.0, 0.0], [0.0, -along_mm, top_mm], [0.0, 0.0, 1.0]])
        px_to_mm = np.array(camera.homography, np.float64).reshape(3, 3)
        corner_to_corner = np.linalg.inv(px_to_mm) @ canvas_to_mm
        self._matrix = np.linalg.inv(_CENTRE_TO_CORNER) @ corner_to_corner @ _CENTRE_TO_CORNER

    def project(self, out: NDArray[np.uint8]) -> None:
        """Fill `out`, (height_px, width_px, 3) uint8 BGR, with what the camera sees of the canvas; black beyond it."""
        cv2.warpPerspective(self.canvas, self._matrix, (out.shape[1], out.shape[0]), dst=out)
