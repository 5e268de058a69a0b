"""Evidence on one item, added up over its views: how sure the line is what it is."""

import msgspec
import numpy as np
from numpy.typing import NDArray

_LEAST_SCORE = 1e-4


class Evidence(msgspec.Struct, frozen=True):
    """Weighted sum of the views' calibrated logits (C,), the sum of weights, and how many views there were."""

    logit_sum: NDArray[np.float64]
    weight_sum: float
    view_count: int


class Calibration(msgspec.Struct, frozen=True):
    """Platt scaling per class: slope (C,) and offset (C,)."""

    slope: NDArray[np.float64]
    offset: NDArray[np.float64]


def no_evidence(class_count: int) -> Evidence:
    """What is known of an item before its first view."""
    return Evidence(np.zeros(class_count), 0.0, 0)


def no_calibration(class_count: int) -> Calibration:
    """Scores taken for probabilities as they are."""
    return Calibration(np.ones(class_count), np.zeros(class_count))


def with_view(
    evidence: Evidence, class_scores: NDArray[np.float64], weight: float, calibration: Calibration
) -> Evidence:
    """Evidence after one more view, its logits Platt-scaled per class by the model that saw it.

    Args:
        evidence: what was known.
        class_scores: (C,) scores in 0..1 of this view.
        weight: 1 for a whole view, less where the picture's edge cuts the item.
        calibration: of the model that gave the scores.
    """
    clipped = np.clip(class_scores, _LEAST_SCORE, 1.0 - _LEAST_SCORE)
    logits = np.log(clipped / (1.0 - clipped))
    calibrated = calibration.slope * logits + calibration.offset
    return Evidence(evidence.logit_sum + weight * calibrated, evidence.weight_sum + weight, evidence.view_count + 1)


def class_probabilities(evidence: Evidence) -> NDArray[np.float64]:
    """Calibrated probability of each class (C,); their sum is at most 1, the rest is "none of these".

    The views are pooled by the weighted mean of their logits (a logarithmic opinion pool, Genest & Zidek 1986): views
    of one item are far from independent, so more of them make the mean steadier, not the claim bolder. Platt
    scaling is linear in the logit, so scaling each view or the mean is the same; by view, an item may be seen by two
    models, each with a calibration of its own.
    """
    if evidence.weight_sum <= 0.0:
        return np.zeros_like(evidence.logit_sum)
    pooled = evidence.logit_sum / evidence.weight_sum
    probabilities: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-pooled))
    return probabilities / max(1.0, float(probabilities.sum()))
