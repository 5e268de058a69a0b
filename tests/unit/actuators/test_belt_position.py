"""From travel to time at the present speed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actuators.belt_position import instant_of_travel_ns, is_followed, travel_at_um
from sorter.model.tracks import BeltState
from sorter.model.units import NS_PER_MS

READING = BeltState(measured_at_ns=1_000_000_000, travel_um=500_000, speed_um_s=2_000_000)


def test_an_instant_ahead_and_one_behind() -> None:
    assert instant_of_travel_ns(READING, 700_000) == 1_100_000_000
    assert instant_of_travel_ns(READING, 500_000) == 1_000_000_000
    assert instant_of_travel_ns(READING, 400_000) == 950_000_000


@given(st.integers(-10_000_000, 10_000_000), st.integers(10_000, 10_000_000))
def test_the_belt_is_there_at_that_instant(ahead_um: int, speed_um_s: int) -> None:
    belt = BeltState(0, 0, speed_um_s)
    instant_ns = instant_of_travel_ns(belt, ahead_um)
    assert travel_at_um(belt, instant_ns) == ahead_um
    assert travel_at_um(belt, instant_ns - NS_PER_MS) < ahead_um


@pytest.mark.parametrize(
    ("belt", "age_ms", "expected"),
    [
        (None, 0, False),
        (BeltState(0, 0, 0), 0, False),
        (BeltState(0, 0, -2_000_000), 0, False),
        (BeltState(0, 0, 9_999), 0, False),
        (BeltState(0, 0, 10_000), 0, True),
        (BeltState(0, 0, 2_000_000), 300, True),
        (BeltState(0, 0, 2_000_000), 301, False),
    ],
)
def test_a_belt_is_followed_while_it_moves_forward_and_is_heard_of(
    belt: BeltState | None, age_ms: int, expected: bool
) -> None:
    assert is_followed(belt, age_ms * NS_PER_MS) is expected
