"""Tracking in belt coordinates: items lie still there, so a track is a fixed box that further views confirm.

No motion model is needed: travel between two views, lost frames and changes of speed move nothing. What an item is,
and what is done with it, is left to the policy.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sorter.model.belt import CameraView
from sorter.model.settings import TrackingSettings
from sorter.model.tracks import Track
from vision.frame import Detections

_EDGE_PX = 2.0


class BeltTracker:
    """Tracks of the items in view; arrays of one row a track.

    Boxes are x low, belt low, x high, belt high in micrometres. The box of a track is the mean over its whole views;
    while the picture's edge has cut every view, it is the hull of what was seen.
    """

    def __init__(self, view: CameraView, settings: TrackingSettings) -> None:
        self._view = view
        self._match_overlap_ratio = settings.match_overlap_ratio
        self._next_id = 1
        self._ids = np.zeros(0, np.int64)
        self._boxes_um = np.zeros((0, 4))
        self._view_counts = np.zeros(0, np.int64)
        self._whole_counts = np.zeros(0, np.int64)

    @property
    def track_count(self) -> int:
        """How many tracks are alive."""
        return len(self._ids)

    def update(self, detections: Detections, travel_um: int) -> tuple[Track, ...]:
        """Join one view's detections to the tracks.

        Args:
            detections: boxes (N, 4) in pixels and class scores (N, C).
            travel_um: belt travel at exposure.

        Returns:
            One track a detection, in the detections' order.
        """
        self._drop_passed(travel_um)
        boxes_um = self._view.boxes_to_belt_um(detections.boxes_px, travel_um)
        is_cut = self._is_cut(detections.boxes_px)
        rows = self._match(boxes_um, is_cut, travel_um)
        is_new = rows < 0
        rows[is_new] = self._append(int(is_new.sum()))
        self._merge(rows, boxes_um, is_cut)
        return self._tracks(rows, detections.class_probs, is_cut)

    def boxes_px(self, tracks: tuple[Track, ...], travel_um: int) -> NDArray[np.float64]:
        """Where tracks are on the picture taken at a travel: (N, 4) left, top, right, bottom, not clipped."""
        centres = np.array([(t.x_um, t.belt_um, t.width_um, t.length_um) for t in tracks], np.float64).reshape(-1, 4)
        half = centres[:, 2:] / 2
        boxes_um = np.concatenate([centres[:, :2] - half, centres[:, :2] + half], axis=1)
        return self._view.belt_to_boxes_px(boxes_um, travel_um)

    def _is_cut(self, boxes_px: NDArray[np.float32]) -> NDArray[np.bool_]:
        result: NDArray[np.bool_] = (boxes_px[:, 1] <= _EDGE_PX) | (boxes_px[:, 3] >= self._view.height_px - _EDGE_PX)
        return result

    def _drop_passed(self, travel_um: int) -> None:
        stays = self._boxes_um[:, 3] > travel_um + self._view.downstream_edge_um
        if not stays.all():
            self._ids, self._boxes_um = self._ids[stays], self._boxes_um[stays]
            self._view_counts, self._whole_counts = self._view_counts[stays], self._whole_counts[stays]

    def _match(self, boxes_um: NDArray[Any], is_cut: NDArray[np.bool_], travel_um: int) -> NDArray[np.int64]:
        """Row of the track each detection belongs to (N,), −1 for a new one: best pairs first, each used once."""
        rows = np.full(len(boxes_um), -1, np.int64)
        overlaps = self._overlaps(boxes_um, is_cut, travel_um)
        overlaps[overlaps < self._match_overlap_ratio] = 0.0
        while overlaps.size and overlaps.max() > 0.0:
            best_row, best_column = overlaps.argmax(axis=0), overlaps.argmax(axis=1)
            columns = np.arange(overlaps.shape[1])
            mutual = (best_column[best_row] == columns) & (overlaps[best_row, columns] > 0.0)
            rows[mutual] = best_row[mutual]
            overlaps[best_row[mutual], :] = 0.0
            overlaps[:, mutual] = 0.0
        return rows

    def _overlaps(self, boxes_um: NDArray[Any], is_cut: NDArray[np.bool_], travel_um: int) -> NDArray[np.float64]:
        """How well each track (rows) fits each detection (columns): 0..1.

        Intersection over union of whole boxes. A cut box is compared by what the view shows of the track, and by
        intersection over the smaller box: of a cut item, neither side is known to be complete.
        """
        low_um = travel_um + self._view.downstream_edge_um
        high_um = travel_um + self._view.upstream_edge_um
        visible = self._boxes_um.copy()
        visible[:, [1, 3]] = visible[:, [1, 3]].clip(low_um, high_um)
        low = np.maximum(visible[:, None, :2], boxes_um[None, :, :2])
        high = np.minimum(visible[:, None, 2:], boxes_um[None, :, 2:])
        shared = (high - low).clip(0.0).prod(axis=2)
        track_area, box_area = _areas(visible)[:, None], _areas(boxes_um)[None, :]
        partial = (self._whole_counts == 0)[:, None] | is_cut[None, :]
        base = np.where(partial, np.minimum(track_area, box_area), track_area + box_area - shared)
        ratios: NDArray[np.float64] = shared / np.maximum(base, 1.0)
        return ratios

    def _append(self, count: int) -> NDArray[np.int64]:
        """Add empty tracks and return their rows."""
        first_row = len(self._ids)
        self._ids = np.concatenate([self._ids, np.arange(self._next_id, self._next_id + count)])
        self._boxes_um = np.concatenate([self._boxes_um, np.full((count, 4), np.nan)])
        self._view_counts = np.concatenate([self._view_counts, np.zeros(count, np.int64)])
        self._whole_counts = np.concatenate([self._whole_counts, np.zeros(count, np.int64)])
        self._next_id += count
        return np.arange(first_row, first_row + count)

    def _merge(self, rows: NDArray[np.int64], boxes_um: NDArray[Any], is_cut: NDArray[np.bool_]) -> None:
        """Work one view's boxes into the tracks' boxes."""
        self._view_counts[rows] += 1
        old, whole_counts = self._boxes_um[rows], self._whole_counts[rows]
        hull = np.concatenate([np.fmin(old[:, :2], boxes_um[:, :2]), np.fmax(old[:, 2:], boxes_um[:, 2:])], axis=1)
        mean = np.where((whole_counts == 0)[:, None], boxes_um, old + (boxes_um - old) / (whole_counts + 1)[:, None])
        kept_or_hull = np.where((whole_counts == 0)[:, None], hull, old)
        self._boxes_um[rows] = np.where(is_cut[:, None], kept_or_hull, mean)
        self._whole_counts[rows] = whole_counts + ~is_cut

    def _tracks(
        self, rows: NDArray[np.int64], class_probs: NDArray[np.float32], is_cut: NDArray[np.bool_]
    ) -> tuple[Track, ...]:
        boxes = self._boxes_um[rows]
        centres = np.rint((boxes[:, :2] + boxes[:, 2:]) / 2).astype(np.int64)
        extents = np.rint(boxes[:, 2:] - boxes[:, :2]).astype(np.int64)
        columns = zip(
            self._ids[rows].tolist(),
            centres.tolist(),
            extents.tolist(),
            class_probs.astype(np.float64).tolist(),
            self._view_counts[rows].tolist(),
            is_cut.tolist(),
            strict=True,
        )
        return tuple(
            Track(track_id, x_um, belt_um, width_um, length_um, tuple(probs), view_count, truncated)
            for track_id, (x_um, belt_um), (width_um, length_um), probs, view_count, truncated in columns
        )


def _areas(boxes_um: NDArray[Any]) -> NDArray[np.float64]:
    result: NDArray[np.float64] = (boxes_um[:, 2:] - boxes_um[:, :2]).clip(0.0).prod(axis=1)
    return result
