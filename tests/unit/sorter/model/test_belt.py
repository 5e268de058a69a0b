"""Belt geometry: pictures to belt coordinates and back, and where the belt is between two readings."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.model.belt import BeltTravel, CameraView
from sorter.model.settings import CameraSettings
from sorter.model.tracks import BeltState
from sorter.model.units import NS_PER_S

travels_um = st.integers(0, 10**10)


@st.composite
def cameras(draw: st.DrawFn, *, is_straight: bool | None = None) -> CameraSettings:
    width_px, height_px = draw(st.integers(64, 2000)), draw(st.integers(64, 2000))
    camera = {
        "width_px": width_px,
        "height_px": height_px,
        "view_width_mm": draw(st.floats(200.0, 3000.0)),
        "view_length_mm": draw(st.floats(200.0, 3000.0)),
    }
    if draw(st.booleans()) if is_straight is None else is_straight:
        return CameraSettings(**camera)  # type: ignore[arg-type]
    tilt = st.floats(-0.15, 0.15)
    across, along = camera["view_width_mm"] / width_px, camera["view_length_mm"] / height_px
    homography = (
        across, draw(tilt) * across, draw(st.floats(-50.0, 50.0)),
        draw(tilt) * along, -along, camera["view_length_mm"],
        draw(tilt) / width_px, draw(tilt) / height_px, 1.0,
    )  # fmt: skip
    return CameraSettings(**camera, homography=homography)  # type: ignore[arg-type]


@st.composite
def boxes_in(draw: st.DrawFn, camera: CameraSettings) -> np.ndarray:
    shares = np.array(draw(st.lists(st.lists(st.floats(0.0, 0.9), min_size=4, max_size=4), min_size=1, max_size=4)))
    size = np.array([camera.width_px, camera.height_px])
    low = shares[:, :2] * size
    return np.concatenate([low, low + 0.01 * size + shares[:, 2:] * (size - low) * 0.9], axis=1)


@given(data=st.data(), camera=cameras(is_straight=True), travel_um=travels_um)
def test_a_straight_view_turns_boxes_to_the_belt_and_back(
    data: st.DataObject, camera: CameraSettings, travel_um: int
) -> None:
    boxes_px, view = data.draw(boxes_in(camera)), CameraView(camera)
    back_px = view.belt_to_boxes_px(view.boxes_to_belt_um(boxes_px, travel_um), travel_um)
    np.testing.assert_allclose(back_px, boxes_px, atol=1e-3)


@given(data=st.data(), camera=cameras(is_straight=False), travel_um=travels_um)
def test_a_tilted_view_turns_points_to_the_belt_and_back(
    data: st.DataObject, camera: CameraSettings, travel_um: int
) -> None:
    """Points, that is boxes without extent: the straight box around a tilted box is larger each way."""
    boxes_px, view = data.draw(boxes_in(camera)), CameraView(camera)
    points_px = boxes_px[:, [0, 1, 0, 1]]
    back_px = view.belt_to_boxes_px(view.boxes_to_belt_um(points_px, travel_um), travel_um)
    np.testing.assert_allclose(back_px, points_px, atol=1e-2)
    hull_px = view.belt_to_boxes_px(view.boxes_to_belt_um(boxes_px, travel_um), travel_um)
    assert (hull_px[:, :2] <= boxes_px[:, :2] + 1e-2).all()
    assert (hull_px[:, 2:] >= boxes_px[:, 2:] - 1e-2).all()


@given(data=st.data(), camera=cameras(), first_um=travels_um, moved_um=st.integers(-500_000, 500_000))
def test_an_item_keeps_its_belt_coordinate_when_the_belt_moves(
    data: st.DataObject, camera: CameraSettings, first_um: int, moved_um: int
) -> None:
    view = CameraView(camera)
    points_px = data.draw(boxes_in(camera))[:, [0, 1, 0, 1]]
    points_um = view.boxes_to_belt_um(points_px, first_um)
    seen_later_px = view.belt_to_boxes_px(points_um, first_um + moved_um)
    centre_px = np.array([camera.width_px, camera.height_px]) / 2
    is_near = (abs(seen_later_px[:, :2] - centre_px) < 2 * centre_px).all(axis=1)
    np.testing.assert_allclose(
        view.boxes_to_belt_um(seen_later_px, first_um + moved_um)[is_near], points_um[is_near], atol=20.0
    )


def test_the_bottom_row_lies_on_the_reference_line_and_rows_above_it_upstream() -> None:
    camera = CameraSettings(width_px=100, height_px=200, view_width_mm=1000.0, view_length_mm=400.0)
    view = CameraView(camera)
    boxes_um = view.boxes_to_belt_um(np.array([[0, 0, 100, 200], [10, 150, 20, 200]]), 7_000_000)
    np.testing.assert_allclose(
        boxes_um, [[0, 7_000_000, 1_000_000, 7_400_000], [100_000, 7_000_000, 200_000, 7_100_000]]
    )
    assert (view.downstream_edge_um, view.upstream_edge_um, view.view_length_um) == (0, 400_000, 400_000)


def test_the_edges_of_a_tilted_view_are_those_of_its_furthest_corners() -> None:
    homography = (10.0, 0.0, 0.0, 1.0, -2.0, 400.0, 0.0, 0.0, 1.0)
    view = CameraView(CameraSettings(width_px=100, height_px=200, homography=homography))
    assert (view.downstream_edge_um, view.upstream_edge_um) == (0, 500_000)


def test_no_boxes_are_no_boxes_either_way() -> None:
    view = CameraView(CameraSettings())
    assert view.boxes_to_belt_um(np.zeros((0, 4), np.float32), 5).shape == (0, 4)
    assert view.belt_to_boxes_px(np.zeros((0, 4)), 5).shape == (0, 4)


def test_boxes_given_stay_as_they_were() -> None:
    view, boxes_um = CameraView(CameraSettings()), np.array([[0.0, 1e6, 1e5, 1.1e6]])
    view.belt_to_boxes_px(boxes_um, 900_000)
    assert boxes_um.tolist() == [[0.0, 1e6, 1e5, 1.1e6]]


def test_travel_is_unknown_before_the_first_reading() -> None:
    travel = BeltTravel()
    assert travel.newest is None
    assert travel.travel_um_at(5) is None


def test_one_reading_and_its_speed_give_travel_both_ways() -> None:
    travel = BeltTravel()
    travel.add(BeltState(NS_PER_S, 1_000_000, 2_000_000))
    assert travel.travel_um_at(NS_PER_S * 3 // 2) == 2_000_000
    assert travel.travel_um_at(NS_PER_S // 2) == 0


@given(share=st.floats(0.0, 1.0))
def test_between_two_readings_travel_lies_on_the_line_between_them(share: float) -> None:
    travel = BeltTravel()
    # the speeds told are wrong on purpose: between readings only travel counts
    travel.add(BeltState(NS_PER_S, 1_000_000, 9))
    travel.add(BeltState(2 * NS_PER_S, 5_000_000, 3_000_000))
    at_ns = round((1 + share) * NS_PER_S)
    assert travel.travel_um_at(at_ns) == pytest.approx(1_000_000 + 4_000_000 * share, abs=1)
    assert travel.travel_um_at(at_ns + NS_PER_S) == pytest.approx(5_000_000 + 3_000_000 * share, abs=1)


@given(
    readings=st.lists(st.tuples(st.integers(1, 10**9), st.integers(0, 10**6)), min_size=1, max_size=8), data=st.data()
)
def test_readings_that_come_late_change_nothing(readings: list[tuple[int, int]], data: st.DataObject) -> None:
    """Each arrival is either newer than all before or ignored."""
    travel, newest_ns = BeltTravel(), 0
    for at_ns, travel_um in readings:
        travel.add(BeltState(at_ns, travel_um, 0))
        newest_ns = max(newest_ns, at_ns)
        assert travel.newest is not None
        assert travel.newest.measured_at_ns == newest_ns
        stale = BeltState(data.draw(st.integers(0, newest_ns)), 10**9, 0)
        before = travel.travel_um_at(newest_ns - 1), travel.travel_um_at(newest_ns + 1)
        travel.add(stale)
        assert (travel.travel_um_at(newest_ns - 1), travel.travel_um_at(newest_ns + 1)) == before
