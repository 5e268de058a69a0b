"""Token buckets: never more than granted over any stretch of time, and no memory for strangers without end."""

from hypothesis import given
from hypothesis import strategies as st

from ui.api.rates import Allowance, Desks, Rates

MIN_NS = 60_000_000_000


@given(
    steps_ns=st.lists(st.integers(-MIN_NS, MIN_NS), min_size=1, max_size=60),
    rate=st.integers(1, 30),
)
def test_never_more_than_a_burst_and_the_rate_pass(steps_ns: list[int], rate: int) -> None:
    rates, now_ns, passed = Rates(), 10 * MIN_NS, 0
    first_ns = latest_ns = now_ns
    for step_ns in steps_ns:
        now_ns += step_ns
        latest_ns = max(latest_ns, now_ns)
        passed += rates.charge("one", Allowance(rate), now_ns).is_allowed
    assert passed <= rate + rate * (latest_ns - first_ns) / MIN_NS + 1


@given(rate=st.integers(1, 1000), pauses=st.integers(0, 5))
def test_retry_after_is_long_enough(rate: int, pauses: int) -> None:
    rates, now_ns = Rates(), 0
    for _ in range(pauses + 1):
        verdict = rates.charge("one", Allowance(rate), now_ns)
        while verdict.is_allowed:
            verdict = rates.charge("one", Allowance(rate), now_ns)
        assert verdict.retry_after_s is not None
        now_ns += verdict.retry_after_s * 1_000_000_000
        assert rates.charge("one", Allowance(rate), now_ns).is_allowed


def test_strangers_beyond_the_most_push_out_the_longest_silent() -> None:
    rates = Rates(max_caller_count=2)
    for name in ("one", "two"):
        assert rates.charge(name, Allowance(1), 0).is_allowed
    assert not rates.charge("one", Allowance(1), 0).is_allowed
    assert rates.charge("three", Allowance(1), 0).is_allowed
    assert not rates.charge("one", Allowance(1), 0).is_allowed
    assert rates.charge("two", Allowance(1), 0).is_allowed


def test_a_desk_given_back_is_free() -> None:
    desks = Desks(1, patience_s=0.0)
    assert desks.take()
    assert not desks.take()
    assert desks.refused_count == 1
    desks.give_back()
    assert desks.take()
