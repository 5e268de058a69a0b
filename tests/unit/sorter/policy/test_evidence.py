"""Evidence over views: what its pooled, calibrated probabilities promise."""

import math
from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.policy.evidence import (
    Calibration,
    Evidence,
    class_probabilities,
    no_calibration,
    no_evidence,
    with_view,
)

CLASS_COUNT = 4
UNCALIBRATED = no_calibration(CLASS_COUNT)
scores = st.lists(st.floats(0.0, 1.0), min_size=CLASS_COUNT, max_size=CLASS_COUNT).map(np.array)
inner_scores = st.lists(st.floats(0.001, 0.999), min_size=CLASS_COUNT, max_size=CLASS_COUNT).map(np.array)
weights = st.floats(0.05, 1.0)
views = st.lists(st.tuples(scores, weights), min_size=1, max_size=8)
coefficients = st.lists(st.floats(-5.0, 5.0), min_size=CLASS_COUNT, max_size=CLASS_COUNT).map(np.array)


def evidence_of(seen: list[tuple[np.ndarray, float]], calibration: Calibration = UNCALIBRATED) -> Evidence:
    return reduce(lambda evidence, view: with_view(evidence, *view, calibration), seen, no_evidence(CLASS_COUNT))


def logit(probability: float) -> float:
    return math.log(probability / (1.0 - probability))


@given(seen=views, data=st.data())
def test_the_order_of_views_is_irrelevant(seen: list[tuple[np.ndarray, float]], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(seen))
    first, second = evidence_of(seen), evidence_of(list(shuffled))
    assert first.view_count == second.view_count == len(seen)
    np.testing.assert_allclose(class_probabilities(first), class_probabilities(second), rtol=1e-9)


@given(seen=views, slope=coefficients, offset=coefficients)
def test_probabilities_are_shares_and_add_up_to_one_at_most(
    seen: list[tuple[np.ndarray, float]], slope: np.ndarray, offset: np.ndarray
) -> None:
    probabilities = class_probabilities(evidence_of(seen, Calibration(slope, offset)))
    assert (probabilities >= 0.0).all()
    assert probabilities.sum() <= 1.0 + 1e-9


def test_what_no_class_explains_is_not_shared_out_among_the_classes() -> None:
    probabilities = class_probabilities(evidence_of([(np.array([0.1, 0.05, 0.05, 0.1]), 1.0)]))
    np.testing.assert_allclose(probabilities, [0.1, 0.05, 0.05, 0.1], atol=1e-9)


@given(seen=views, steps=st.lists(st.floats(0.0, 3.0), min_size=CLASS_COUNT, max_size=CLASS_COUNT), weight=weights)
def test_a_more_confident_view_never_lowers_the_probability(
    seen: list[tuple[np.ndarray, float]], steps: list[float], weight: float
) -> None:
    """Surer than the views before of class 0, and less sure of all others."""
    before = evidence_of(seen)
    pooled = before.logit_sum / before.weight_sum
    pooled_after = pooled + np.array([steps[0], *(-step for step in steps[1:])])
    after = with_view(before, 1.0 / (1.0 + np.exp(-pooled_after)), weight, UNCALIBRATED)
    old, new = (class_probabilities(evidence)[0] for evidence in (before, after))
    assert new >= old - 1e-9


@given(view=inner_scores, count=st.integers(1, 12))
def test_the_same_view_again_makes_no_bolder_claim(view: np.ndarray, count: int) -> None:
    once, often = evidence_of([(view, 1.0)]), evidence_of([(view, 1.0)] * count)
    np.testing.assert_allclose(class_probabilities(once), class_probabilities(often), rtol=1e-9, atol=1e-12)


@given(whole=inner_scores, cut=inner_scores, weight=weights)
def test_a_cut_view_counts_by_its_weight(whole: np.ndarray, cut: np.ndarray, weight: float) -> None:
    evidence = evidence_of([(whole, 1.0), (cut, weight)])
    assert evidence.view_count == 2
    for index in range(CLASS_COUNT):
        pooled = evidence.logit_sum[index] / evidence.weight_sum
        expected = (logit(whole[index]) + weight * logit(cut[index])) / (1.0 + weight)
        assert pooled == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(score=st.floats(0.01, 0.99), slope=st.floats(0.1, 4.0), offset=st.floats(-4.0, 4.0))
def test_calibration_is_a_sigmoid_of_slope_times_logit_plus_offset(score: float, slope: float, offset: float) -> None:
    """Platt 1999; the other classes are held at nothing, so that no sum above one hides the formula."""
    calibration = Calibration(np.array([slope, 1.0, 1.0, 1.0]), np.array([offset, -60.0, -60.0, -60.0]))
    evidence = evidence_of([(np.array([score, 0.0, 0.0, 0.0]), 1.0)], calibration)
    expected = 1.0 / (1.0 + math.exp(-(slope * logit(score) + offset)))
    assert class_probabilities(evidence)[0] == pytest.approx(expected, rel=1e-9)


def test_calibration_is_each_class_s_own() -> None:
    calibration = Calibration(np.array([2.0, 1.0, 1.0, 1.0]), np.array([0.0, 0.0, -3.0, 0.0]))
    evidence = evidence_of([(np.array([0.2, 0.2, 0.2, 0.2]), 1.0)], calibration)
    first, second, third, fourth = class_probabilities(evidence)
    assert first == pytest.approx(1.0 / 17.0)
    assert second == fourth == pytest.approx(0.2)
    assert third == pytest.approx(1.0 / (1.0 + 4.0 * math.exp(3.0)))


@given(view=inner_scores, count=st.integers(1, 5), slope=st.floats(0.2, 3.0), offset=st.floats(-2.0, 2.0))
def test_each_view_is_read_by_the_calibration_of_the_model_that_saw_it(
    view: np.ndarray, count: int, slope: float, offset: float
) -> None:
    """After a swap of models the old views keep their meaning: the logits' mean lies between the two readings."""
    other = Calibration(np.full(CLASS_COUNT, slope), np.full(CLASS_COUNT, offset))
    before = evidence_of([(view, 1.0)] * count)
    mixed = with_view(before, view, 1.0, other)
    logits = np.log(view / (1.0 - view))
    expected = (count * logits + slope * logits + offset) / (count + 1)
    np.testing.assert_allclose(mixed.logit_sum / mixed.weight_sum, expected, rtol=1e-9, atol=1e-9)


def test_scores_of_nought_and_one_are_strong_but_not_final() -> None:
    certain = evidence_of([(np.array([1.0, 0.0, 0.0, 0.0]), 1.0)])
    contradicted = with_view(certain, np.array([0.0, 1.0, 0.0, 0.0]), 1.0, UNCALIBRATED)
    assert np.isfinite(certain.logit_sum).all()
    assert class_probabilities(certain)[0] > 0.99
    np.testing.assert_allclose(class_probabilities(contradicted)[:2], [0.5, 0.5], atol=1e-3)


def test_nothing_is_known_of_an_item_that_no_view_with_weight_has_shown() -> None:
    assert (class_probabilities(no_evidence(CLASS_COUNT)) == 0.0).all()
    weightless = evidence_of([(np.array([0.9, 0.1, 0.1, 0.1]), 0.0)])
    assert weightless.view_count == 1
    assert (class_probabilities(weightless) == 0.0).all()
