"""Turning scores into probabilities, so that 0.9 means nine in ten, and what each probability threshold gives.

Fitted on pictures that training has not seen.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sorter.runtime.bundle import ClassCalibration, OperatingPoint
from training.evaluation.average_precision import ClassMatches

LEAST_SCORE = 0.05
OPERATING_PROBABILITIES: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
# Strength of the pull towards "the score is the probability", in detections: rare classes stay near it.
_PRIOR_DETECTIONS = 12.0
_LEAST_SLOPE = 0.2
_NEWTON_STEPS = 30

Floats = NDArray[np.float64]


def fit_calibration(matches: ClassMatches) -> ClassCalibration:
    """Platt scaling of one class on its matched and unmatched detections (Platt 1999; targets smoothed as there).

    A Gaussian prior round slope 1 and offset 0 keeps classes with few detections near their raw scores. The slope
    stays positive, so the order of detections never changes.
    """
    used = matches.scores >= LEAST_SCORE
    scores, hits = matches.scores[used], matches.hits[0, used]
    if not len(scores):
        return ClassCalibration()
    targets = np.where(hits, (hits.sum() + 1) / (hits.sum() + 2), 1 / ((~hits).sum() + 2))
    slope, offset = _regress(logits(scores), targets)
    return ClassCalibration(max(slope, _LEAST_SLOPE), offset)


def calibrated(scores: Floats, calibration: ClassCalibration) -> Floats:
    """Probabilities of scores 0..1, of any shape."""
    probabilities: Floats = _sigmoid(calibration.slope * logits(scores) + calibration.offset)
    return probabilities


def operating_curve(matches: ClassMatches, calibration: ClassCalibration) -> list[OperatingPoint]:
    """Purity and recovery of detections above each threshold; thresholds that nothing passes are left out."""
    probabilities = calibrated(matches.scores, calibration)
    label_count = int(matches.label_counts.sum())
    points = []
    for threshold in OPERATING_PROBABILITIES:
        passed = matches.hits[0, probabilities >= threshold]
        if len(passed) and label_count:
            hit_count = int(passed.sum())
            points.append(OperatingPoint(threshold, hit_count / len(passed), hit_count / label_count))
    return points


def calibration_error(all_matches: Sequence[ClassMatches], calibrations: Sequence[ClassCalibration]) -> float:
    """Expected calibration error over ten equal bins, all classes together (Guo et al. 2017)."""
    pairs = zip(all_matches, calibrations, strict=True)
    probabilities = np.concatenate([calibrated(matches.scores, one) for matches, one in pairs])
    hits = np.concatenate([matches.hits[0] for matches in all_matches])
    used = probabilities >= LEAST_SCORE
    probabilities, hits = probabilities[used], hits[used]
    bins = np.minimum((probabilities * 10).astype(int), 9)
    gaps = [abs(float((probabilities[bins == one] - hits[bins == one]).sum())) for one in range(10)]
    return sum(gaps) / max(1, len(hits))


def logits(scores: Floats) -> Floats:
    """Log odds of scores, which are kept a little inside 0..1."""
    inside = np.clip(scores, 1e-6, 1 - 1e-6)
    odds: Floats = np.log(inside / (1 - inside))
    return odds


def _regress(inputs: Floats, targets: Floats) -> tuple[float, float]:
    design = np.stack([inputs, np.ones_like(inputs)], axis=1)
    centre = np.array([1.0, 0.0])
    pull = np.eye(2) * _PRIOR_DETECTIONS * 0.25
    weights = centre.copy()
    for _ in range(_NEWTON_STEPS):
        probabilities = _sigmoid(design @ weights)
        slope = design.T @ (probabilities - targets) + pull @ (weights - centre)
        curvature = (design * (probabilities * (1 - probabilities))[:, None]).T @ design + pull
        weights = weights - np.linalg.solve(curvature, slope)
    return float(weights[0]), float(weights[1])


def _sigmoid(values: Floats) -> Floats:
    answer: Floats = 1.0 / (1.0 + np.exp(-values))
    return answer
