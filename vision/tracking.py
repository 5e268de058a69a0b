"""Tracking in belt coordinates: items lie still there, so a track is a fixed box that further views confirm.

No motion model is needed: travel between two views, lost frames and changes of speed move nothing. One thing does: an
encoder that counts a few per cent too much or too little moves all items alike, and that share is learned from them.
What an item is, and what is done with it, is left to the policy.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sorter.model.belt import CameraView
from sorter.model.settings import TrackingSettings
from sorter.model.tracks import Track
from vision.frame import Detections

_EDGE_PX = 2.0
# Columns of the table of tracks after the four of the box.
_ID, _VIEW_COUNT, _WHOLE_COUNT, _TRAVEL_UM, _COLUMN_COUNT = 4, 5, 6, 7, 8
_ALONG = [1, 3]


class _Belt:
    """What all cameras over a belt share: its tracks, numbers for new ones, and how wrong the encoder is.

    `table` is float64 with a row a track: x low, belt low, x high, belt high in micrometres, track id, number of views,
    number of whole views, and the mean belt travel of the views that the box rests on.
    """

    def __init__(self, downstream_edge_um: int) -> None:
        self.table = np.zeros((0, _COLUMN_COUNT))
        self.next_id = 1
        self.slip = _TravelSlip()
        self.downstream_edge_um = downstream_edge_um
        self.camera_count = 1


class BeltTracker:
    """Tracks of the items that one camera sees, or several over the same belt.

    The box of a track is the mean over its whole views; while the picture's edge has cut every view, it is the hull of
    what was seen. Items lie where they lie whoever sees them, so several cameras need nothing but one table.
    """

    def __init__(self, view: CameraView, settings: TrackingSettings) -> None:
        self._view = view
        self._settings = settings
        self._match_overlap_ratio = settings.match_overlap_ratio
        self._belt = _Belt(view.downstream_edge_um)

    def beside(self, view: CameraView) -> "BeltTracker":
        """The tracker of another camera over the same belt: what both see is one track."""
        other = BeltTracker(view, self._settings)
        other._belt = self._belt
        self._belt.camera_count += 1
        self._belt.downstream_edge_um = min(self._belt.downstream_edge_um, view.downstream_edge_um)
        return other

    @property
    def track_count(self) -> int:
        """How many tracks are alive."""
        return len(self._belt.table)

    def update(self, detections: Detections, travel_um: int) -> tuple[Track, ...]:
        """Join one view's detections to the tracks.

        Args:
            detections: boxes (N, 4) in pixels and class scores (N, C).
            travel_um: belt travel at exposure.

        Returns:
            One track a detection, in the detections' order.
        """
        boxes_um = self._view.boxes_to_belt_um(detections.boxes_px, travel_um)
        is_cut = self._is_cut(detections.boxes_px)
        expected_um = self._expected_boxes(travel_um)
        rows = self._match(expected_um, boxes_um, is_cut, travel_um)
        is_new = rows < 0
        rows[is_new] = self._append(int(np.count_nonzero(is_new)), travel_um)
        self._merge(rows, boxes_um, is_cut, travel_um)
        return _tracks(self._belt.table[rows], detections.class_probs, is_cut)

    def boxes_px(self, tracks: tuple[Track, ...], travel_um: int) -> NDArray[np.float64]:
        """Where tracks are on the picture taken at a travel: (N, 4) left, top, right, bottom, not clipped."""
        centres = np.array([(t.x_um, t.belt_um, t.width_um, t.length_um) for t in tracks], np.float64).reshape(-1, 4)
        half = centres[:, 2:] / 2
        boxes_um = np.concatenate([centres[:, :2] - half, centres[:, :2] + half], axis=1)
        return self._view.belt_to_boxes_px(boxes_um, travel_um)

    def _is_cut(self, boxes_px: NDArray[np.float32]) -> NDArray[np.bool_]:
        result: NDArray[np.bool_] = (boxes_px[:, 1] <= _EDGE_PX) | (boxes_px[:, 3] >= self._view.height_px - _EDGE_PX)
        if self._belt.camera_count > 1:  # beside a lone camera's picture there is no belt
            result |= (boxes_px[:, 0] <= _EDGE_PX) | (boxes_px[:, 2] >= self._view.width_px - _EDGE_PX)
        return result

    def _expected_boxes(self, travel_um: int) -> NDArray[np.float64]:
        """Where the tracks' boxes (N, 4) should be seen in micrometres; those that have passed are dropped."""
        shift_um = self._belt.slip.shift_um(travel_um - self._belt.table[:, _TRAVEL_UM])
        stays = self._belt.table[:, 3] + shift_um > travel_um + self._belt.downstream_edge_um
        if not stays.all():
            self._belt.table, shift_um = self._belt.table[stays], shift_um[stays]
        expected_um = self._belt.table[:, :4].copy()
        expected_um[:, _ALONG] += shift_um[:, None]
        return expected_um

    def _match(
        self, expected_um: NDArray[np.float64], boxes_um: NDArray[Any], is_cut: NDArray[np.bool_], travel_um: int
    ) -> NDArray[np.int64]:
        """Row of the track each detection belongs to (N,), −1 for a new one: best pairs first, each used once."""
        rows = np.full(len(boxes_um), -1, np.int64)
        overlaps = self._overlaps(expected_um, boxes_um, is_cut, travel_um)
        overlaps[overlaps < self._match_overlap_ratio] = 0.0
        columns = np.arange(len(boxes_um))
        while overlaps.size and overlaps.any():
            best_row, best_column = overlaps.argmax(axis=0), overlaps.argmax(axis=1)
            mutual = (best_column[best_row] == columns) & (overlaps[best_row, columns] > 0.0)
            rows[mutual] = best_row[mutual]
            overlaps[best_row[mutual], :] = 0.0
            overlaps[:, mutual] = 0.0
        return rows

    def _overlaps(
        self, expected_um: NDArray[np.float64], boxes_um: NDArray[Any], is_cut: NDArray[np.bool_], travel_um: int
    ) -> NDArray[np.float64]:
        """How well each track (rows) fits each detection (columns): 0..1.

        Intersection over union of whole boxes. A cut box is compared by what the view shows of the track, and by
        intersection over the smaller box: of a cut item, neither side is known to be complete.
        """
        edges_um = travel_um + self._view.downstream_edge_um, travel_um + self._view.upstream_edge_um
        visible = expected_um
        visible[:, _ALONG] = visible[:, _ALONG].clip(*edges_um)
        shared = _shared(visible, boxes_um, 0) * _shared(visible, boxes_um, 1)
        track_area, box_area = _areas(visible)[:, None], _areas(boxes_um)[None, :]
        partial = (self._belt.table[:, _WHOLE_COUNT] == 0)[:, None] | is_cut[None, :]
        base = np.where(partial, np.minimum(track_area, box_area), track_area + box_area - shared)
        ratios: NDArray[np.float64] = shared / np.maximum(base, 1.0)
        return ratios

    def _append(self, count: int, travel_um: int) -> NDArray[np.int64]:
        """Add empty tracks and return their rows."""
        first_row = len(self._belt.table)
        if count:
            new = np.zeros((count, _COLUMN_COUNT))
            new[:, :4] = np.nan
            new[:, _ID] = np.arange(self._belt.next_id, self._belt.next_id + count)
            new[:, _TRAVEL_UM] = travel_um
            self._belt.table = np.concatenate([self._belt.table, new])
            self._belt.next_id += count
        return np.arange(first_row, first_row + count)

    def _merge(
        self, rows: NDArray[np.int64], boxes_um: NDArray[Any], is_cut: NDArray[np.bool_], travel_um: int
    ) -> None:
        """Work one view's boxes into the tracks' boxes."""
        old = self._belt.table[rows]
        whole_counts, is_first = old[:, _WHOLE_COUNT], old[:, _WHOLE_COUNT] == 0
        self._learn_slip(old, boxes_um, is_cut, travel_um)
        new = old.copy()
        new[:, _VIEW_COUNT] += 1
        new[:, _WHOLE_COUNT] += ~is_cut
        share = np.where(is_cut, 0.0, 1.0 / (whole_counts + 1.0))
        new[:, _TRAVEL_UM] += share * (travel_um - old[:, _TRAVEL_UM])
        new[:, :4] += share[:, None] * (boxes_um - old[:, :4])
        # the hull of cut views, until the first whole one takes its place
        first, cut = is_first & ~is_cut, is_first & is_cut
        new[first, :4] = boxes_um[first]
        new[cut, :2] = np.fmin(old[cut, :2], boxes_um[cut, :2])
        new[cut, 2:4] = np.fmax(old[cut, 2:4], boxes_um[cut, 2:])
        new[is_first, _TRAVEL_UM] = travel_um
        self._belt.table[rows] = new

    def _learn_slip(
        self, old: NDArray[np.float64], boxes_um: NDArray[Any], is_cut: NDArray[np.bool_], travel_um: int
    ) -> None:
        is_known = (old[:, _WHOLE_COUNT] > 0) & ~is_cut
        moved_um = (boxes_um - old[:, :4])[is_known][:, _ALONG].mean(axis=1)
        self._belt.slip.learn(moved_um, travel_um - old[is_known, _TRAVEL_UM])


