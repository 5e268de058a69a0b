"""The same figures by source, camera and size of the item, for a mean hides where a model fails."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from training.evaluation.average_precision import (
    Floats,
    PictureResult,
    bootstrap,
    match_class,
    mean_average_precision,
)
from training.evaluation.examined_picture import ExaminedPicture, kept
from training.evaluation.interval import Interval, percentile_interval
from vision.boxes import areas, overlap_ratios

SIZES = ("small", "medium", "large")
_RESAMPLE_COUNT = 200
_OVERLAP_RATIO = 0.5


class GroupFigures(msgspec.Struct, frozen=True):
    """Figures of a part of the pictures or labels; the mean is over the classes that occur in it."""

    map50: Interval
    picture_count: int
    label_count: int
    class_count: int


class Breakdown(msgspec.Struct, frozen=True):
    """Figures by group; `size_limits_px` are the square roots of the areas that part small, medium and large."""

    source: dict[str, GroupFigures]
    camera: dict[str, GroupFigures]
    size: dict[str, GroupFigures]
    size_limits_px: tuple[float, float]


def breakdown_of(pictures: Sequence[ExaminedPicture], judged: Mapping[str, int], seed: int) -> Breakdown:
    """Figures by source folder, by camera, and by thirds of the labels from the smallest area to the largest."""
    results = [picture.judged_names for picture in pictures]
    limits = _thirds(results)
    edges = (0.0, *limits, np.inf)
    sized = {
        name: [_of_size(one, edges[place], edges[place + 1]) for one in results] for place, name in enumerate(SIZES)
    }
    return Breakdown(
        source=_figures(_grouped((one.source for one in pictures), results), judged, seed),
        camera=_figures(_grouped((one.camera for one in pictures), results), judged, seed),
        size=_figures(sized, judged, seed),
        size_limits_px=(round(limits[0] ** 0.5, 1), round(limits[1] ** 0.5, 1)),
    )


def _grouped(names: Iterable[str], results: Sequence[PictureResult]) -> dict[str, list[PictureResult]]:
    groups: dict[str, list[PictureResult]] = {}
    for name, result in zip(names, results, strict=True):
        groups.setdefault(name, []).append(result)
    return dict(sorted(groups.items()))


def _figures(
    groups: Mapping[str, Sequence[PictureResult]], judged: Mapping[str, int], seed: int
) -> dict[str, GroupFigures]:
    found = {name: _group_figures(results, judged, seed) for name, results in groups.items()}
    return {name: one for name, one in found.items() if one is not None}


def _group_figures(results: Sequence[PictureResult], judged: Mapping[str, int], seed: int) -> GroupFigures | None:
    matches = [match_class(results, class_id) for class_id in judged.values()]
    labelled = [one for one in matches if one.label_counts.any()]
    if not labelled:
        return None
    value = mean_average_precision(labelled, np.ones(len(results), dtype=np.int64))[0]
    spread = bootstrap(labelled, _RESAMPLE_COUNT, seed)[:, 0]
    label_count = sum(int(one.label_counts.sum()) for one in labelled)
    return GroupFigures(percentile_interval(value, spread), len(results), label_count, len(labelled))


def _thirds(results: Sequence[PictureResult]) -> tuple[float, float]:
    every = np.concatenate([areas(one.label_boxes_px) for one in results])
    low, high = np.quantile(every, (1 / 3, 2 / 3))
    return float(low), float(high)


def _of_size(result: PictureResult, least_px2: float, below_px2: float) -> PictureResult:
    """The labels of a size with the detections that are to be judged against them, as COCO ignores the others.

    A detection goes with the label of its class that it overlaps most; one that overlaps none, with its own size.
    """
    labels = _within(areas(result.label_boxes_px), least_px2, below_px2)
    own = _within(areas(result.boxes_px), least_px2, below_px2)
    overlaps = overlap_ratios(result.boxes_px, result.label_boxes_px)
    overlaps = np.where(result.class_ids[:, None] == result.label_class_ids[None], overlaps, 0.0)
    here, elsewhere = (_most(overlaps[:, chosen]) for chosen in (labels, ~labels))
    wanted = np.where(here >= _OVERLAP_RATIO, True, own & (elsewhere < _OVERLAP_RATIO))
    return kept(result, labels, wanted)


def _within(values: Floats, least: float, below: float) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = (values >= least) & (values < below)
    return inside


def _most(overlaps: Floats) -> Floats:
    most: Floats = overlaps.max(axis=1, initial=0.0)
    return most
