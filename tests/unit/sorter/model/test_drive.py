"""The simulated drive: motion that a real belt could make, and the same each time."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.model.drive import BeltDrive
from sorter.model.settings import BeltSettings
from sorter.model.units import NS_PER_MS, NS_PER_S


@st.composite
def belts(draw: st.DrawFn) -> BeltSettings:
    speed_m_s = draw(st.floats(0.05, 4.0))
    return BeltSettings(
        speed_m_s=speed_m_s,
        speed_high_m_s=draw(st.none() | st.floats(0.1, 4.0).map(lambda more: speed_m_s + more)),
        ramp_m_s2=draw(st.floats(0.1, 10.0)),
        stop_at_m=draw(st.none() | st.floats(0.0, 60.0)),
        stop_s=draw(st.floats(0.0, 5.0)),
    )


def instants(drive: BeltDrive, until_s: float, step_ms: int = 50) -> list[tuple[int, int, int]]:
    steps = range(0, round(until_s * NS_PER_S), step_ms * NS_PER_MS)
    return [(at_ns, drive.travel_um_at(at_ns), drive.speed_um_s_at(at_ns)) for at_ns in steps]


@given(belt=belts())
def test_travel_never_runs_back_and_follows_from_the_speed(belt: BeltSettings) -> None:
    """Trapezoids over 50 ms are exact but for the corner of a ramp."""
    run = instants(BeltDrive(belt), 40.0)
    corner_um = belt.ramp_m_s2 * 1e6 * 0.05**2
    for (_, travel_um, speed_um_s), (_, next_travel_um, next_speed_um_s) in itertools.pairwise(run):
        moved_um = next_travel_um - travel_um
        assert moved_um >= 0
        assert moved_um == pytest.approx((speed_um_s + next_speed_um_s) / 2 * 0.05, abs=corner_um + 2)


@given(belt=belts())
def test_speed_stays_within_its_limits_and_changes_no_faster_than_the_ramp(belt: BeltSettings) -> None:
    run = instants(BeltDrive(belt), 40.0)
    high_m_s = belt.speed_high_m_s or belt.speed_m_s
    for (_, _, speed_um_s), (_, _, next_speed_um_s) in itertools.pairwise(run):
        assert -1 <= speed_um_s <= high_m_s * 1e6 + 1
        assert abs(next_speed_um_s - speed_um_s) <= belt.ramp_m_s2 * 1e6 * 0.05 + 2


@given(belt=belts(), at_s=st.lists(st.floats(0.0, 90.0), min_size=1, max_size=12))
def test_the_same_settings_give_the_same_motion_whatever_was_asked_before(
    belt: BeltSettings, at_s: list[float]
) -> None:
    asked, fresh = BeltDrive(belt), [BeltDrive(belt) for _ in at_s]
    for second, drive in zip(at_s, fresh, strict=True):
        at_ns = round(second * NS_PER_S)
        assert asked.travel_um_at(at_ns) == drive.travel_um_at(at_ns)
        assert asked.speed_um_s_at(at_ns) == drive.speed_um_s_at(at_ns)


def test_a_steady_belt_moves_by_speed_times_time() -> None:
    drive = BeltDrive(BeltSettings(speed_m_s=2.5))
    for second in (0, 1, 9, 10, 11, 3600):
        assert drive.travel_um_at(second * NS_PER_S) == 2_500_000 * second
        assert drive.speed_um_s_at(second * NS_PER_S) == 2_500_000


def test_before_its_start_the_belt_is_at_nought() -> None:
    assert BeltDrive(BeltSettings()).travel_um_at(-NS_PER_S) == 0


def test_a_ramping_belt_goes_up_and_down_between_its_speeds() -> None:
    drive = BeltDrive(BeltSettings(speed_m_s=1.0, speed_high_m_s=3.0, ramp_m_s2=1.0))
    speeds = [drive.speed_um_s_at(second * NS_PER_S) for second in range(9)]
    assert speeds == [1e6, 2e6, 3e6, 2e6, 1e6, 2e6, 3e6, 2e6, 1e6]
    assert drive.travel_um_at(4 * NS_PER_S) == 8_000_000


@pytest.mark.parametrize("high_m_s", [None, 3.0])
@pytest.mark.parametrize("stop_at_m", [0.0, 5.0, 33.3])
def test_the_belt_brakes_at_the_travel_it_is_to_stop_at_stands_so_long_and_goes_on(
    stop_at_m: float, high_m_s: float | None
) -> None:
    belt = BeltSettings(speed_m_s=2.0, speed_high_m_s=high_m_s, ramp_m_s2=1.0, stop_at_m=stop_at_m, stop_s=3.0)
    run = instants(BeltDrive(belt), 60.0, step_ms=10)
    standing = [(at_ns, travel_um) for at_ns, travel_um, speed_um_s in run if speed_um_s == 0]
    assert len({travel_um for _, travel_um in standing}) == 1
    assert (standing[-1][0] - standing[0][0]) / NS_PER_S == pytest.approx(3.0, abs=0.03)
    braking_m = (high_m_s or 2.0) ** 2 / 2
    assert stop_at_m <= standing[0][1] / 1e6 + 1e-3
    assert standing[0][1] / 1e6 <= stop_at_m + braking_m + 1e-3
    assert run[-1][2] > 0
    assert run[-1][1] > standing[-1][1] + 10_000_000
    if high_m_s is None:
        assert standing[0][1] / 1e6 == pytest.approx(stop_at_m + 2.0, abs=1e-3)
        assert run[-1][2] == 2_000_000
