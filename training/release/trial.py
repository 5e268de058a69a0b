"""Measuring a challenger, and the champion beside it, on the frozen site set, as the line would run them."""

from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from sorter.model.settings import DetectorSettings
from sorter.runtime.bundle import ClassCalibration, lighter_of, load_bundle
from sorter.runtime.labelled_folder import read_labelled_folder
from training.evaluation.average_precision import ClassMatches, average_precision, match_class, picture_draws
from training.evaluation.comparison import RESAMPLE_COUNT, Comparison, Difference, compare_matches
from training.evaluation.evaluate import OPERATING_PROBABILITY
from training.evaluation.examination import Examination, examine_bundle
from training.evaluation.examined_picture import judged_in
from training.evaluation.interval import percentile_interval
from training.release.calibrate import calibrated
from training.release.promotion import Contest, Scores, Trial
from training.release.site_set import site_set_sha256

_SEED = 0


class _Showing(msgspec.Struct, frozen=True):
    """What one model did on the site set.

    `named` (P, 3) counts, picture by picture: labels hit, detections and labels at the operating probability.
    """

    examination: Examination
    matches: dict[str, ClassMatches]
    named: NDArray[np.int64]


def hold_trial(challenger: Path, champion: Path | None, data: Path, detector: DetectorSettings) -> Trial:
    """Measure a challenger on a site set, and its difference from the champion.

    Args:
        challenger: folder of its bundle.
        champion: folder of the champion's; None if there is none yet.
        data: labelled folder.
        detector: runtime and precision of the line, and whether it always runs the lighter model of a bundle.

    Raises:
        BundleError: if a bundle cannot be used.
        DataFolderError: if the folder cannot be read, or labels nothing exhaustively.
    """
    site_set = read_labelled_folder(data, load_bundle(challenger).manifest.classes)
    sha256 = site_set_sha256(site_set)
    ours = _show(challenger, data, detector)
    theirs = None if champion is None else _show(champion, data, detector)
    return Trial(
        challenger_id=ours.examination.model_id,
        challenger=_scores(ours),
        contest=None if theirs is None else _contest(ours, theirs),
        site_set_sha256=sha256,
        picture_count=len(ours.examination.pictures),
        label_counts={name: int(one.label_counts.sum()) for name, one in ours.matches.items()},
        runtime=ours.examination.runtime,
        precision=ours.examination.precision,
    )


def _show(bundle: Path, data: Path, detector: DetectorSettings) -> _Showing:
    runtime = "openvino" if detector.runtime == "oracle" else detector.runtime
    lighter = lighter_of(load_bundle(bundle)) if detector.lighter == "always" else None
    folder = bundle if lighter is None else lighter.folder
    examination = examine_bundle(folder, [data], runtime, detector.precision)
    judged = judged_in(examination.pictures, examination.model.classes)
    results = [picture.judged_result for picture in examination.pictures]
    named = [picture.judged_names for picture in examination.pictures]
    matches = {name: match_class(named, class_id) for name, class_id in judged.items()}
    likeliest = {name: match_class(results, class_id) for name, class_id in judged.items()}
    return _Showing(examination, matches, named_counts(likeliest, examination.calibration))


def named_counts(matches: Mapping[str, ClassMatches], calibration: Mapping[str, ClassCalibration]) -> NDArray[np.int64]:
    """(P, 3): labels hit, detections and labels of all classes in each picture, at the operating probability."""
    counts = [_named(one, calibration.get(name, ClassCalibration())) for name, one in matches.items()]
    total: NDArray[np.int64] = np.sum(counts, axis=0)
    return total


def _named(matches: ClassMatches, calibration: ClassCalibration) -> NDArray[np.int64]:
    picture_count = len(matches.label_counts)
    sure = calibrated(matches.scores, calibration) >= OPERATING_PROBABILITY
    hit_count = np.bincount(matches.pictures[sure & matches.hits[0]], minlength=picture_count)
    named_count = np.bincount(matches.pictures[sure], minlength=picture_count)
    return np.column_stack([hit_count, named_count, matches.label_counts])


def f1_ratios(named: NDArray[np.int64], draws: NDArray[np.int64]) -> NDArray[np.float64]:
    """F1 in each draw of pictures (R, P): twice the hits over detections and labels; 0 where there is neither."""
    hit_count, named_count, label_count = (draws @ named).T
    ratios: NDArray[np.float64] = 2 * hit_count / np.maximum(named_count + label_count, 1)
    return ratios


def _contest(ours: _Showing, theirs: _Showing) -> Contest:
    comparison: Comparison = compare_matches(ours.matches, theirs.matches, _SEED)
    return Contest(
        champion_id=theirs.examination.model_id,
        champion=_scores(theirs),
        map50=comparison.map50,
        f1=_f1_difference(ours.named, theirs.named),
        ap50=comparison.per_class,
    )


def _f1_difference(ours: NDArray[np.int64], theirs: NDArray[np.int64]) -> Difference:
    draws = picture_draws(len(ours), RESAMPLE_COUNT, _SEED)
    once = np.ones((1, len(ours)), dtype=np.int64)
    value = float((f1_ratios(ours, once) - f1_ratios(theirs, once))[0])
    interval = percentile_interval(value, f1_ratios(ours, draws) - f1_ratios(theirs, draws))
    return Difference(interval.value, interval.low, interval.high)


def _scores(showing: _Showing) -> Scores:
    once = np.ones(len(showing.named), dtype=np.int64)
    ap50 = {name: float(average_precision(one, once)[0]) for name, one in showing.matches.items()}
    f1 = float(f1_ratios(showing.named, once[None, :])[0])
    return Scores(float(np.mean(list(ap50.values()))), f1, ap50)
