"""Waiting grows, is bounded, differs between lines, and honours what the hub asks for."""

from hypothesis import given
from hypothesis import strategies as st

from sorter.fleet.backoff import FIRST_MS, LONGEST_MS, backoff_ms

CHANCE = st.floats(0.0, 1.0)


@given(failures=st.integers(1, 10_000), chance=CHANCE)
def test_a_wait_is_at_least_half_of_a_bound_that_doubles(failures: int, chance: float) -> None:
    bound_ms = min(LONGEST_MS, FIRST_MS * 2.0 ** min(failures - 1, 100))
    assert bound_ms / 2 <= backoff_ms(failures, chance) <= bound_ms


@given(failures=st.integers(1, 100), chance=CHANCE, wished_ms=st.floats(0.0, 1e12))
def test_a_hub_that_asks_for_time_gets_it_within_bounds(failures: int, chance: float, wished_ms: float) -> None:
    waited_ms = backoff_ms(failures, chance, wished_ms)
    assert waited_ms >= min(wished_ms, LONGEST_MS)
    assert waited_ms <= LONGEST_MS
