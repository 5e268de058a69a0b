"""How far two forms of a network are apart on the same pictures: boxes, probabilities, and what only one has found."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from training.evaluation.average_precision import Floats
from vision.boxes import overlap_ratios
from vision.frame import Detections

PARTNER_OVERLAP_RATIO = 0.5


class Seen(msgspec.Struct, frozen=True):
    """What one form found in one picture.

    Attributes:
        boxes_px: (N, 4) x0, y0, x1, y1.
        probabilities: (N, C) calibrated, 0..1.
    """

    boxes_px: Floats
    probabilities: Floats

    @property
    def best(self) -> Floats:
        """(N,) probability of each one's likeliest class."""
        best: Floats = self.probabilities.max(axis=1, initial=0.0)
        return best


class Pairs(msgspec.Struct, frozen=True):
    """Detections of the reference above the threshold, and those of the other form that are the same items.

    Attributes:
        box_px: (M,) largest difference of a box's four sides.
        probability: (M,) difference in the probability of the reference's class.
        class_ids: (M,) the reference's class.
        only_reference_count: sure detections of the reference without a partner.
        only_other_count: sure detections of the other form without a partner.
        sure_count: sure detections of both together.
    """

    box_px: Floats
    probability: Floats
    class_ids: NDArray[np.int64]
    only_reference_count: int
    only_other_count: int
    sure_count: int


class Spread(msgspec.Struct, frozen=True):
    """How a difference is spread."""

    p50: float
    p99: float
    largest: float


class Tolerance(msgspec.Struct, frozen=True):
    """The largest differences allowed, for what the numbers of a form can hold."""

    box_p99_px: float
    probability_p99: float
    alone_ratio: float


class Difference(msgspec.Struct, frozen=True):
    """How far a form is from the reference.

    Attributes:
        box_px: of matched boxes, the largest of the four sides.
        probability: of all classes.
        class_probability: of the detections of each class.
        alone_ratio: share of the sure detections of both that the other one has not found.
        sure_count: how many those are.
        excess: sentences on what is beyond the tolerance; empty if nothing is.
    """

    box_px: Spread
    probability: Spread
    class_probability: dict[str, Spread]
    alone_ratio: float
    sure_count: int
    tolerance: Tolerance
    excess: tuple[str, ...]


# A box side in INT8 moves by pixels where two boxes of one item compete; what it is called must not change.
TOLERANCES: Mapping[str, Tolerance] = {
    "f32": Tolerance(0.5, 0.005, 0.002),
    "bf16": Tolerance(8.0, 0.10, 0.02),
    "f16-emulated": Tolerance(4.0, 0.05, 0.01),
    "int8": Tolerance(12.0, 0.25, 0.03),
    "int8-emulated": Tolerance(12.0, 0.25, 0.03),
}


def seen_in(found: Detections, slopes: Floats, offsets: Floats) -> Seen:
    """Detections with calibrated probabilities: sigmoid(slope * logit(score) + offset) of each class (C,)."""
    scores = np.clip(found.class_probs.astype(np.float64), 1e-6, 1 - 1e-6)
    logits = np.log(scores / (1 - scores)) * slopes + offsets
    return Seen(found.boxes_px.astype(np.float64), 1.0 / (1.0 + np.exp(-logits)))


def pairs_of(reference: Seen, other: Seen, threshold: float) -> Pairs:
    """Find for each sure detection its partner: the best overlapping one of the other form, each used once.

    A partner may be unsure itself: a probability that moves over the threshold is a difference in probability, not an
    item that one form has missed.
    """
    sure, other_sure = reference.best >= threshold, other.best >= threshold
    rows, columns = _matched(overlap_ratios(reference.boxes_px, other.boxes_px), reference.best)
    is_sure_pair = sure[rows]
    rows_sure, columns_sure = rows[is_sure_pair], columns[is_sure_pair]
    class_ids = reference.probabilities[rows_sure].argmax(axis=1).astype(np.int64)
    moved = np.abs(reference.boxes_px[rows_sure] - other.boxes_px[columns_sure]).max(axis=1, initial=0.0)
    picked = np.arange(len(class_ids))
    changed = reference.probabilities[rows_sure] - other.probabilities[columns_sure]
    return Pairs(
        moved,
        np.abs(changed[picked, class_ids]),
        class_ids,
        int(sure.sum() - is_sure_pair.sum()),
        int(other_sure.sum() - other_sure[columns].sum()),
        int(sure.sum() + other_sure.sum()),
    )


def difference_of(pairs: Sequence[Pairs], class_names: Sequence[str], tolerance: Tolerance) -> Difference:
    """All pictures together, held against a tolerance."""
    box_px = np.concatenate([one.box_px for one in pairs])
    probability = np.concatenate([one.probability for one in pairs])
    class_ids = np.concatenate([one.class_ids for one in pairs])
    alone_count = sum(one.only_reference_count + one.only_other_count for one in pairs)
    sure_count = sum(one.sure_count for one in pairs)
    per_class = {
        name: spread_of(probability[class_ids == index])
        for index, name in enumerate(class_names)
        if (class_ids == index).any()
    }
    spreads, alone_ratio = (spread_of(box_px), spread_of(probability)), alone_count / max(1, sure_count)
    excess = tuple(_excess(*spreads, alone_ratio, tolerance))
    return Difference(*spreads, per_class, alone_ratio, sure_count, tolerance, excess)


def spread_of(values: Floats) -> Spread:
    """Median, 99th percentile and largest of differences; zeros where there are none."""
    if not len(values):
        return Spread(0.0, 0.0, 0.0)
    p50, p99 = np.percentile(values, (50, 99))
    return Spread(float(p50), float(p99), float(values.max()))


def _matched(overlaps: Floats, order_by: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of partners; rows choose in order of `order_by`, largest first."""
    free = np.ones(overlaps.shape[1], dtype=np.bool_)
    rows, columns = [], []
    for row in np.argsort(-order_by, kind="stable"):
        open_ratios = np.where(free, overlaps[row], -1.0)
        if open_ratios.max(initial=-1.0) >= PARTNER_OVERLAP_RATIO:
            column = int(open_ratios.argmax())
            free[column] = False
            rows.append(int(row))
            columns.append(column)
    return np.array(rows, dtype=np.intp), np.array(columns, dtype=np.intp)


def _excess(box_px: Spread, probability: Spread, alone_ratio: float, tolerance: Tolerance) -> list[str]:
    found = (
        ("box difference, 99th percentile", box_px.p99, tolerance.box_p99_px, "px"),
        ("probability difference, 99th percentile", probability.p99, tolerance.probability_p99, ""),
        ("share of detections without a partner", alone_ratio, tolerance.alone_ratio, ""),
    )
    return [
        f"{name} {value:.4g} {unit}".rstrip() + f" is above {limit:g}"
        for name, value, limit, unit in found
        if value > limit
    ]
