"""Whether a nozzle's figures are chance: the binomial distribution, at any number of cases."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actuators.nozzle_odds import NozzleOdds, chance_of_so_few


def exact_chance(event_count: int, case_count: int, event_ratio: Fraction) -> Fraction:
    terms = (
        math.comb(case_count, events) * event_ratio**events * (1 - event_ratio) ** (case_count - events)
        for events in range(event_count + 1)
    )
    return sum(terms, Fraction(0))


@given(st.integers(1, 120), st.data())
def test_the_chance_is_the_binomial_one(case_count: int, data: st.DataObject) -> None:
    event_count = data.draw(st.integers(0, case_count))
    ratio = Fraction(data.draw(st.integers(0, 64)), 64)
    expected = float(exact_chance(event_count, case_count, ratio))
    assert chance_of_so_few(event_count, case_count, float(ratio)) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("case_count", [1_100, 100_000, 50_000_000])
def test_as_many_as_expected_are_a_half_whatever_their_number(case_count: int) -> None:
    assert chance_of_so_few(case_count * 7 // 10, case_count, 0.7) == pytest.approx(0.5, abs=0.02)
    assert chance_of_so_few(0, case_count, 0.7) < 1e-100
    assert chance_of_so_few(case_count, case_count, 0.7) == pytest.approx(1.0)


def test_a_nozzle_is_measured_by_the_others() -> None:
    odds = NozzleOdds()
    assert not odds.rare_at(("pet", 1), 0.95)
    for _ in range(50):
        odds.note(("pet", 1), has_happened=False)
    assert not odds.rare_at(("pet", 1), 0.95), "where nothing ever happens, nothing is missing"
    for case in range(50):
        odds.note(("pet", 2), has_happened=case % 2 == 0)
    assert odds.rare_at(("pet", 1), 0.95)
    assert not odds.rare_at(("pet", 2), 0.95)


@pytest.mark.parametrize(("case_count", "is_rare"), [(1, False), (3, False), (4, True)])
def test_where_the_others_never_fail_a_single_failure_is_no_sign(case_count: int, is_rare: bool) -> None:
    odds = NozzleOdds()
    for _ in range(1000):
        odds.note(("pet", 2), has_happened=True)
    for _ in range(case_count):
        odds.note(("pet", 1), has_happened=False)
    assert odds.rare_at(("pet", 1), 0.95) == is_rare


@pytest.mark.parametrize(("case_count", "is_frequent"), [(1, False), (2, False), (3, True)])
def test_where_the_others_never_bring_it_a_single_event_is_no_sign(case_count: int, is_frequent: bool) -> None:
    odds = NozzleOdds()
    assert not odds.frequent_at(("pet", 1), 0.01)
    for _ in range(1000):
        odds.note(("pet", 2), has_happened=False)
    for _ in range(case_count):
        odds.note(("pet", 1), has_happened=True)
    assert odds.frequent_at(("pet", 1), 0.01) == is_frequent
    assert not odds.frequent_at(("pet", 2), 0.01)
