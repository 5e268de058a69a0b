"""Calibration keeps the order of detections and makes scores honest."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sorter.runtime.bundle import ClassCalibration
from training.evaluation.average_precision import ClassMatches
from training.release.calibrate import calibrated, fit_calibration, fit_calibrations, operating_curve
from training.release.held_out import expected_calibration_error


def matches_of(scores: np.ndarray, hits: np.ndarray, label_count: int) -> ClassMatches:
    order = np.argsort(-scores)
    every = np.repeat(hits[order][None], 10, axis=0)
    return ClassMatches(scores[order], np.zeros(len(scores), dtype=np.int64), every, np.array([label_count]))


@given(st.lists(st.tuples(st.floats(0.05, 0.999), st.booleans()), max_size=60))
@settings(max_examples=80, deadline=None)
def test_order_is_kept_whatever_the_detections(pairs: list[tuple[float, bool]]) -> None:
    scores = np.array([score for score, _ in pairs])
    hits = np.array([hit for _, hit in pairs], dtype=np.bool_)
    calibration = fit_calibration([matches_of(scores, hits, 10)])
    probabilities = calibrated(np.linspace(0.01, 0.99, 50), calibration)
    assert calibration.slope > 0
    assert (np.diff(probabilities) > 0).all()


def test_boastful_scores_are_brought_down() -> None:
    rng = np.random.default_rng(0)
    scores = rng.uniform(0.05, 0.99, 4000)
    hits = rng.random(4000) < scores**3
    matches = matches_of(scores, hits, int(hits.sum()))
    calibration = fit_calibration([matches])
    before, after = (
        expected_calibration_error({"can": matches}, {"can": one}) for one in (ClassCalibration(), calibration)
    )
    assert after < 0.05 < before
    assert calibrated(np.array([0.5]), calibration)[0] < 0.3


def test_a_class_without_detections_keeps_its_scores() -> None:
    calibration = fit_calibration([matches_of(np.zeros(0), np.zeros(0, dtype=np.bool_), 3)])
    assert calibrated(np.array([0.3]), calibration)[0] == pytest.approx(0.3)


def test_a_single_detection_moves_probabilities_a_little() -> None:
    calibration = fit_calibration([matches_of(np.array([0.9]), np.array([False]), 1)])
    assert 0.6 < calibrated(np.array([0.9]), calibration)[0] < 0.85
    assert calibrated(np.array([0.5]), calibration)[0] == pytest.approx(0.5, abs=0.1)


def test_the_operating_curve_counts_what_passes() -> None:
    scores = np.array([0.95, 0.85, 0.45, 0.35])
    hits = np.array([True, False, True, False])
    points = {point.probability: point for point in operating_curve(matches_of(scores, hits, 4), ClassCalibration())}
    assert (points[0.9].purity_ratio, points[0.9].recovery_ratio) == (1.0, 0.25)
    assert (points[0.4].purity_ratio, points[0.4].recovery_ratio) == (pytest.approx(2 / 3), 0.5)


def test_thresholds_that_nothing_passes_are_left_out() -> None:
    points = operating_curve(matches_of(np.array([0.15]), np.array([True]), 1), ClassCalibration())
    assert [point.probability for point in points] == [0.1]


def test_a_rare_class_follows_the_others() -> None:
    """Twenty boastful detections of one class pull a class that was seen once along with them, belts do not."""
    boastful = matches_of(np.full(400, 0.9), np.arange(400) % 4 == 0, 100)
    rare = matches_of(np.array([0.9]), np.array([True]), 1)
    never, certain = (
        matches_of(np.zeros(0), np.zeros(0, dtype=np.bool_), 0),
        matches_of(np.full(400, 0.5), np.ones(400, dtype=np.bool_), 400),
    )
    found = fit_calibrations(
        {"can": boastful, "glass": rare, "residue": never}, {"can": certain, "glass": certain, "residue": certain}
    )
    assert calibrated(np.array([0.9]), found["can"])[0] == pytest.approx(0.25, abs=0.1)
    assert calibrated(np.array([0.9]), found["glass"])[0] < 0.6
    assert calibrated(np.array([0.5]), found["residue"])[0] > 0.9
