"""Turning scores into probabilities, so that 0.9 means nine in ten, and what each probability threshold gives.

Fitted on pictures that training has not seen.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from sorter.runtime.bundle import ClassCalibration, OperatingPoint
from training.evaluation.average_precision import ClassMatches

LEAST_SCORE = 0.05
OPERATING_PROBABILITIES: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
# Strength of the pull towards the centre, in detections. Rare classes stay near what all have in common; that stays
# less near to raw scores, since those of two networks together are too low throughout.
_CLASS_PRIOR_DETECTIONS, _COMMON_PRIOR_DETECTIONS = 12.0, 6.0
# The curvature of the cross entropy is a quarter per detection where it is greatest.
_PULL_PER_DETECTION = 0.25
_LEAST_SLOPE = 0.2

Floats = NDArray[np.float64]


def fit_calibrations(
    real: Mapping[str, ClassMatches], synthetic: Mapping[str, ClassMatches]
) -> dict[str, ClassCalibration]:
    """Platt scaling of every class, shrunk towards what all classes of the real pictures have in common.

    Other places, and the program's own belts, are easier than the line's own view and make every class boastful: the
    belts only speak for classes that no real picture names.

    Args:
        real: matches on real pictures, by class name.
        synthetic: matches on the program's own belts, for the same classes.
    """
    seen = {name: matches for name, matches in real.items() if matches.label_counts.sum()}
    common = fit_calibration(list(seen.values()))
    return {
        name: fit_calibration([seen[name]], common) if name in seen else fit_calibration([synthetic[name]])
        for name in real
    }


def fit_calibration(all_matches: list[ClassMatches], centre: ClassCalibration | None = None) -> ClassCalibration:
    """Platt scaling of matched and unmatched detections (Platt 1999; targets smoothed as there).

    A Gaussian prior keeps classes with few detections near `centre`. The slope stays positive, so the order of
    detections never changes.

    Args:
        all_matches: of the classes that share this scaling.
        centre: where the prior lies; if left out, a weaker one at the raw scores, slope 1 and offset 0.
    """
    start = centre or ClassCalibration()
    prior_detections = _COMMON_PRIOR_DETECTIONS if centre is None else _CLASS_PRIOR_DETECTIONS
    scores = np.concatenate([matches.scores for matches in all_matches] or [np.zeros(0)])
    hits = np.concatenate([matches.hits[0] for matches in all_matches] or [np.zeros(0, dtype=np.bool_)])
    used = scores >= LEAST_SCORE
    scores, hits = scores[used], hits[used]
    if not len(scores):
        return start
    targets = np.where(hits, (hits.sum() + 1) / (hits.sum() + 2), 1 / ((~hits).sum() + 2))
    pull = prior_detections * _PULL_PER_DETECTION
    slope, offset = _regress(logits(scores), targets, np.array([start.slope, start.offset]), pull)
    return ClassCalibration(slope, offset)


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


def logits(scores: Floats) -> Floats:
    """Log odds of scores, which are kept a little inside 0..1."""
    inside = np.clip(scores, 1e-6, 1 - 1e-6)
    odds: Floats = np.log(inside / (1 - inside))
    return odds


def _regress(inputs: Floats, targets: Floats, centre: Floats, pull: float) -> tuple[float, float]:
    """Slope and offset of least cross entropy plus the prior's pull; the slope is kept positive."""
    # here, so that measuring a model needs no SciPy
    from scipy.optimize import minimize

    design = np.stack([inputs, np.ones_like(inputs)], axis=1)

    def cost(weights: Floats) -> tuple[float, Floats]:
        values, shift = design @ weights, weights - centre
        entropy = np.logaddexp(0.0, values) - targets * values
        slope = design.T @ (_sigmoid(values) - targets) + pull * shift
        return float(entropy.sum() + pull / 2 * shift @ shift), slope

    found = minimize(cost, centre, jac=True, method="L-BFGS-B", bounds=[(_LEAST_SLOPE, None), (None, None)])
    return float(found.x[0]), float(found.x[1])


def _sigmoid(values: Floats) -> Floats:
    answer: Floats = np.exp(-np.logaddexp(0.0, -values))
    return answer
