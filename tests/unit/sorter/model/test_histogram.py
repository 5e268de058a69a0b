"""Distributions in log-spaced buckets agree with sorting to within a bucket, and lose no value."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.model.histogram import Distribution, Histogram

PER_DECADE = 10
WIDTH = 10.0 ** (1 / PER_DECADE)
VALUES = st.lists(st.floats(0.011, 9_999.0), min_size=1, max_size=200)


def filled(values: list[float], per_decade: int = PER_DECADE) -> Distribution:
    histogram = Histogram(0.01, 10_000.0, per_decade)
    for value in values:
        histogram.add(value)
    return histogram.distribution()


@given(values=VALUES)
def test_count_and_mean_are_exact(values: list[float]) -> None:
    found = filled(values)
    assert found.count == len(values)
    assert found.mean == pytest.approx(np.mean(values))
    assert (found.least, found.greatest) == (min(values), max(values))


@given(values=VALUES, share=st.floats(0.0, 1.0))
def test_a_quantile_is_within_a_bucket_of_one_of_the_two_values_around_it(values: list[float], share: float) -> None:
    rank = share * (len(values) - 1)
    low, high = sorted(values)[int(rank)], sorted(values)[min(int(rank) + 1, len(values) - 1)]
    found = filled(values).quantile(share)
    assert found is not None
    assert low / WIDTH - 1e-9 <= found <= high * WIDTH + 1e-9


@given(values=VALUES, shares=st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0)))
def test_a_larger_share_has_no_smaller_quantile(values: list[float], shares: tuple[float, float]) -> None:
    found = filled(values)
    low, high = sorted(shares)
    assert found.quantile(low) <= found.quantile(high) + 1e-9


@given(values=VALUES)
def test_every_value_lies_in_the_bucket_it_is_counted_in(values: list[float]) -> None:
    found = filled(values)
    for place, bound in enumerate(found.upper_bounds):
        assert sum(found.counts[: place + 1]) == sum(value <= bound for value in values)


def test_what_lies_outside_is_counted_at_the_ends_and_bounds_the_quantiles() -> None:
    found = filled([-1.0, 0.0, 1e6])
    assert found.counts[0] == 2
    assert found.counts[-1] == 1
    assert found.quantile(0.0) == pytest.approx(-1.0, abs=0.6)
    assert found.quantile(1.0) <= 1e6


def test_one_value_is_told_exactly() -> None:
    assert filled([40.0]).quantile(0.5) == 40.0


def test_fine_buckets_tell_a_percentile_to_half_a_percent() -> None:
    values = np.random.default_rng(5).lognormal(3.0, 0.7, 20_000).tolist()
    found = filled(values, per_decade=250)
    for share in (0.5, 0.95, 0.99):
        assert found.quantile(share) == pytest.approx(np.percentile(values, 100 * share), rel=0.005)


def test_of_nothing_nothing_is_known() -> None:
    found = filled([])
    assert (found.count, found.mean, found.quantile(0.5)) == (0, None, None)


def test_a_distribution_travels_as_a_message() -> None:
    found = filled([1.0, 2.0, 3.0])
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(found), type=Distribution) == found


@pytest.mark.parametrize(("low", "high", "per_decade"), [(0.0, 1.0, 10), (2.0, 1.0, 10), (1.0, 2.0, 0)])
def test_impossible_buckets_are_refused(low: float, high: float, per_decade: int) -> None:
    with pytest.raises(ValueError, match="no buckets"):
        Histogram(low, high, per_decade)
