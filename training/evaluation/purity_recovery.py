"""Average precision in the plant's words: were each class blown off the belt, how pure and how complete would it be.

A still picture stands for the belt. A detection of the class is a shot at the middle half of its box, which takes every
item whose centre lies there, neighbours included; `closed_loop` has the tracking, the policy and the valves as well.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from sorter.model.settings import StationSettings
from training.evaluation.average_precision import Floats
from training.evaluation.examined_picture import ExaminedPicture
from training.evaluation.interval import Interval, ratio_interval

PROBABILITIES: Floats = np.round(np.arange(0.05, 0.96, 0.05), 2)
_BLAST_RATIO = next(one.default for one in msgspec.structs.fields(StationSettings) if one.name == "blast_ratio")


class SortingPoint(msgspec.Struct, frozen=True):
    """What shooting at every detection from a probability on would give; purity None where nothing is taken.

    `purity_counting_empty_shots` is the purity if each shot at no labelled item had taken an impurity.
    """

    probability: float
    recovery: float
    purity: float | None
    purity_counting_empty_shots: float | None


class SortingFigures(msgspec.Struct, frozen=True):
    """Purity and recovery of one class: the whole curve, and intervals at the operating point."""

    operating_probability: float
    recovery: Interval | None
    purity: Interval | None
    purity_counting_empty_shots: Interval | None
    curve: list[SortingPoint]


class Shots(msgspec.Struct, frozen=True):
    """Shots at one class in one picture.

    Attributes:
        item_probabilities: (N,) highest probability of a shot that takes each item; zero if none does.
        is_target: (N,) bool, whether each item is of the class.
        empty_probabilities: (E,) of the shots that take no item.
    """

    item_probabilities: Floats
    is_target: NDArray[np.bool_]
    empty_probabilities: Floats


def shots_of(picture: ExaminedPicture, probabilities: Floats, class_id: int) -> Shots:
    """Fire at every detection of a class in a picture; the class must be one that the picture's folder labels."""
    result = picture.result
    aimed = result.class_ids == class_id
    boxes_px, chances = result.boxes_px[aimed], probabilities[aimed]
    middles_px = (result.label_boxes_px[:, :2] + result.label_boxes_px[:, 2:]) / 2
    centres_px, halves_px = (boxes_px[:, :2] + boxes_px[:, 2:]) / 2, (boxes_px[:, 2:] - boxes_px[:, :2]) / 2
    reach_px = _BLAST_RATIO * halves_px[:, None]
    taken = (np.abs(middles_px[None] - centres_px[:, None]) <= reach_px).all(axis=2)
    best = (taken * chances[:, None]).max(axis=0, initial=0.0)
    return Shots(best, result.label_class_ids == class_id, chances[~taken.any(axis=1)])


def sorting_figures(shots: Sequence[Shots], operating: float, draws: NDArray[np.int64]) -> SortingFigures:
    """Curve and intervals of one class over pictures; `draws` (R, P) as for the other intervals."""
    hit, taken, empty, targets = _tallies(shots, operating)
    return SortingFigures(
        operating_probability=operating,
        recovery=ratio_interval(hit, targets, draws),
        purity=ratio_interval(hit, taken, draws),
        purity_counting_empty_shots=ratio_interval(hit, taken + empty, draws),
        curve=[_point(shots, float(probability)) for probability in PROBABILITIES],
    )


def _point(shots: Sequence[Shots], probability: float) -> SortingPoint:
    hit, taken, empty, targets = (float(part.sum()) for part in _tallies(shots, probability))
    return SortingPoint(probability, hit / max(targets, 1.0), _share(hit, taken), _share(hit, taken + empty))


def _tallies(shots: Sequence[Shots], probability: float) -> tuple[Floats, Floats, Floats, Floats]:
    """By picture: targets taken, items taken, empty shots, targets there."""
    rows = [
        (
            int((one.is_target & (one.item_probabilities >= probability)).sum()),
            int((one.item_probabilities >= probability).sum()),
            int((one.empty_probabilities >= probability).sum()),
            int(one.is_target.sum()),
        )
        for one in shots
    ]
    hit, taken, empty, targets = np.array(rows, dtype=np.float64).reshape(-1, 4).T
    return hit, taken, empty, targets


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None
