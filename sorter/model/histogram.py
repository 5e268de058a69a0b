"""Distributions in fixed log-spaced buckets: cheap to add to, bounded in memory, and a percentile costs no sorting.

A value is told from its neighbours to within one bucket, so a percentile is off by at most a bucket's width.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

import msgspec


class Distribution(msgspec.Struct, frozen=True):
    """What a histogram holds at one instant.

    Attributes:
        upper_bounds: of the buckets, ascending; the values of the last bucket are above all of them.
        counts: values in each bucket, one more than bounds.
        sum: of all values.
        least: the smallest value, 0 before the first.
        greatest: the largest value, 0 before the first.
    """

    upper_bounds: tuple[float, ...]
    counts: tuple[int, ...]
    sum: float
    least: float
    greatest: float

    @property
    def count(self) -> int:
        """How many values there are."""
        return sum(self.counts)

    @property
    def mean(self) -> float | None:
        """The mean, exactly; None of nothing."""
        return self.sum / self.count if self.count else None

    def quantile(self, share: float) -> float | None:
        """The value below which a share (0..1) of the values lies, to within a bucket's width; None of nothing.

        Values are taken to be spread evenly in their bucket, and none lies beyond the least and the greatest.
        """
        running = list(accumulate(self.counts))
        if not running[-1]:
            return None
        rank = share * (running[-1] - 1)
        below, above = (self._ranked(running, whole) for whole in (math.floor(rank), math.ceil(rank)))
        return below + (rank - math.floor(rank)) * (above - below)

    def _ranked(self, running: Sequence[int], rank: int) -> float:
        """About the value with so many (0 or more) smaller ones; `running` are the counts added up."""
        place = bisect_left(running, rank + 1)
        before = running[place] - self.counts[place]
        low = self.upper_bounds[place - 1] if place > 0 else self.least
        high = self.upper_bounds[place] if place < len(self.upper_bounds) else self.greatest
        value = low + (rank - before + 0.5) / self.counts[place] * (high - low)
        return min(max(value, self.least), self.greatest)


class Histogram:
    """Counts values as they come."""

    def __init__(self, low: float, high: float, per_decade: int) -> None:
        """Lay the buckets.

        Args:
            low: upper bound of the first bucket, above 0.
            high: upper bound of the last but one; what is above is counted together.
            per_decade: buckets for each factor of ten.

        Raises:
            ValueError: if the bounds are not in order or there are no buckets.
        """
        if not 0.0 < low < high or per_decade < 1:
            raise ValueError(f"no buckets between {low} and {high}, {per_decade} a decade")
        step_count = math.ceil(round(math.log10(high / low) * per_decade, 9))
        self._upper_bounds = tuple(low * 10.0 ** (step / per_decade) for step in range(step_count + 1))
        self._counts = [0] * (step_count + 2)
        self._sum = 0.0
        self._least = math.inf
        self._greatest = -math.inf

    def add(self, value: float) -> None:
        """Count a value; one of 0 or less is counted in the first bucket."""
        self._counts[bisect_left(self._upper_bounds, value)] += 1
        self._sum += value
        self._least = min(self._least, value)
        self._greatest = max(self._greatest, value)

    def distribution(self) -> Distribution:
        """What it holds now."""
        is_empty = self._greatest < self._least
        least, greatest = (0.0, 0.0) if is_empty else (self._least, self._greatest)
        return Distribution(self._upper_bounds, tuple(self._counts), self._sum, least, greatest)
