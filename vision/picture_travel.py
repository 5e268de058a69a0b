"""Belt travel from the pictures themselves, for lines without an encoder; an encoder is better where there is one.

Two pictures of the same belt differ by a shift along the travel; phase correlation finds it to a fraction of a row
(Kuglin and Hines, 1975). The scale comes from the camera's calibration.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from sorter.model.belt import CameraView
from sorter.model.settings import CameraSettings
from sorter.model.tracks import BeltState
from sorter.model.units import NS_PER_S, UM_PER_MM, travel_after_um

_MAX_ROWS = 640
_COLUMNS = 160
# Phase correlation's response is the peak's share of all correlation: 0.3 and more for the same belt, see the tests.
_LEAST_RESPONSE = 0.12
# The correlation wraps round, so a shift by half the picture or more looks like one backwards.
_SHIFT_RANGE_RATIO = (-0.1, 0.45)
# What a standing belt shows of sensor noise, in rows.
_STANDSTILL_ROWS = 0.1
# A peak is drawn towards whole rows by a tenth of one or so: short shifts are measured from an older picture instead.
_FRESH_ROWS = 8


class PictureTravel:
    """Adds up the shifts from picture to picture; keeps the last speed where two pictures do not match.

    The picture referred to is kept as a grey miniature, so ring slots may be overwritten.
    """

    def __init__(self, camera: CameraSettings) -> None:
        self._miniatures = _Miniatures(camera)
        self._reference = np.zeros(self._miniatures.shape, np.float32)
        self._reference_um = 0
        self._current = np.zeros(self._miniatures.shape, np.float32)
        self._window = cv2.createHanningWindow((_COLUMNS, self._miniatures.shape[0]), cv2.CV_32F)
        self._state: BeltState | None = None
        self._unmatched_count = 0

    @property
    def unmatched_count(self) -> int:
        """Pictures over which travel was carried on at the last speed, because they did not match the one before."""
        return self._unmatched_count

    def add(self, image: NDArray[np.uint8], exposed_at_ns: int) -> BeltState:
        """Travel since the first picture, which counts as 0, and the speed since the picture before.

        Args:
            image: (H, W, 3) uint8 BGR of the camera's size; not kept.
            exposed_at_ns: when it was exposed; a picture not newer than the one before changes nothing.
        """
        if self._state is not None and exposed_at_ns <= self._state.measured_at_ns:
            return self._state
        self._miniatures.fill(image, self._current)
        self._state = self._next_state(self._state, exposed_at_ns)
        return self._state

    def _next_state(self, last: BeltState | None, exposed_at_ns: int) -> BeltState:
        if last is None:
            self._refer_to_current(0)
            return BeltState(exposed_at_ns, 0, 0)
        duration_ns = exposed_at_ns - last.measured_at_ns
        shift_rows = self._shift_rows()
        if shift_rows is None:
            self._unmatched_count += 1
            travel_um = last.travel_um + travel_after_um(last.speed_um_s, duration_ns)
            self._refer_to_current(travel_um)
            return BeltState(exposed_at_ns, travel_um, last.speed_um_s)
        travel_um = self._reference_um + round(shift_rows * self._miniatures.row_um)
        if abs(travel_um - last.travel_um) < _STANDSTILL_ROWS * self._miniatures.row_um:
            travel_um = last.travel_um
        if abs(shift_rows) >= _FRESH_ROWS:
            self._refer_to_current(travel_um)
        return BeltState(exposed_at_ns, travel_um, round((travel_um - last.travel_um) * NS_PER_S / duration_ns))

    def _refer_to_current(self, travel_um: int) -> None:
        self._reference, self._current = self._current, self._reference
        self._reference_um = travel_um

    def _shift_rows(self) -> float | None:
        """How far the belt moved since the picture referred to; None when the two do not match."""
        (_, shift_rows), response = cv2.phaseCorrelate(self._reference, self._current, self._window)
        low, high = (ratio * len(self._current) for ratio in _SHIFT_RANGE_RATIO)
        return float(shift_rows) if response >= _LEAST_RESPONSE and low <= shift_rows <= high else None


class _Miniatures:
    """Straight grey pictures of the view, fine along the travel and coarse across, where nothing moves.

    Attributes:
        shape: rows and columns.
        row_um: belt length of a row.
    """

    def __init__(self, camera: CameraSettings) -> None:
        self.shape = min(_MAX_ROWS, camera.height_px), _COLUMNS
        view = CameraView(camera)
        self.row_um = view.view_length_um / self.shape[0]
        self._grey = np.empty((camera.height_px, camera.width_px), np.uint8)
        self._small = np.empty(self.shape, np.uint8)
        self._from_px = None if camera.homography is None else self._straightening(camera, view)

    def fill(self, image: NDArray[np.uint8], out: NDArray[np.float32]) -> None:
        """Make the miniature of a picture in `out`, float32 of `shape`."""
        cv2.cvtColor(image, cv2.COLOR_BGR2GRAY, dst=self._grey)
        size = self.shape[1], self.shape[0]
        if self._from_px is None:
            cv2.resize(self._grey, size, dst=self._small, interpolation=cv2.INTER_AREA)
        else:
            cv2.warpPerspective(self._grey, self._from_px, size, dst=self._small)
        np.copyto(out, self._small)

    def _straightening(self, camera: CameraSettings, view: CameraView) -> NDArray[np.float64]:
        across = self.shape[1] / camera.view_width_mm
        along = UM_PER_MM / self.row_um
        from_mm = np.array(
            [[across, 0.0, 0.0], [0.0, -along, along * view.upstream_edge_um / UM_PER_MM], [0.0, 0.0, 1.0]]
        )
        return from_mm @ np.array(camera.homography, np.float64).reshape(3, 3)
