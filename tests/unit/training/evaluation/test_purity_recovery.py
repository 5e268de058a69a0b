"""Sorting figures of still pictures, on boxes few enough to be worked out by hand."""

from pathlib import Path

import numpy as np
import pytest

from training.evaluation.average_precision import PictureResult, picture_draws
from training.evaluation.examined_picture import ExaminedPicture
from training.evaluation.purity_recovery import SortingPoint, shots_of, sorting_figures

CAN, JUG = 0, 1


def picture(
    labels: list[tuple[int, tuple[float, ...]]], found: list[tuple[int, float, tuple[float, ...]]]
) -> ExaminedPicture:
    boxes_px = np.array([box for _, box in labels], dtype=np.float64).reshape(-1, 4)
    found_px = np.array([box for _, _, box in found], dtype=np.float64).reshape(-1, 4)
    result = PictureResult(
        boxes_px,
        np.array([class_id for class_id, _ in labels], dtype=np.int64),
        found_px,
        np.array([score for _, score, _ in found], dtype=np.float64),
        np.array([class_id for class_id, _, _ in found], dtype=np.int64),
    )
    return ExaminedPicture(Path("north_1.jpg"), "a/b", result, frozenset({CAN, JUG}))


def point(one: ExaminedPicture, probability: float) -> SortingPoint:
    shots = [shots_of(one, one.result.scores, CAN)]
    curve = sorting_figures(shots, 0.5, picture_draws(1, 5, 0)).curve
    return next(each for each in curve if each.probability == pytest.approx(probability))


HERE, THERE, NOWHERE = (0.0, 0.0, 40.0, 40.0), (100.0, 0.0, 140.0, 40.0), (0.0, 300.0, 40.0, 340.0)


def test_a_shot_at_each_can_takes_all_and_nothing_else() -> None:
    found = point(picture([(CAN, HERE), (JUG, THERE)], [(CAN, 0.9, HERE)]), 0.5)
    assert (found.recovery, found.purity, found.purity_counting_empty_shots) == (1.0, 1.0, 1.0)


def test_a_jug_called_a_can_halves_the_purity() -> None:
    found = point(picture([(CAN, HERE), (JUG, THERE)], [(CAN, 0.9, HERE), (CAN, 0.8, THERE)]), 0.5)
    assert (found.recovery, found.purity) == (1.0, 0.5)


def test_a_shot_at_nothing_spoils_only_the_purity_that_counts_empty_shots() -> None:
    found = point(picture([(CAN, HERE)], [(CAN, 0.9, HERE), (CAN, 0.8, NOWHERE)]), 0.5)
    assert (found.purity, found.purity_counting_empty_shots) == (1.0, 0.5)


def test_a_neighbour_in_the_middle_of_the_box_is_taken_along() -> None:
    neighbour = (25.0, 0.0, 35.0, 40.0)
    found = point(picture([(CAN, HERE), (JUG, neighbour)], [(CAN, 0.9, (0.0, 0.0, 44.0, 40.0))]), 0.5)
    assert (found.recovery, found.purity) == (1.0, 0.5)
    beside = point(picture([(CAN, HERE), (JUG, (40.0, 0.0, 50.0, 40.0))], [(CAN, 0.9, HERE)]), 0.5)
    assert beside.purity == 1.0


def test_below_the_probability_nothing_is_shot_and_purity_is_unknown() -> None:
    found = point(picture([(CAN, HERE)], [(CAN, 0.4, HERE)]), 0.5)
    assert (found.recovery, found.purity) == (0.0, None)


def test_recovery_never_rises_with_the_probability() -> None:
    rng = np.random.default_rng(3)
    boxes = [tuple(np.concatenate([low, low + 40])) for low in rng.uniform(0, 300, (12, 2))]
    one = picture([(CAN, box) for box in boxes], [(CAN, float(rng.random()), box) for box in boxes])
    curve = sorting_figures([shots_of(one, one.result.scores, CAN)], 0.5, picture_draws(1, 5, 0)).curve
    recoveries = [each.recovery for each in curve]
    assert recoveries == sorted(recoveries, reverse=True)
    assert recoveries[0] > recoveries[-1]


def test_a_class_that_is_not_there_has_no_recovery() -> None:
    one = picture([(JUG, HERE)], [])
    figures = sorting_figures([shots_of(one, one.result.scores, CAN)], 0.5, picture_draws(1, 5, 0))
    assert figures.recovery is None
    assert figures.purity is None
