"""Every figure of an evaluation from its examined pictures, whoever made the detections."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from sorter.runtime.bundle import ClassCalibration
from training.evaluation.average_precision import (
    ClassMatches,
    Floats,
    match_class,
    picture_draws,
    precision_at_recalls,
)
from training.evaluation.breakdown import Breakdown, breakdown_of
from training.evaluation.confusion import Confusion, confusion_of
from training.evaluation.evaluate import OPERATING_PROBABILITY, RESAMPLE_COUNT, Figures, figures_of
from training.evaluation.examined_picture import ExaminedPicture, judged_in
from training.evaluation.purity_recovery import Shots, SortingFigures, shots_of, sorting_figures
from training.release.calibrate import calibrated


class Measured(msgspec.Struct, frozen=True):
    """The figures, and what further comparisons need."""

    figures: Figures
    curves: dict[str, list[float]]
    confusion: Confusion
    breakdown: Breakdown
    sorting: dict[str, SortingFigures]
    judged: dict[str, int]
    matches: dict[str, ClassMatches]


def measured(
    pictures: Sequence[ExaminedPicture],
    class_names: Sequence[str],
    calibration: Mapping[str, ClassCalibration],
    seed: int = 0,
) -> Measured:
    """Judge what was found in the pictures.

    Raises:
        DataFolderError: if no class is labelled exhaustively and present.
    """
    judged = judged_in(pictures, class_names)
    results = [picture.judged_result for picture in pictures]
    named = [picture.judged_names for picture in pictures]
    matches = {name: match_class(named, class_id) for name, class_id in judged.items()}
    probabilities = [probabilities_of(picture, class_names, calibration) for picture in pictures]
    return Measured(
        figures=figures_of(results, judged, calibration, seed, matches),
        curves={name: _curve(one) for name, one in matches.items()},
        confusion=confusion_of(pictures, probabilities, judged, OPERATING_PROBABILITY),
        breakdown=breakdown_of(pictures, judged, seed),
        sorting=_sorting(pictures, probabilities, judged, seed),
        judged=judged,
        matches=matches,
    )


def probabilities_of(
    picture: ExaminedPicture, class_names: Sequence[str], calibration: Mapping[str, ClassCalibration]
) -> Floats:
    """Calibrated probability of each detection of a picture, (D,)."""
    result = picture.result
    probabilities = result.scores.copy()
    for class_id in np.unique(result.class_ids):
        chosen = result.class_ids == class_id
        of_class = calibration.get(class_names[class_id], ClassCalibration())
        probabilities[chosen] = calibrated(result.scores[chosen], of_class)
    return probabilities


def _curve(matches: ClassMatches) -> list[float]:
    once = np.ones(len(matches.label_counts), dtype=np.int64)
    return [round(float(one), 4) for one in precision_at_recalls(matches, once)[0]]


def _sorting(
    pictures: Sequence[ExaminedPicture], probabilities: Sequence[Floats], judged: Mapping[str, int], seed: int
) -> dict[str, SortingFigures]:
    draws = picture_draws(len(pictures), RESAMPLE_COUNT, seed)
    pairs = list(zip(pictures, probabilities, strict=True))
    shots = {name: [_shots(picture, chances, one) for picture, chances in pairs] for name, one in judged.items()}
    return {name: sorting_figures(one, OPERATING_PROBABILITY, draws) for name, one in shots.items()}


def _shots(picture: ExaminedPicture, probabilities: Floats, class_id: int) -> Shots:
    if class_id not in picture.known_class_ids:
        return Shots(np.zeros(0), np.zeros(0, dtype=np.bool_), np.zeros(0))
    return shots_of(picture, probabilities, class_id)
