"""Tracking in belt coordinates: an item keeps its track, whatever frames are lost and however the belt moves."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sorter.model.belt import CameraView
from sorter.model.settings import CameraSettings, TrackingSettings
from sorter.model.tracks import Track
from vision.frame import Detections
from vision.tracking import BeltTracker

VIEW_WIDTH_UM, VIEW_LENGTH_UM = 1_000_000, 800_000
VIEW = CameraView(CameraSettings(width_px=1000, height_px=800, view_width_mm=1000.0, view_length_mm=800.0))
LEAST_VISIBLE_RATIO = 0.25
NOISE_UM = 5_000
MM = 1_000

Boxes = NDArray[np.float64]


def tracker(**keys: float) -> BeltTracker:
    return BeltTracker(VIEW, TrackingSettings(**keys))  # type: ignore[arg-type]


def detections_of(boxes_um: Boxes, travel_um: int) -> Detections:
    """What a camera shows of boxes on the belt, cut to the picture."""
    boxes_px = VIEW.belt_to_boxes_px(boxes_um.reshape(-1, 4), travel_um).clip(0.0, [1000, 800, 1000, 800])
    return Detections(boxes_px.astype(np.float32), np.full((len(boxes_px), 2), 0.5, np.float32))


def box(x_mm: float, belt_mm: float, width_mm: float = 100.0, length_mm: float = 100.0) -> Boxes:
    low = np.array([x_mm - width_mm / 2, belt_mm - length_mm / 2])
    return np.concatenate([low, np.add(low, (width_mm, length_mm))]) * MM


def visible(boxes_um: Boxes, travel_um: int) -> NDArray[np.bool_]:
    shown = np.minimum(boxes_um[:, 3], travel_um + VIEW_LENGTH_UM) - np.maximum(boxes_um[:, 1], travel_um)
    result: NDArray[np.bool_] = shown >= LEAST_VISIBLE_RATIO * (boxes_um[:, 3] - boxes_um[:, 1])
    return result


@st.composite
def belts(draw: st.DrawFn) -> Boxes:
    """Items that lie apart by more than twice the noise: one a lane, or one behind the other."""
    lanes = draw(st.integers(1, 4))
    lane_um = VIEW_WIDTH_UM // lanes
    boxes: list[Boxes] = []
    for lane in range(lanes):
        low_um = draw(st.integers(0, 400)) * MM
        for _ in range(draw(st.integers(1, 4))):
            width_um = draw(st.integers(40, lane_um // MM - 20)) * MM
            length_um = draw(st.integers(40, 350)) * MM
            left_um = lane * lane_um + draw(st.integers(8, 12)) * MM
            boxes.append(np.array([left_um, low_um, left_um + width_um, low_um + length_um], np.float64))
            low_um += length_um + draw(st.integers(15, 300)) * MM
    return np.array(boxes)


@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(
    belt=belts(),
    steps_mm=st.lists(st.integers(5, 400), min_size=4, max_size=25),
    drop_ratio=st.sampled_from([0.0, 0.2, 0.5]),
    seed=st.integers(0, 2**32 - 1),
)
def test_ids_never_switch_and_each_item_is_one_track(
    belt: Boxes, steps_mm: list[int], drop_ratio: float, seed: int
) -> None:
    rng, tracked = np.random.default_rng(seed), tracker()
    tracks_of: defaultdict[int, set[int]] = defaultdict(set)
    views: defaultdict[int, int] = defaultdict(int)
    whole: defaultdict[int, bool] = defaultdict(bool)
    travel_um = -VIEW_LENGTH_UM
    while travel_um < belt[:, 3].max():
        travel_um += steps_mm[rng.integers(len(steps_mm))] * MM
        # lost frames never lose an item's whole views: of two slivers that share nothing no one knows the whole
        is_cut = (belt[:, 1] < travel_um + 10 * MM) | (belt[:, 3] > travel_um + VIEW_LENGTH_UM - 10 * MM)
        was_seen_cut_only = np.array([views[item] > 0 and not whole[item] for item in range(len(belt))])
        is_lost = (rng.random(len(belt)) < drop_ratio) & ~was_seen_cut_only
        seen = np.flatnonzero(visible(belt, travel_um) & ~is_lost)
        for item in seen:
            whole[int(item)] |= not is_cut[item]
        rng.shuffle(seen)
        noisy = belt[seen] + rng.uniform(-NOISE_UM, NOISE_UM, (len(seen), 4))
        tracks = tracked.update(detections_of(noisy, travel_um), travel_um)
        assert len(tracks) == len(seen)
        for item, track in zip(seen.tolist(), tracks, strict=True):
            tracks_of[item].add(track.track_id)
            views[item] += 1
            assert track.view_count == views[item]
    assert all(len(ids) == 1 for ids in tracks_of.values())
    assert len(set.union(set(), *tracks_of.values())) == len(tracks_of)


@settings(deadline=None, max_examples=40)
@given(
    x_mm=st.integers(100, 900),
    width_mm=st.integers(40, 180),
    length_mm=st.integers(40, 600),
    first_shown_ratio=st.floats(0.25, 0.95),
)
def test_an_item_that_comes_in_keeps_its_track_and_gets_its_true_measures(
    x_mm: int, width_mm: int, length_mm: int, first_shown_ratio: float
) -> None:
    item = box(x_mm, 2000.0, width_mm, length_mm)
    tracked = tracker()
    entering_um = round(item[1] + first_shown_ratio * length_mm * MM) - VIEW_LENGTH_UM
    whole_um = round(item[3]) - VIEW_LENGTH_UM + 10 * MM
    (cut,) = tracked.update(detections_of(item, entering_um), entering_um)
    (whole,) = tracked.update(detections_of(item, whole_um), whole_um)
    assert (cut.truncated, whole.truncated) == (True, False)
    assert cut.track_id == whole.track_id
    assert cut.length_um == pytest.approx(first_shown_ratio * length_mm * MM, abs=300)
    assert_is(whole, item, 300)


def assert_is(track: Track, item_um: Boxes, tolerance_um: float) -> None:
    centre, extent = (item_um[:2] + item_um[2:]) / 2, item_um[2:] - item_um[:2]
    assert track.x_um == pytest.approx(centre[0], abs=tolerance_um)
    assert track.belt_um == pytest.approx(centre[1], abs=tolerance_um)
    assert track.width_um == pytest.approx(extent[0], abs=tolerance_um)
    assert track.length_um == pytest.approx(extent[1], abs=tolerance_um)


def test_a_view_that_cuts_an_item_on_its_way_out_does_not_spoil_its_measures() -> None:
    item, tracked = box(500, 1000, 120, 200), tracker()
    first = tracked.update(detections_of(item, 500 * MM), 500 * MM)
    leaving = tracked.update(detections_of(item, 1050 * MM), 1050 * MM)
    assert leaving[0].truncated
    assert leaving[0].track_id == first[0].track_id
    assert_is(leaving[0], item, 300)


def test_an_item_longer_than_the_view_becomes_the_hull_of_what_was_seen_of_it() -> None:
    item, tracked = box(500, 1000, 200, 1500), tracker()
    ids = set()
    for travel_mm in (-200, 100, 400, 800, 1200):
        (track,) = tracked.update(detections_of(item, travel_mm * MM), travel_mm * MM)
        ids.add(track.track_id)
        assert track.truncated
    assert len(ids) == 1
    assert_is(track, item, 1000)


def test_the_measures_of_a_track_are_the_mean_of_its_whole_views() -> None:
    tracked = tracker()
    for shift_mm in (-4, 0, 10):
        (track,) = tracked.update(detections_of(box(500 + shift_mm, 1000, 100 + shift_mm, 100), 500 * MM), 500 * MM)
    assert track.x_um == pytest.approx(502 * MM, abs=100)
    assert track.width_um == pytest.approx(102 * MM, abs=100)
    assert track.view_count == 3


@settings(deadline=None, max_examples=40)
@given(belt=belts(), data=st.data())
def test_the_order_of_detections_does_not_matter(belt: Boxes, data: st.DataObject) -> None:
    first, second = tracker(), tracker()
    travels_um = [-600 * MM, -480 * MM, -350 * MM, -100 * MM]
    of_first: dict[int, int] = {}
    of_second: dict[int, int] = {}
    for travel_um in travels_um:
        seen = np.flatnonzero(visible(belt, travel_um))
        order = np.array(data.draw(st.permutations(range(len(seen)))), np.intp)
        given_order = first.update(detections_of(belt[seen], travel_um), travel_um)
        other_order = second.update(detections_of(belt[seen[order]], travel_um), travel_um)
        for place, track in enumerate(given_order):
            twin = other_order[int(np.flatnonzero(order == place)[0])]
            assert (track.x_um, track.belt_um, track.width_um, track.length_um, track.view_count, track.truncated) == (
                twin.x_um, twin.belt_um, twin.width_um, twin.length_um, twin.view_count, twin.truncated
            )  # fmt: skip
            assert of_first.setdefault(track.track_id, twin.track_id) == twin.track_id
            assert of_second.setdefault(twin.track_id, track.track_id) == track.track_id


def test_a_view_without_detections_gives_no_tracks_and_forgets_none() -> None:
    item, tracked = box(500, 1000), tracker()
    (before,) = tracked.update(detections_of(item, 500 * MM), 500 * MM)
    assert tracked.update(detections_of(np.zeros((0, 4)), 600 * MM), 600 * MM) == ()
    assert tracked.track_count == 1
    (after,) = tracked.update(detections_of(item, 700 * MM), 700 * MM)
    assert (after.track_id, after.view_count) == (before.track_id, 2)


def test_two_detections_of_one_item_in_one_view_are_two_tracks_and_the_better_goes_on() -> None:
    item, tracked = box(500, 1000), tracker()
    (before,) = tracked.update(detections_of(item, 500 * MM), 500 * MM)
    both = np.array([box(520, 1010), item])
    worse, better = tracked.update(detections_of(both, 600 * MM), 600 * MM)
    assert better.track_id == before.track_id
    assert worse.track_id != before.track_id


def test_how_much_boxes_must_overlap_to_be_one_item_is_a_setting() -> None:
    first, shifted = box(500, 1000), box(530, 1000)  # intersection over union 70 / 130
    for least, is_same in ((0.5, True), (0.6, False)):
        tracked = tracker(match_overlap_ratio=least)
        (before,) = tracked.update(detections_of(first, 500 * MM), 500 * MM)
        (after,) = tracked.update(detections_of(shifted, 500 * MM), 500 * MM)
        assert (before.track_id == after.track_id) == is_same


def test_a_small_item_on_a_large_one_is_an_item_of_its_own() -> None:
    pair, tracked = np.array([box(500, 1000, 400, 400), box(500, 1000, 100, 100)]), tracker()
    first = tracked.update(detections_of(pair, 500 * MM), 500 * MM)
    second = tracked.update(detections_of(pair[::-1], 600 * MM), 600 * MM)
    assert [track.track_id for track in second] == [track.track_id for track in first][::-1]
    assert len({track.track_id for track in first}) == 2


def test_a_track_ends_when_its_item_has_left_the_view_and_its_number_is_not_used_again() -> None:
    tracked = tracker()
    (gone,) = tracked.update(detections_of(box(500, 1000), 500 * MM), 500 * MM)
    tracked.update(detections_of(np.zeros((0, 4)), 1049 * MM), 1049 * MM)
    assert tracked.track_count == 1
    (new,) = tracked.update(detections_of(box(500, 1500), 1051 * MM), 1051 * MM)
    assert tracked.track_count == 1
    assert new.track_id != gone.track_id


def test_class_scores_are_those_of_the_view_alone() -> None:
    item, tracked = box(500, 1000), tracker()
    for score in (0.25, 0.75):
        seen = detections_of(item, 500 * MM)
        (track,) = tracked.update(Detections(seen.boxes_px, np.array([[score, 1 - score]], np.float32)), 500 * MM)
        assert track.class_probs == (score, 1 - score)


@settings(deadline=None)
@given(belt=belts(), travel_mm=st.integers(-500, 500))
def test_tracks_are_shown_on_the_picture_where_they_were_seen(belt: Boxes, travel_mm: int) -> None:
    travel_um, tracked = travel_mm * MM, tracker()
    seen = detections_of(belt[visible(belt, travel_um)], travel_um)
    tracks = tracked.update(seen, travel_um)
    np.testing.assert_allclose(tracked.boxes_px(tracks, travel_um), seen.boxes_px, atol=0.01)
    moved = tracked.boxes_px(tracks, travel_um + 50 * MM)
    np.testing.assert_allclose(moved - seen.boxes_px, np.tile([0.0, 50.0], (len(tracks), 2)), atol=0.01)


def scattered_belt(rng: np.random.Generator, count: int, length_mm: float) -> Boxes:
    """Items that lie apart, as close as chance has it."""
    boxes = np.zeros((0, 4))
    while len(boxes) < count:
        size = rng.uniform(40, 130), rng.uniform(40, 160)
        new = box(rng.uniform(size[0] / 2, 1000 - size[0] / 2), rng.uniform(0, length_mm), *size)
        if not ((boxes[:, :2] < new[2:]) & (boxes[:, 2:] > new[:2])).all(axis=1).any():
            boxes = np.vstack([boxes, new])
    return boxes


@pytest.mark.parametrize("per_view_count", [30, 60])
@pytest.mark.parametrize("velocity_error", [0.0, 0.019, 0.05, -0.05])
@pytest.mark.parametrize("step_mm", [100, 200])
def test_items_are_counted_right_on_a_fast_belt_whose_encoder_is_wrong(
    step_mm: int, velocity_error: float, per_view_count: int
) -> None:
    rng, tracked = np.random.default_rng(5), tracker()
    belt = scattered_belt(rng, per_view_count * 8, 8 * 800.0)
    last_ids: dict[int, int] = {}
    all_ids: set[int] = set()
    switch_count = 0
    for true_um in range(-900 * MM, 8 * 800 * MM + 200 * MM, step_mm * MM):
        seen = np.flatnonzero(visible(belt, true_um) & (rng.random(len(belt)) >= 0.02))
        noisy = belt[seen] + rng.normal(0, 1 * MM, (len(seen), 4))
        measured_um = round(true_um * (1 + velocity_error))
        for item, track in zip(seen.tolist(), tracked.update(detections_of(noisy, true_um), measured_um), strict=True):
            switch_count += last_ids.get(item, track.track_id) != track.track_id
            last_ids[item] = track.track_id
            all_ids.add(track.track_id)
    assert abs(len(all_ids) - len(belt)) <= 0.01 * len(belt)
    assert switch_count <= 0.02 * len(belt)
