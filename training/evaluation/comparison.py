"""Which of two models is better on the same pictures: differences with intervals from a paired bootstrap.

Both models are judged on the same draws of pictures, so what is hard about a picture cancels out and the interval of
the difference is narrower than the two intervals alone suggest. Running the models is left to `evaluate`.
"""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from training.evaluation.average_precision import (
    ClassMatches,
    PictureResult,
    ap_table,
    every_name,
    match_class,
    mean_of_labelled,
    picture_draws,
)
from training.evaluation.interval import percentile_interval

RESAMPLE_COUNT = 1000


class Difference(msgspec.Struct, frozen=True):
    """A figure of the first model minus that of the second, with its 95 % interval; above zero the first is better."""

    value: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low > 0.0 or self.high < 0.0


class Comparison(msgspec.Struct, frozen=True):
    """First model minus second on the same pictures.

    Attributes:
        map50: difference of the mean average precision at an overlap of 0.5.
        map50_95: the same over overlaps 0.5 to 0.95.
        per_class: difference of AP50 of each class, by name.
        picture_count: pictures that both have seen.
        resample_count: draws behind each interval.
    """

    map50: Difference
    map50_95: Difference
    per_class: dict[str, Difference]
    picture_count: int
    resample_count: int


def compare(
    results_a: Sequence[PictureResult],
    results_b: Sequence[PictureResult],
    judged: Mapping[str, int],
    seed: int = 0,
    resample_count: int = RESAMPLE_COUNT,
) -> Comparison:
    """Compare two models on the same pictures, given picture by picture in the same order.

    Args:
        results_a: of the model under test.
        results_b: of the reference.
        judged: name and index of the classes that count.
        seed: of the resampling.
        resample_count: draws of pictures.

    Raises:
        ValueError: if the pictures or their labels are not the same, or no class is judged.
    """
    matches_a, matches_b = (
        {name: match_class([every_name(one) for one in results], index) for name, index in judged.items()}
        for results in (results_a, results_b)
    )
    return compare_matches(matches_a, matches_b, seed, resample_count)


def compare_matches(
    matches_a: Mapping[str, ClassMatches],
    matches_b: Mapping[str, ClassMatches],
    seed: int = 0,
    resample_count: int = RESAMPLE_COUNT,
) -> Comparison:
    """Compare two models from the matches of each class; classes that only one has are left out.

    Raises:
        ValueError: if pictures or labels differ, or no class is in both.
    """
    names = [name for name in matches_a if name in matches_b]
    first, second = [matches_a[name] for name in names], [matches_b[name] for name in names]
    _check_pairs(first, second)
    picture_count = len(first[0].label_counts)
    draws = picture_draws(picture_count, resample_count, seed)
    once = np.ones((1, picture_count), dtype=np.int64)
    value, spread = (_differences(first, second, repeats) for repeats in (once, draws))
    per_class = {name: _difference(value[:, 2 + row], spread[:, 2 + row]) for row, name in enumerate(names)}
    overall = [_difference(value[:, column], spread[:, column]) for column in (0, 1)]
    return Comparison(overall[0], overall[1], per_class, picture_count, resample_count)


def _differences(
    first: Sequence[ClassMatches], second: Sequence[ClassMatches], draws: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(R, 2 + C): difference of mAP50, of mAP50-95, and of AP50 of each class, for each draw."""
    rows = []
    for draw in draws:
        ours, theirs = (ap_table(side, draw) for side in (first, second))
        overall = np.subtract(mean_of_labelled(ours), mean_of_labelled(theirs))
        rows.append(np.concatenate([overall, ours[:, 0] - theirs[:, 0]]))
    return np.array(rows)


def _difference(value: NDArray[np.float64], spread: NDArray[np.float64]) -> Difference:
    interval = percentile_interval(float(value[0]), spread)
    return Difference(interval.value, interval.low, interval.high)


def _check_pairs(first: Sequence[ClassMatches], second: Sequence[ClassMatches]) -> None:
    if not first:
        raise ValueError("no class is judged for both models, so there is nothing to compare")
    for ours, theirs in zip(first, second, strict=True):
        if not np.array_equal(ours.label_counts, theirs.label_counts):
            raise ValueError("the two models were not judged on the same labelled pictures")
