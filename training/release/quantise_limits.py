"""How much average precision a smaller form of a network may lose, and how much it has lost; pure functions."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from sorter.model.accuracy_gate import MAX_CLASS_DROP, MAX_MAP50_DROP
from training.evaluation.average_precision import PictureResult, average_precision, every_name, match_class

_NEVER = 1e9


class Limits(msgspec.Struct, frozen=True):
    """The largest drops allowed, as average precision at an overlap of 0.5 (0.01 is one point).

    A class with fewer labels than `least_labels` is shown but not judged: one label more or less moves it by points.
    """

    max_drop: float = MAX_MAP50_DROP
    max_class_drop: float = MAX_CLASS_DROP
    least_labels: int = 10


class Worth(msgspec.Struct, frozen=True):
    """Average precision of one form on a set of pictures, over the classes that have labels there."""

    map50: float
    ap50: dict[str, float]
    label_counts: dict[str, int]


class Drop(msgspec.Struct, frozen=True):
    """What a form has lost against the reference on the same pictures; below zero it has gained.

    Attributes:
        map50: of mAP50.
        ap50: of each class.
        worst_class: the judged class that lost most, None if none has enough labels.
        share_of_limit: the drop nearest to its limit, or furthest beyond it, as a share of that limit.
    """

    map50: float
    ap50: dict[str, float]
    worst_class: str | None
    share_of_limit: float

    @property
    def is_within(self) -> bool:
        """Whether every limit holds."""
        return self.share_of_limit <= 1.0


def worth_of(results: Sequence[PictureResult], judged: Mapping[str, int]) -> Worth:
    """Average precision at an overlap of 0.5.

    Args:
        results: picture by picture.
        judged: name and index of the classes that count; those without a label in these pictures are left out.
    """
    named = [every_name(result) for result in results]
    every = {name: match_class(named, class_id) for name, class_id in judged.items()}
    labelled = {name: matches for name, matches in every.items() if matches.label_counts.sum()}
    once = np.ones(len(results), dtype=np.int64)
    ap50 = {name: float(average_precision(matches, once)[0]) for name, matches in labelled.items()}
    counts = {name: int(matches.label_counts.sum()) for name, matches in labelled.items()}
    return Worth(float(np.mean(list(ap50.values()))) if ap50 else 0.0, ap50, counts)


def drop_between(reference: Worth, other: Worth, limits: Limits) -> Drop:
    """What `other` has lost against `reference` on the same pictures."""
    ap50 = {name: value - other.ap50[name] for name, value in reference.ap50.items()}
    judged = {name: drop for name, drop in ap50.items() if reference.label_counts[name] >= limits.least_labels}
    worst_class = max(judged, key=lambda name: judged[name]) if judged else None
    map50 = reference.map50 - other.map50
    class_share = -_NEVER if worst_class is None else _share(judged[worst_class], limits.max_class_drop)
    return Drop(map50, ap50, worst_class, max(_share(map50, limits.max_drop), class_share))


def _share(drop: float, limit: float) -> float:
    # A limit of nothing at all is kept by no loss at all.
    return drop / limit if limit > 0 else (0.0 if drop <= 0 else _NEVER)
