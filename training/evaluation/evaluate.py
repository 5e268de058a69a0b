"""Running a model over labelled pictures and saying how good it is, with error bars.

The definition of average precision is in `average_precision`, detection itself in `vision.detectors`.
"""

from collections.abc import Callable, Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from sorter.errors import DataFolderError
from sorter.runtime.bundle import ClassCalibration
from sorter.runtime.clock import Clock
from sorter.runtime.labelled_folder import LabelledFolder, labelled_boxes_px
from training.evaluation.average_precision import (
    ClassMatches,
    PictureResult,
    ap_table,
    average_precision,
    every_name,
    match_class,
    mean_average_precision,
    mean_of_labelled,
    picture_draws,
)
from training.evaluation.interval import Interval, percentile_interval, ratio_interval
from training.evaluation.reliability import Outcomes, Reliability, pooled, reliability
from training.progress import progress
from training.release.calibrate import calibrated
from training.synthesis.pixels import Picture, read_picture
from vision.boxes import areas, intersections, overlap_ratios
from vision.detectors import Detector
from vision.detectors.detector import detect_and_rename
from vision.frame import Detections, Frame

Detect = Callable[[Picture], Detections]

RESAMPLE_COUNT = 500
OPERATING_PROBABILITY = 0.5
OVERLAP_RATIO = 0.5


class ClassFigures(msgspec.Struct, frozen=True):
    """Figures of one class; precision and recall at a calibrated probability of 0.5 and an overlap of 0.5."""

    ap50: float
    ap50_95: float
    precision: float | None
    recall: float
    label_count: int
    ap50_interval: Interval | None = None
    precision_interval: Interval | None = None
    recall_interval: Interval | None = None
    ece: Interval | None = None


class Figures(msgspec.Struct, frozen=True):
    """The figures of a set of pictures, whoever made the detections.

    Attributes:
        map50: with every class that a box may be of, as COCO has it; likewise `map50_95` and the classes' AP.
        map50_95: averaged over the overlaps.
        per_class: by name.
        reliability: over all classes together.
        map50_one_name: with the likeliest class of each box alone, which is what a line would call it.
    """

    map50: Interval
    map50_95: Interval
    per_class: dict[str, ClassFigures]
    reliability: Reliability | None = None
    map50_one_name: Interval | None = None


def detect_by(detector: Detector) -> Detect:
    """A detector of the line as a function of single pictures, with a second look at every box if it has one."""
    return lambda picture: detect_and_rename(detector, Frame(frame_id=0, exposed_at_ns=0, travel_um=0, image=picture))


def detect_folder(folder: LabelledFolder, detect: Detect, clock: Clock) -> tuple[list[PictureResult], float]:
    """Detect in every picture of a folder.

    Returns:
        Results in the folder's order, and the seconds spent in `detect`.

    Raises:
        DataFolderError: if a picture cannot be read.
    """
    results, spent_ns = [], 0
    with progress(folder.pictures, len(folder.pictures), "evaluating") as pictures:
        for labelled in pictures:
            picture = read_picture(labelled.path)
            start_ns = clock.now_ns()
            found = detect(picture)
            spent_ns += clock.now_ns() - start_ns
            result = picture_result(labelled_boxes_px(labelled.boxes, picture), labelled.class_ids, found)
            results.append(outside_ignored(result, labelled_boxes_px(labelled.ignored, picture)))
    return results, spent_ns / 1e9


def picture_result(
    label_boxes_px: NDArray[np.float64], label_class_ids: NDArray[np.int64], found: Detections
) -> PictureResult:
    """Each found box as a detection of its likeliest class, with the scores of the others beside it."""
    boxes_px, class_probs = (np.asarray(part, np.float64) for part in (found.boxes_px, found.class_probs))
    if not len(boxes_px):
        empty = np.zeros(0)
        return PictureResult(label_boxes_px, label_class_ids, np.zeros((0, 4)), empty, empty.astype(np.int64))
    class_ids = class_probs.argmax(axis=1).astype(np.int64)
    return PictureResult(label_boxes_px, label_class_ids, boxes_px, class_probs.max(axis=1), class_ids, class_probs)


def outside_ignored(result: PictureResult, ignored_px: NDArray[np.float64]) -> PictureResult:
    """The same without detections that lie by half or more in an ignored region and find no label of their class."""
    if not len(ignored_px) or not len(result.boxes_px):
        return result
    inside = intersections(result.boxes_px, ignored_px) / np.maximum(areas(result.boxes_px), 1e-12)[:, None]
    same = result.class_ids[:, None] == result.label_class_ids[None]
    finds = same & (overlap_ratios(result.boxes_px, result.label_boxes_px) >= OVERLAP_RATIO)
    stays = finds.any(axis=1) | (inside < OVERLAP_RATIO).all(axis=1)
    return result.chosen(stays)


