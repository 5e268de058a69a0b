"""Average precision as COCO defines it, kept per picture so that error bars come from resampling pictures.

Matching and interpolation follow pycocotools (COCOeval): detections of a class in a picture are taken from the highest
score down, each claims the free label it overlaps most, at most 100 count; precision is made monotone and read at 101
recalls. Where detections come from is left to `evaluate`.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from vision.boxes import overlap_ratios

IOU_THRESHOLDS: NDArray[np.float64] = np.linspace(0.5, 0.95, 10)
RECALLS: NDArray[np.float64] = np.linspace(0.0, 1.0, 101)
_MOST_DETECTIONS = 100
# Average precision wants the whole curve; what a line would act on starts much higher.
FAINTEST_SCORE = 0.001

Floats = NDArray[np.float64]


class PictureResult(msgspec.Struct, frozen=True):
    """Labels and detections of one picture.

    Attributes:
        label_boxes_px: (N, 4) x0, y0, x1, y1.
        label_class_ids: (N,).
        boxes_px: (M, 4) detections.
        scores: (M,) 0..1.
        class_ids: (M,), the likeliest class of each.
        class_probs: (M, C) the score of every class of each, where the model gives them all.
    """

    label_boxes_px: Floats
    label_class_ids: NDArray[np.int64]
    boxes_px: Floats
    scores: Floats
    class_ids: NDArray[np.int64]
    class_probs: Floats | None = None

    def chosen(self, detections: NDArray[np.bool_]) -> "PictureResult":
        """The same picture with some of its detections."""
        return PictureResult(
            self.label_boxes_px,
            self.label_class_ids,
            self.boxes_px[detections],
            self.scores[detections],
            self.class_ids[detections],
            None if self.class_probs is None else self.class_probs[detections],
        )


class ClassMatches(msgspec.Struct, frozen=True):
    """All detections of one class over all pictures, from the highest score down.

    Attributes:
        scores: (D,).
        pictures: (D,) index of the picture of each.
        hits: (10, D) bool, whether it claimed a label at each IoU threshold.
        label_counts: (P,) labels of the class in each picture.
    """

    scores: Floats
    pictures: NDArray[np.int64]
    hits: NDArray[np.bool_]
    label_counts: NDArray[np.int64]


def every_name(result: PictureResult, least_score: float = FAINTEST_SCORE) -> PictureResult:
    """Each box once for every class that it may be of, as COCO's figures are made: one row a box, class and score.

    A model that gives one name a box stays as it is.
    """
    if result.class_probs is None:
        return result
    rows, class_ids = np.nonzero(result.class_probs >= least_score)
    return PictureResult(
        result.label_boxes_px, result.label_class_ids, result.boxes_px[rows], result.class_probs[rows, class_ids],
        class_ids.astype(np.int64),
    )  # fmt: skip


def match_class(results: Sequence[PictureResult], class_id: int) -> ClassMatches:
    """Match the detections of one class picture by picture."""
    scores, hits = zip(*(_match_picture(result, class_id) for result in results), strict=True)
    pictures = np.repeat(np.arange(len(results)), [len(one) for one in scores])
    flat = np.concatenate(scores)
    order = np.argsort(-flat, kind="stable")
    counts = np.array([int((result.label_class_ids == class_id).sum()) for result in results], dtype=np.int64)
    return ClassMatches(flat[order], pictures[order], np.concatenate(hits, axis=1)[:, order], counts)


def precision_at_recalls(matches: ClassMatches, repeats: NDArray[np.int64]) -> Floats:
    """Interpolated precision at each IoU threshold (ten rows) and each of the 101 recalls.

    Args:
        matches: of one class.
        repeats: (P,) how often each picture counts; ones for the set as it is, a draw with replacement for bootstrap.

    Returns:
        (10, 101) float64; NaN where no label is left.
    """
    label_count = int(matches.label_counts @ repeats)
    if label_count == 0:
        return np.full((len(IOU_THRESHOLDS), len(RECALLS)), np.nan)
    weights = repeats[matches.pictures]
    found = np.cumsum(matches.hits * weights, axis=1)
    taken = np.cumsum(weights)
    precision = found / np.maximum(taken, 1)
    envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    recall = found / label_count
    return np.array([_read_curve(recall[row], envelope[row]) for row in range(len(IOU_THRESHOLDS))])


def average_precision(matches: ClassMatches, repeats: NDArray[np.int64]) -> Floats:
    """AP at each of the ten IoU thresholds, (10,) float64, for pictures counted `repeats` times; NaN without labels."""
    means: Floats = precision_at_recalls(matches, repeats).mean(axis=1)
    return means


def ap_table(all_matches: Sequence[ClassMatches], repeats: NDArray[np.int64]) -> Floats:
    """AP of each class (rows) at each IoU threshold (ten columns); NaN rows where no label is left."""
    rows = [average_precision(matches, repeats) for matches in all_matches]
    return np.array(rows).reshape(len(all_matches), len(IOU_THRESHOLDS))


def mean_of_labelled(table: Floats) -> tuple[float, float]:
    """(mAP50, mAP50-95) of a table of classes, over the classes that have labels."""
    labelled = table[~np.isnan(table).any(axis=1)]
    if not len(labelled):
        return 0.0, 0.0
    return float(labelled[:, 0].mean()), float(labelled.mean())


def mean_average_precision(all_matches: Sequence[ClassMatches], repeats: NDArray[np.int64]) -> tuple[float, float]:
    """(mAP50, mAP50-95) over the classes that have labels."""
    return mean_of_labelled(ap_table(all_matches, repeats))


def picture_draws(picture_count: int, resample_count: int, seed: int) -> NDArray[np.int64]:
    """How often each picture counts in each draw with replacement: (resample_count, picture_count)."""
    even = np.full(picture_count, 1 / picture_count)
    draws: NDArray[np.int64] = np.random.default_rng(seed).multinomial(picture_count, even, size=resample_count)
    return draws


def bootstrap(all_matches: Sequence[ClassMatches], resample_count: int, seed: int) -> Floats:
    """Resample pictures with replacement.

    Returns:
        (resample_count, 2) float64: mAP50 and mAP50-95 of each resample.
    """
    draws = picture_draws(len(all_matches[0].label_counts), resample_count, seed)
    return np.array([mean_average_precision(all_matches, draw) for draw in draws])


def _match_picture(result: PictureResult, class_id: int) -> tuple[Floats, NDArray[np.bool_]]:
    labels_px = result.label_boxes_px[result.label_class_ids == class_id]
    chosen = np.flatnonzero(result.class_ids == class_id)
    chosen = chosen[np.argsort(-result.scores[chosen], kind="stable")][:_MOST_DETECTIONS]
    overlaps = overlap_ratios(result.boxes_px[chosen], labels_px)
    hits = np.array([_claims(overlaps, threshold) for threshold in IOU_THRESHOLDS])
    return result.scores[chosen], hits.reshape(len(IOU_THRESHOLDS), len(chosen))


def _claims(overlaps: Floats, threshold: float) -> NDArray[np.bool_]:
    """Which detections (rows, best first) claim a label (columns), each label once."""
    claimed = np.zeros(len(overlaps), dtype=np.bool_)
    free = np.ones(overlaps.shape[1], dtype=np.bool_)
    for row, ratios in enumerate(overlaps):
        open_ratios = np.where(free, ratios, -1.0)
        if open_ratios.max(initial=-1.0) >= min(threshold, 1 - 1e-10):
            # Of equals pycocotools takes the last.
            free[len(open_ratios) - 1 - int(open_ratios[::-1].argmax())] = False
            claimed[row] = True
    return claimed


def _read_curve(recall: Floats, envelope: Floats) -> Floats:
    places = np.searchsorted(recall, RECALLS, side="left")
    return np.append(envelope, 0.0)[places]
