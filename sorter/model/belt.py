"""Belt geometry: picture boxes to belt coordinates and back, and belt travel between two encoder readings.

An item lies still in belt coordinates: `belt_um = travel at exposure + distance upstream of the reference line`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sorter.model.settings import CameraSettings, Settings, camera_settings
from sorter.model.tracks import BeltState
from sorter.model.units import UM_PER_MM, mm_to_um, travel_after_um


class CameraView:
    """How one camera's picture lies on the belt: a homography between pixels and millimetres.

    Without a calibrated homography the picture covers the view straight: columns across from its left edge, the
    bottom row on the reference line, rows above it upstream.
    """

    def __init__(self, settings: CameraSettings) -> None:
        self.width_px = settings.width_px
        self.height_px = settings.height_px
        self._px_to_mm = _matrix(settings)
        self._mm_to_px: NDArray[np.float64] = np.linalg.inv(self._px_to_mm).astype(np.float64)
        corners = np.array([[0, 0], [self.width_px, 0], [self.width_px, self.height_px], [0, self.height_px]], float)
        offsets_mm = _project(self._px_to_mm, corners)[:, 1]
        self.downstream_edge_um = mm_to_um(float(offsets_mm.min()))
        self.upstream_edge_um = mm_to_um(float(offsets_mm.max()))

    @property
    def view_length_um(self) -> int:
        """How much belt the picture shows along the travel."""
        return self.upstream_edge_um - self.downstream_edge_um

    def boxes_to_belt_um(self, boxes_px: NDArray[Any], travel_um: int) -> NDArray[np.float64]:
        """Picture boxes in belt coordinates.

        Args:
            boxes_px: (N, 4) left, top, right, bottom in pixels.
            travel_um: belt travel at exposure.

        Returns:
            (N, 4) x low, belt low, x high, belt high in micrometres: the straight box around the projected corners.
        """
        boxes_um = self._transform(self._px_to_mm, boxes_px) * UM_PER_MM
        boxes_um[:, [1, 3]] += travel_um
        return boxes_um

    def belt_to_boxes_px(self, boxes_um: NDArray[np.float64], travel_um: int) -> NDArray[np.float64]:
        """The inverse: (N, 4) belt boxes in micrometres to left, top, right, bottom in pixels, not clipped."""
        shifted = np.array(boxes_um, np.float64)
        shifted[:, [1, 3]] -= travel_um
        return self._transform(self._mm_to_px, shifted / UM_PER_MM)

    @staticmethod
    def _transform(matrix: NDArray[np.float64], boxes: NDArray[Any]) -> NDArray[np.float64]:
        corners = boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 2)
        projected = _project(matrix, corners).reshape(-1, 4, 2)
        return np.concatenate([projected.min(axis=1), projected.max(axis=1)], axis=1)


def seen_length_um(settings: Settings) -> tuple[int, int]:
    """From where to where the line's cameras together see the belt, upstream of the reference line."""
    views = [CameraView(one.camera) for _, one in camera_settings(settings)]
    return min(view.downstream_edge_um for view in views), max(view.upstream_edge_um for view in views)


class BeltTravel:
    """Belt travel at any instant near the newest encoder readings, by straight-line inter- and extrapolation."""

    def __init__(self) -> None:
        self._newest: BeltState | None = None
        self._previous: BeltState | None = None

    @property
    def newest(self) -> BeltState | None:
        """The newest reading, None before the first."""
        return self._newest

    def add(self, state: BeltState) -> None:
        """Take a reading; older ones than the newest are ignored."""
        if self._newest is None or state.measured_at_ns > self._newest.measured_at_ns:
            self._previous, self._newest = self._newest, state

    def travel_um_at(self, instant_ns: int) -> int | None:
        """Travel at an instant, None before the first reading."""
        newest, previous = self._newest, self._previous
        if newest is None:
            return None
        if instant_ns >= newest.measured_at_ns or previous is None:
            return newest.travel_um + travel_after_um(newest.speed_um_s, instant_ns - newest.measured_at_ns)
        span_ns = newest.measured_at_ns - previous.measured_at_ns
        share = (instant_ns - previous.measured_at_ns) / span_ns
        return previous.travel_um + round((newest.travel_um - previous.travel_um) * share)


def _matrix(settings: CameraSettings) -> NDArray[np.float64]:
    if settings.homography is not None:
        return np.array(settings.homography, np.float64).reshape(3, 3)
    across = settings.view_width_mm / settings.width_px
    along = settings.view_length_mm / settings.height_px
    return np.array([[across, 0.0, settings.left_edge_mm], [0.0, -along, settings.view_length_mm], [0.0, 0.0, 1.0]])


def _project(matrix: NDArray[np.float64], points: NDArray[Any]) -> NDArray[np.float64]:
    homogeneous = np.concatenate([points, np.ones((len(points), 1))], axis=1) @ matrix.T
    result: NDArray[np.float64] = homogeneous[:, :2] / homogeneous[:, 2:]
    return result