def judged_classes(folder: LabelledFolder, class_names: Sequence[str]) -> dict[str, int]:
    """Name and index of the classes that the folder labels exhaustively and that occur in it.

    Raises:
        DataFolderError: if there is none.
    """
    present = {int(class_id) for picture in folder.pictures for class_id in picture.class_ids}
    judged = {name: index for index, name in enumerate(class_names) if name in folder.complete_for and index in present}
    if not judged:
        raise DataFolderError(f"{folder.folder}: no class is both labelled there and listed in complete_for")
    return judged


def figures_of(
    results: Sequence[PictureResult],
    judged: Mapping[str, int],
    calibration: Mapping[str, ClassCalibration] | None = None,
    seed: int = 0,
    every: Mapping[str, ClassMatches] | None = None,
) -> Figures:
    """Mean average precision with bootstrap intervals, and the figures of each judged class.

    Args:
        results: picture by picture.
        judged: name and index of the classes that count.
        calibration: of the model, so that precision and recall are read at a probability; without, at a score.
        seed: of the resampling.
        every: matches of each judged class with every box that may be of it, where not all such names count.
    """
    matches = {name: match_class(results, class_id) for name, class_id in judged.items()}
    if every is None:
        named = [every_name(result) for result in results]
        every = {name: match_class(named, class_id) for name, class_id in judged.items()}
    draws = picture_draws(len(results), RESAMPLE_COUNT, seed)
    table, maps = _average_precisions(list(every.values()), draws)
    _, maps_by_one_name = _average_precisions(list(matches.values()), draws)
    outcomes = {name: outcomes_of(one, (calibration or {}).get(name)) for name, one in matches.items()}
    per_class = {
        name: class_figures(one, every[name], outcomes[name], table[:, row, 0], draws)
        for row, (name, one) in enumerate(matches.items())
    }
    trust = reliability(pooled(list(outcomes.values())), draws)
    return Figures(*maps, per_class, trust, maps_by_one_name[0])


def _average_precisions(
    every: Sequence[ClassMatches], draws: NDArray[np.int64]
) -> tuple[NDArray[np.float64], tuple[Interval, Interval]]:
    """AP of each draw and class, and (mAP50, mAP50-95) with their intervals."""
    values = mean_average_precision(every, np.ones(draws.shape[1], dtype=np.int64))
    table = np.array([ap_table(every, draw) for draw in draws])
    spread = np.array([mean_of_labelled(one) for one in table])
    map50, map50_95 = (percentile_interval(values[index], spread[:, index]) for index in (0, 1))
    return table, (map50, map50_95)


def outcomes_of(matches: ClassMatches, calibration: ClassCalibration | None) -> Outcomes:
    """Detections of one class as probabilities and hits."""
    probabilities = calibrated(matches.scores, calibration or ClassCalibration())
    return Outcomes(probabilities, matches.hits[0], matches.pictures)


def class_figures(
    matches: ClassMatches,
    every_match: ClassMatches,
    outcomes: Outcomes,
    ap50_spread: NDArray[np.float64],
    draws: NDArray[np.int64],
) -> ClassFigures:
    """Figures of one class that has labels.

    Args:
        matches: of boxes whose likeliest class it is.
        every_match: of all boxes that may be of it, for average precision.
        outcomes: of `matches`.
        ap50_spread: (R,) AP50 in each draw.
        draws: (R, P) of pictures.
    """
    curve = average_precision(every_match, np.ones(len(matches.label_counts), dtype=np.int64))
    sure = outcomes.probabilities >= OPERATING_PROBABILITY
    found, hits = (_per_picture(matches, chosen) for chosen in (sure, sure & outcomes.hits))
    precision = ratio_interval(hits, found, draws)
    recall = ratio_interval(hits, matches.label_counts.astype(np.float64), draws)
    trust = reliability(outcomes, draws)
    return ClassFigures(
        ap50=float(curve[0]),
        ap50_95=float(curve.mean()),
        precision=precision.value if precision else None,
        recall=recall.value if recall else 0.0,
        label_count=int(matches.label_counts.sum()),
        ap50_interval=percentile_interval(float(curve[0]), ap50_spread),
        precision_interval=precision,
        recall_interval=recall,
        ece=trust.ece if trust else None,
    )


def _per_picture(matches: ClassMatches, chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.bincount(matches.pictures[chosen], minlength=len(matches.label_counts)).astype(np.float64)
