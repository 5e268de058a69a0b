"""The clocks: manual time moves when told and never back; the system's is the monotonic one."""

from hypothesis import given
from hypothesis import strategies as st

from sorter.runtime.clock import ManualClock, SystemClock


@given(start_ns=st.integers(0, 10**15), instants_ns=st.lists(st.integers(0, 10**15), max_size=10))
def test_manual_time_goes_to_the_latest_instant_waited_for(start_ns: int, instants_ns: list[int]) -> None:
    clock = ManualClock(start_ns)
    for instant_ns in instants_ns:
        before_ns = clock.now_ns()
        clock.wait_until_ns(instant_ns)
        assert clock.now_ns() == max(before_ns, instant_ns)
    assert clock.now_ns() == max([start_ns, *instants_ns])


def test_the_system_clock_never_wakes_early_and_does_not_wait_for_the_past() -> None:
    clock = SystemClock()
    start_ns = clock.now_ns()
    for ahead_ns in (-10_000_000_000, 0, 50_000, 1_000_000):
        clock.wait_until_ns(start_ns + ahead_ns)
        assert clock.now_ns() >= start_ns + ahead_ns
    assert clock.now_ns() - start_ns < 5_000_000_000
