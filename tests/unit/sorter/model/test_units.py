"""Unit conversions round to the nearest whole unit, either side of nought."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.model.units import NS_PER_S, mm_to_um, ms_to_ns, s_to_ns, travel_after_um


@pytest.mark.parametrize(("length_mm", "length_um"), [(1.0, 1000), (0.0004, 0), (0.0006, 1), (-12.5, -12_500)])
def test_millimetres_become_the_nearest_micrometre(length_mm: float, length_um: int) -> None:
    assert mm_to_um(length_mm) == length_um


def test_durations_become_nanoseconds() -> None:
    assert ms_to_ns(1.5) == 1_500_000
    assert s_to_ns(1.5) == 1_500_000_000


@given(speed_um_s=st.integers(0, 10_000_000), duration_ns=st.integers(-(10**10), 10**10))
def test_travel_is_speed_times_time(speed_um_s: int, duration_ns: int) -> None:
    assert travel_after_um(speed_um_s, duration_ns) == pytest.approx(speed_um_s * duration_ns / NS_PER_S, abs=0.51)
    assert travel_after_um(speed_um_s, -duration_ns) == -travel_after_um(speed_um_s, duration_ns)