class _TravelSlip:
    """By how much of the travel items seem to move: 0 for a true encoder; least squares that forget old views."""

    _KEPT = 0.9
    # Weight of the assumption that the encoder is true: some items seen a tenth of a metre apart.
    _PRIOR_UM2 = 10 * 1e5**2
    _LIMIT = 0.1
    # Less than this moves no item out of reach, and is within what the boxes of a network err by.
    _LEAST = 0.02

    def __init__(self) -> None:
        self._moved = 0.0
        self._travelled = 0.0
        self._ratio = 0.0

    def shift_um(self, travelled_um: NDArray[np.float64]) -> NDArray[np.float64]:
        """How far items seem to have moved over each stretch of travel."""
        return self._ratio * travelled_um

    def learn(self, moved_um: NDArray[np.float64], travelled_um: NDArray[np.float64]) -> None:
        """Take how far items seem to have moved, each over its own stretch of travel, (N,) both."""
        self._moved = self._KEPT * self._moved + float(moved_um @ travelled_um)
        self._travelled = self._KEPT * self._travelled + float(travelled_um @ travelled_um)
        ratio = self._moved / (self._travelled + self._PRIOR_UM2)
        self._ratio = 0.0 if abs(ratio) < self._LEAST else min(self._LIMIT, max(-self._LIMIT, ratio))


