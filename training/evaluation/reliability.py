"""Whether a probability of 0.9 means nine in ten: reliability bins and the expected calibration error.

This is the project's one definition of ECE: detections of at least 0.05, hit means an overlap of 0.5 with a label of
the same class, bins of equal mass, mean gap weighted by mass (Naeini et al. 2015; equal mass as in Nixon et al. 2019).
"""

import msgspec
import numpy as np
from numpy.typing import NDArray

from sorter.model.scorecard import wilson_interval
from training.evaluation.interval import Interval, bias_corrected_interval

LEAST_PROBABILITY = 0.05
MOST_BINS = 10
_LEAST_PER_BIN = 10

Floats = NDArray[np.float64]


class Outcomes(msgspec.Struct, frozen=True):
    """Detections and what became of them.

    Attributes:
        probabilities: (D,) calibrated, 0..1.
        hits: (D,) bool, whether each claimed a label of its class at an overlap of 0.5.
        pictures: (D,) index of the picture of each.
    """

    probabilities: Floats
    hits: NDArray[np.bool_]
    pictures: NDArray[np.int64]

    def likely(self) -> "Outcomes":
        """Those that count for calibration, from the least probable up."""
        order = np.argsort(self.probabilities, kind="stable")
        order = order[self.probabilities[order] >= LEAST_PROBABILITY]
        return Outcomes(self.probabilities[order], self.hits[order], self.pictures[order])


class ReliabilityBin(msgspec.Struct, frozen=True):
    """A tenth (or more) of the detections: what was promised, what was kept, with a Wilson interval."""

    mean_probability: float
    hit_ratio: float
    low: float
    high: float
    detection_count: int


class Reliability(msgspec.Struct, frozen=True):
    """Expected calibration error with its interval, and the bins of the diagram."""

    ece: Interval
    bins: list[ReliabilityBin]
    detection_count: int


def pooled(every: list[Outcomes]) -> Outcomes:
    """All classes together."""
    parts = [(one.probabilities, one.hits, one.pictures) for one in every]
    return Outcomes(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def reliability(outcomes: Outcomes, draws: NDArray[np.int64]) -> Reliability | None:
    """ECE with an interval from draws of pictures (R, P); None where nothing was detected."""
    likely = outcomes.likely()
    count = len(likely.probabilities)
    if not count:
        return None
    value = calibration_error(likely, np.ones(count))
    weights = draws[:, likely.pictures]
    spread = np.array([calibration_error(likely, one) for one in weights if one.any()])
    return Reliability(bias_corrected_interval(value, spread), _bins(likely), count)


def calibration_error(likely: Outcomes, weights: Floats) -> float:
    """Mean gap between probability and hit ratio over bins of equal mass.

    Args:
        likely: from the least probable up.
        weights: (D,) how much each detection counts; not all zero.
    """
    bins = _bin_of_each(weights)
    gaps = np.bincount(bins, weights * (likely.probabilities - likely.hits))
    return float(np.abs(gaps).sum() / weights.sum())


def _bin_of_each(weights: Floats) -> NDArray[np.int64]:
    bin_count = int(np.clip(weights.sum() // _LEAST_PER_BIN, 1, MOST_BINS))
    middles = (np.cumsum(weights) - weights / 2) / weights.sum()
    bins: NDArray[np.int64] = np.minimum((middles * bin_count).astype(np.int64), bin_count - 1)
    return bins


def _bins(likely: Outcomes) -> list[ReliabilityBin]:
    bins = _bin_of_each(np.ones(len(likely.hits)))
    return [_bin(likely.probabilities[bins == one], likely.hits[bins == one]) for one in range(bins.max() + 1)]


def _bin(probabilities: Floats, hits: NDArray[np.bool_]) -> ReliabilityBin:
    kept = wilson_interval(int(hits.sum()), len(hits))
    return ReliabilityBin(float(probabilities.mean()), float(hits.mean()), kept.low, kept.high, len(hits))
