"""Calibration error: known values, what it must not depend on, and an interval that holds it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.evaluation.average_precision import picture_draws
from training.evaluation.reliability import LEAST_PROBABILITY, Outcomes, calibration_error, pooled, reliability


def outcomes(
    probabilities: list[float] | np.ndarray, hits: list[bool] | np.ndarray, picture_count: int = 5
) -> Outcomes:
    pictures = np.arange(len(probabilities)) % picture_count
    return Outcomes(np.asarray(probabilities, dtype=np.float64), np.asarray(hits, dtype=np.bool_), pictures)


def error(one: Outcomes) -> float:
    likely = one.likely()
    return calibration_error(likely, np.ones(len(likely.hits)))


def test_sure_and_always_right_is_no_error() -> None:
    assert error(outcomes([1.0] * 20, [True] * 20)) == 0.0


def test_nine_in_ten_promised_and_half_kept_is_an_error_of_four_tenths() -> None:
    assert error(outcomes([0.9] * 20, [True, False] * 10)) == pytest.approx(0.4)


def test_errors_of_opposite_sign_in_different_bins_do_not_cancel() -> None:
    too_low, too_high = outcomes([0.2] * 50, [True] * 50), outcomes([0.8] * 50, [False] * 50)
    assert error(pooled([too_low, too_high])) == pytest.approx(0.8)


def test_what_is_too_faint_to_matter_is_left_out() -> None:
    faint = outcomes([LEAST_PROBABILITY / 2] * 500, [False] * 500)
    assert error(pooled([faint, outcomes([0.9] * 20, [True, False] * 10)])) == pytest.approx(0.4)
    assert reliability(faint, picture_draws(5, 10, 0)) is None


def test_bins_hold_equally_many_and_add_up() -> None:
    rng = np.random.default_rng(1)
    probabilities = rng.uniform(0.06, 1, 203)
    found = reliability(outcomes(probabilities, rng.random(203) < probabilities), picture_draws(5, 20, 0))
    assert found is not None
    counts = [one.detection_count for one in found.bins]
    assert len(counts) == 10
    assert sum(counts) == found.detection_count == 203
    assert max(counts) - min(counts) <= 1
    assert all(one.low <= one.hit_ratio <= one.high for one in found.bins)
    assert [one.mean_probability for one in found.bins] == sorted(one.mean_probability for one in found.bins)


def test_few_detections_make_few_bins() -> None:
    found = reliability(outcomes([0.5] * 25, [True, False] * 12 + [True]), picture_draws(5, 20, 0))
    assert found is not None
    assert len(found.bins) == 2


def test_honest_probabilities_have_a_small_error_and_doubled_odds_a_larger_one() -> None:
    rng = np.random.default_rng(2)
    honest = rng.uniform(0.06, 0.99, 4000)
    hits = rng.random(4000) < honest
    bold = np.clip(honest * 1.3, 0, 1)
    assert error(outcomes(honest, hits)) < 0.04
    assert error(outcomes(bold, hits)) > 2 * error(outcomes(honest, hits))


@settings(deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 120))
def test_the_error_is_a_share_does_not_depend_on_order_and_lies_in_its_interval(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    one = outcomes(rng.uniform(LEAST_PROBABILITY, 1, count), rng.random(count) < 0.5)
    order = rng.permutation(count)
    shuffled = Outcomes(one.probabilities[order], one.hits[order], one.pictures[order])
    found = reliability(one, picture_draws(5, 40, seed))
    assert found is not None
    assert 0.0 <= found.ece.low <= found.ece.value <= found.ece.high <= 1.0
    assert error(shuffled) == pytest.approx(found.ece.value)


def test_a_picture_counted_twice_weighs_as_two() -> None:
    one = outcomes([0.9, 0.2, 0.6], [True, False, True], 3).likely()
    doubled = calibration_error(one, np.array([2.0, 2.0, 2.0]))
    assert doubled == pytest.approx(calibration_error(one, np.ones(3)))