def _shared(first: NDArray[np.float64], second: NDArray[Any], axis: int) -> NDArray[np.float64]:
    """Length that boxes (N, 4) and (M, 4) share along an axis, (N, M)."""
    high = np.minimum(first[:, None, axis + 2], second[None, :, axis + 2])
    low = np.maximum(first[:, None, axis], second[None, :, axis])
    result: NDArray[np.float64] = np.maximum(high - low, 0.0)
    return result


def _areas(boxes_um: NDArray[Any]) -> NDArray[np.float64]:
    sides = np.maximum(boxes_um[:, 2:] - boxes_um[:, :2], 0.0)
    result: NDArray[np.float64] = sides[:, 0] * sides[:, 1]
    return result


def _tracks(
    table: NDArray[np.float64], class_probs: NDArray[np.float32], is_cut: NDArray[np.bool_]
) -> tuple[Track, ...]:
    """Messages in bulk: the loop over them is `map`'s."""
    low, high = table[:, :2], table[:, 2:4]
    whole = np.rint(np.concatenate([(low + high) / 2, high - low, table[:, _ID : _VIEW_COUNT + 1]], axis=1))
    x_um, belt_um, width_um, length_um, track_ids, view_counts = whole.astype(np.int64).T.tolist()
    probs = map(tuple, class_probs.astype(np.float64).tolist())
    return tuple(map(Track, track_ids, x_um, belt_um, width_um, length_um, probs, view_counts, is_cut.tolist()))
