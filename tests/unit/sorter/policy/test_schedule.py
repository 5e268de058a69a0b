"""When items are decided: as late as possible, and never too late."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.model.tracks import BeltState
from sorter.model.units import NS_PER_MS, NS_PER_S
from sorter.policy.schedule import ViewPlan, is_due, time_left_ns

PLAN = ViewPlan(
    downstream_edge_um=0,
    view_step_um=130_000,
    nearest_station_um=700_000,
    lead_time_ns=60 * NS_PER_MS,
    response_ns=8 * NS_PER_MS,
)
TICK_NS = 2 * NS_PER_MS


def belt_at(travel_um: int, speed_um_s: int = 2_000_000) -> BeltState:
    return BeltState(0, travel_um, speed_um_s)


def test_the_time_left_is_the_way_of_the_downstream_edge_to_the_nozzles_less_the_response() -> None:
    left_ns = time_left_ns(500_000, belt_at(200_000), PLAN)
    assert left_ns == (500_000 + 700_000 - 200_000) * NS_PER_S // 2_000_000 - 8 * NS_PER_MS


@pytest.mark.parametrize("speed_um_s", [0, -1000])
def test_a_belt_that_does_not_advance_has_no_time_left_to_tell(speed_um_s: int) -> None:
    assert time_left_ns(500_000, belt_at(200_000, speed_um_s), PLAN) is None


@given(
    travel_um=st.integers(0, 10**9),
    centre_um=st.integers(0, 900_000),
    length_um=st.integers(0, 400_000),
    since_view_um=st.integers(0, 130_000),
)
def test_on_a_standing_belt_an_item_waits_unless_no_further_view_will_show_it(
    travel_um: int, centre_um: int, length_um: int, since_view_um: int
) -> None:
    belt_um, last_view_um = travel_um + centre_um, travel_um - since_view_um
    due = is_due(belt_um, belt_um - length_um // 2, belt_at(travel_um, 0), last_view_um, PLAN)
    assert due == (belt_um < last_view_um + PLAN.view_step_um)


def test_an_item_waits_while_a_further_view_will_show_its_centre_in_time() -> None:
    assert not is_due(1_000_000, 900_000, belt_at(500_000), 500_000, PLAN)


def test_an_item_whose_centre_the_next_view_will_miss_is_due() -> None:
    assert is_due(630_000 - 1, 500_000, belt_at(500_000), 500_000, PLAN)
    assert not is_due(630_000, 500_000, belt_at(500_000), 500_000, PLAN)


def test_a_view_that_should_have_come_by_now_is_expected_now_and_not_a_step_later() -> None:
    assert not is_due(710_000, 600_000, belt_at(700_000), 500_000, PLAN)
    assert is_due(699_999, 600_000, belt_at(700_000), 500_000, PLAN)


def test_an_item_that_would_reach_the_nozzles_before_a_further_view_could_lead_to_a_command_is_due() -> None:
    near = ViewPlan(
        downstream_edge_um=-500_000,
        view_step_um=100_000,
        nearest_station_um=300_000,
        lead_time_ns=60 * NS_PER_MS,
        response_ns=10 * NS_PER_MS,
    )
    # at 1 m/s: 100 ms to the next view, 60 ms of lead, 10 ms of response: 170 mm before the nozzles
    assert is_due(1_000_000, 869_999, belt_at(1_000_000, 1_000_000), 1_000_000, near)
    assert not is_due(1_000_000, 870_000, belt_at(1_000_000, 1_000_000), 1_000_000, near)


@given(
    belt_um=st.integers(800_000, 3_000_000),
    length_um=st.integers(10_000, 500_000),
    speeds_um_s=st.lists(st.integers(0, 4_000_000), min_size=1, max_size=6),
    station_um=st.integers(600_000, 1_500_000),
    view_step_um=st.integers(20_000, 400_000),
    lost=st.randoms(use_true_random=False),
)
def test_no_item_is_missed_whatever_the_belt_and_the_camera_do(
    belt_um: int, length_um: int, speeds_um_s: list[int], station_um: int, view_step_um: int, lost: object
) -> None:
    """Views come a step or more apart, some never; the belt changes speed every 100 mm: each item is decided in time.

    The nozzles are at least a downstream half of the largest item, and the lead at the highest speed, from the view.
    """
    plan = ViewPlan(0, view_step_um, station_um, 60 * NS_PER_MS, 8 * NS_PER_MS)
    low_um = belt_um - length_um // 2
    now_ns, last_view_um, decided_at_um = 0, 0, None
    travel_um = 0.0
    while decided_at_um is None and travel_um < belt_um + station_um:
        speed_um_s = max(100_000, speeds_um_s[int(travel_um / 100_000) % len(speeds_um_s)])
        now_ns += TICK_NS
        travel_um += speed_um_s * TICK_NS / NS_PER_S
        if travel_um >= last_view_um + view_step_um and lost.random() < 0.6:  # type: ignore[attr-defined]
            last_view_um = int(travel_um)
        if is_due(belt_um, low_um, BeltState(now_ns, int(travel_um), speed_um_s), last_view_um, plan):
            decided_at_um = travel_um
            assert travel_um + speed_um_s * (plan.response_ns / NS_PER_S) < low_um + station_um
    assert decided_at_um is not None
    # and not long before it must be: a further view could not have shown it, or would have come too late
    reserve_um = view_step_um + 4_000_000 * 0.07
    assert decided_at_um >= min(belt_um, low_um + station_um) - view_step_um - reserve_um


@given(
    belt_um=st.integers(0, 10**9),
    ahead_um=st.integers(-500_000, 1_500_000),
    length_um=st.integers(0, 400_000),
    since_view_um=st.integers(0, 500_000),
    speed_um_s=st.integers(1, 5_000_000),
    further_um=st.integers(0, 300_000),
)
def test_once_due_an_item_stays_due_as_the_belt_runs_on(
    belt_um: int, ahead_um: int, length_um: int, since_view_um: int, speed_um_s: int, further_um: int
) -> None:
    low_um, travel_um = belt_um - length_um // 2, belt_um - ahead_um
    last_view_um = travel_um - since_view_um
    if is_due(belt_um, low_um, belt_at(travel_um, speed_um_s), last_view_um, PLAN):
        next_view_um = last_view_um + PLAN.view_step_um
        later = belt_at(travel_um + min(further_um, max(0, next_view_um - travel_um)), speed_um_s)
        left, left_later = (time_left_ns(low_um, belt, PLAN) for belt in (belt_at(travel_um, speed_um_s), later))
        assert left is not None
        assert left_later is not None
        assert left_later <= left
        assert is_due(belt_um, low_um - 2, later, last_view_um, PLAN)
