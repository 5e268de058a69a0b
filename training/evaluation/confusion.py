"""What was taken for what: a confusion matrix of items and detections, with what was missed and what was not there."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from training.evaluation.average_precision import Floats
from training.evaluation.examined_picture import ExaminedPicture
from vision.boxes import overlap_ratios

MISSED = "missed"
OTHER_CLASS = "another class"
NOTHING_THERE = "nothing there"
_OVERLAP_RATIO = 0.5
_NO_LABEL = -1


class Confusion(msgspec.Struct, frozen=True):
    """Counts of (what it is, what it was called).

    Attributes:
        rows: judged classes, then "nothing there".
        columns: judged classes, then "another class" and "missed".
        counts: row by row.
    """

    rows: list[str]
    columns: list[str]
    counts: list[list[int]]


def confusion_of(
    pictures: Sequence[ExaminedPicture], probabilities: Sequence[Floats], judged: Mapping[str, int], least: float
) -> Confusion:
    """Match detections to labels of any class, the surest first, at an overlap of 0.5.

    Args:
        pictures: with all labels and detections.
        probabilities: of the detections of each picture.
        judged: name and index of the classes that are rows.
        least: probability from which a detection counts.
    """
    rows, columns = [*judged, NOTHING_THERE], [*judged, OTHER_CLASS, MISSED]
    places = {class_id: place for place, class_id in enumerate(judged.values())}
    counts = np.zeros((len(rows), len(columns)), dtype=np.int64)
    for picture, sure in zip(pictures, probabilities, strict=True):
        for truth, call in _pairs(picture, sure, least):
            row, column = _row(truth, places), _column(call, places)
            if _counts(picture, truth, call, places):
                counts[row, column] += 1
    return Confusion(rows, columns, counts.tolist())


def claims(
    label_boxes_px: Floats, boxes_px: Floats, order: NDArray[np.int64], overlap_ratio: float = _OVERLAP_RATIO
) -> NDArray[np.int64]:
    """The label each detection claims, whatever its class, -1 for none; those first in `order` choose first."""
    overlaps = overlap_ratios(boxes_px, label_boxes_px)
    claimed = np.full(len(boxes_px), _NO_LABEL, dtype=np.int64)
    for detection in order:
        best = int(overlaps[detection].argmax()) if overlaps.shape[1] else _NO_LABEL
        if best != _NO_LABEL and overlaps[detection, best] >= overlap_ratio:
            claimed[detection] = best
            overlaps[:, best] = 0.0
    return claimed


def _pairs(picture: ExaminedPicture, probabilities: Floats, least: float) -> list[tuple[int | None, int | None]]:
    """(class of the label or None, class of the detection or None)."""
    result = picture.result
    order = np.argsort(-probabilities, kind="stable")
    order = order[probabilities[order] >= least]
    claimed = claims(result.label_boxes_px, result.boxes_px, order)
    found = [
        (None if claimed[one] == _NO_LABEL else int(result.label_class_ids[claimed[one]]), int(result.class_ids[one]))
        for one in order
    ]
    missed = np.setdiff1d(np.arange(len(result.label_class_ids)), claimed)
    return [*found, *((int(result.label_class_ids[label]), None) for label in missed)]


def _counts(picture: ExaminedPicture, truth: int | None, call: int | None, places: Mapping[int, int]) -> bool:
    if truth is None:
        return call in places and call in picture.known_class_ids
    return truth in places and truth in picture.known_class_ids


def _row(truth: int | None, places: Mapping[int, int]) -> int:
    return len(places) if truth is None else places.get(truth, len(places))


def _column(call: int | None, places: Mapping[int, int]) -> int:
    return len(places) + 1 if call is None else places.get(call, len(places))
