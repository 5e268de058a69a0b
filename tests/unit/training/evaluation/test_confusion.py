"""The confusion matrix: every item is in exactly one cell of its row, and every false detection in the last row."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from training.evaluation.average_precision import PictureResult
from training.evaluation.confusion import confusion_of
from training.evaluation.examined_picture import ExaminedPicture

JUDGED = {"can": 0, "hdpe": 1}
Noisy = Callable[..., list[PictureResult]]
HERE, THERE = (0.0, 0.0, 40.0, 40.0), (100.0, 0.0, 140.0, 40.0)


def matrix(labels: list[tuple[int, tuple[float, ...]]], found: list[tuple[int, float, tuple[float, ...]]],
           known: frozenset[int] = frozenset({0, 1})) -> list[list[int]]:  # fmt: skip
    result = PictureResult(
        np.array([box for _, box in labels], dtype=np.float64).reshape(-1, 4),
        np.array([class_id for class_id, _ in labels], dtype=np.int64),
        np.array([box for _, _, box in found], dtype=np.float64).reshape(-1, 4),
        np.array([score for _, score, _ in found], dtype=np.float64),
        np.array([class_id for class_id, _, _ in found], dtype=np.int64),
    )
    picture = ExaminedPicture(Path("a.jpg"), "a/b", result, known)
    return confusion_of([picture], [result.scores], JUDGED, 0.5).counts


def test_rows_are_what_it_is_and_columns_what_it_was_called() -> None:
    #                                          can hdpe other missed
    assert matrix([(0, HERE)], [(0, 0.9, HERE)]) == [[1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert matrix([(0, HERE)], [(1, 0.9, HERE)]) == [[0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert matrix([(1, HERE)], [(7, 0.9, HERE)]) == [[0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]]
    assert matrix([(1, HERE)], [(0, 0.9, THERE)]) == [[0, 0, 0, 0], [0, 0, 0, 1], [1, 0, 0, 0]]


def test_the_surer_of_two_names_counts_and_the_other_has_nothing_left() -> None:
    assert matrix([(0, HERE)], [(1, 0.6, HERE), (0, 0.9, HERE)])[0] == [1, 0, 0, 0]


def test_what_is_not_sure_is_missed() -> None:
    assert matrix([(0, HERE)], [(0, 0.4, HERE)])[0] == [0, 0, 0, 1]


def test_a_class_that_nobody_labelled_here_is_no_false_alarm() -> None:
    assert matrix([], [(7, 0.9, HERE)]) == [[0] * 4] * 3
    assert matrix([], [(1, 0.9, HERE)], known=frozenset({0})) == [[0] * 4] * 3


@pytest.mark.parametrize("seed", range(3))
def test_each_row_adds_up_to_the_labels_of_its_class(seed: int, noisy_results: Noisy) -> None:
    results = noisy_results(seed, class_count=2)
    pictures = [ExaminedPicture(Path("a.jpg"), "a/b", one, frozenset({0, 1})) for one in results]
    counts = confusion_of(pictures, [one.scores for one in results], JUDGED, 0.5).counts
    labels = np.concatenate([one.label_class_ids for one in results])
    assert [sum(row) for row in counts[:2]] == np.bincount(labels, minlength=2).tolist()
