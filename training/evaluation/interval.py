"""A measured figure and how far it can be trusted: 95 % intervals from resampled pictures."""

from collections.abc import Sequence
from statistics import NormalDist

import msgspec
import numpy as np
from numpy.typing import NDArray

_INTERVAL_PERCENTILES = (2.5, 97.5)
_Z_95 = 1.959963984540054

Floats = NDArray[np.float64]


class Interval(msgspec.Struct, frozen=True):
    """A figure with its 95 % bootstrap interval over pictures."""

    value: float
    low: float
    high: float


def percentile_interval(value: float, spread: Floats | Sequence[float]) -> Interval:
    """The figure with the middle 95 % of its resampled values; draws without a figure (NaN) are left out."""
    low, high = np.nanpercentile(spread, _INTERVAL_PERCENTILES)
    return Interval(value, float(low), float(high))


def bias_corrected_interval(value: float, spread: Floats) -> Interval:
    """The same for a figure that resampling shifts, as it does a mean of absolute gaps (Efron 1981).

    The percentiles are moved by twice the shift of the median, so the interval holds the figure itself.
    """
    normal = NormalDist()
    share = float(np.mean(spread < value) + 0.5 * np.mean(spread == value))
    shift = normal.inv_cdf(min(max(share, 0.5 / len(spread)), 1 - 0.5 / len(spread)))
    percents = [100 * normal.cdf(2 * shift + side) for side in (-_Z_95, _Z_95)]
    low, high = np.percentile(spread, percents)
    return Interval(value, min(float(low), value), max(float(high), value))


def ratio_interval(parts: Floats, wholes: Floats, draws: NDArray[np.int64]) -> Interval | None:
    """A share of sums over pictures; None where the whole is nothing.

    Args:
        parts: (P,) what counts, by picture.
        wholes: (P,) out of how much, by picture.
        draws: (R, P) how often each picture counts in each draw.
    """
    if not wholes.sum():
        return None
    taken = draws @ wholes
    spread = (draws @ parts)[taken > 0] / taken[taken > 0]
    return percentile_interval(float(parts.sum() / wholes.sum()), spread)
