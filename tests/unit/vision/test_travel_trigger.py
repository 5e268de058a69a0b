"""When a frame is worth a view: once a step of travel, and never on a standing belt."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from vision.travel_trigger import TravelTrigger


def test_the_first_frame_is_a_view_and_then_one_each_step() -> None:
    trigger = TravelTrigger(100)
    assert [travel for travel in range(0, 450, 30) if trigger.fires(travel)] == [0, 120, 240, 360]


def test_a_step_is_over_when_it_is_reached_and_not_before() -> None:
    trigger = TravelTrigger(100)
    assert trigger.fires(5)
    assert not trigger.fires(104)
    assert trigger.fires(105)


def test_a_standing_belt_costs_nothing() -> None:
    trigger = TravelTrigger(100)
    assert trigger.fires(70)
    assert not any(trigger.fires(70) for _ in range(100))


@given(
    step_um=st.integers(1, 500),
    moves_um=st.lists(st.integers(0, 700), min_size=1, max_size=60),
    start_um=st.integers(0, 10**9),
)
def test_views_are_a_step_apart_and_no_frame_that_far_on_is_left_out(
    step_um: int, moves_um: list[int], start_um: int
) -> None:
    travels_um = list(itertools.accumulate(moves_um, initial=start_um))
    trigger, last_um = TravelTrigger(step_um), None
    for travel_um in travels_um:
        fires = trigger.fires(travel_um)
        assert fires == (last_um is None or travel_um - last_um >= step_um)
        last_um = travel_um if fires else last_um
