"""Contenders take turns, and ratios are those of one round."""

import pytest

from training.benchmarks.rounds import interleaved, median_difference, median_ratio


def test_every_contender_measures_once_a_round_and_none_is_always_first() -> None:
    order: list[str] = []

    def measure(name: str) -> float:
        order.append(name)
        return float(len(order))

    values = interleaved({name: lambda name=name: measure(name) for name in "abc"}, 3, "test")
    assert order == ["a", "b", "c", "b", "c", "a", "c", "a", "b"]
    assert values == {"a": [1.0, 6.0, 8.0], "b": [2.0, 4.0, 9.0], "c": [3.0, 5.0, 7.0]}


def test_ratios_pair_rounds_so_that_a_slow_machine_cancels_out() -> None:
    quiet, busy = 1.0, 10.0
    assert median_ratio([6 * quiet, 6 * busy, 6 * quiet], [2 * quiet, 2 * busy, 3 * quiet]) == pytest.approx(3.0)


def test_differences_pair_rounds_too() -> None:
    assert median_difference([3.0, 30.0, 5.0], [1.0, 27.0, 4.0]) == pytest.approx(2.0)


def test_contenders_of_unequal_rounds_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        median_ratio([1.0, 2.0], [1.0])
