"""The figures of an evaluation agree with what is compared and parted beside them."""

from pathlib import Path

import numpy as np
import pytest

from training.evaluation.average_precision import PictureResult, mean_average_precision
from training.evaluation.examined_picture import ExaminedPicture
from training.evaluation.measurement import measured

CLASSES = ("can", "hdpe", "residue")


def picture(best: list[str], seed: int) -> ExaminedPicture:
    """Four labels, cans and hdpe in turn, each found; `best` are the likeliest names, the right one comes second."""
    boxes_px = np.array([[60.0 * place, 0.0, 60.0 * place + 50, 50.0] for place in range(4)])
    labels = np.array([0, 1, 0, 1])
    probs = np.full((4, len(CLASSES)), 0.01)
    probs[np.arange(4), labels] = np.random.default_rng(seed).uniform(0.3, 0.5, 4)
    names = np.array([CLASSES.index(name) for name in best])
    probs[np.arange(4), names] = 0.9
    result = PictureResult(boxes_px, labels, boxes_px, probs.max(axis=1), names, probs)
    return ExaminedPicture(Path(f"belt_{seed}.png"), "site/val", result, frozenset({0, 1}))


def test_a_box_likeliest_of_a_class_that_is_not_labelled_counts_for_the_others_that_it_may_be_of() -> None:
    pictures = [picture(["can", "residue", "can", "residue"], seed) for seed in range(6)]
    found = measured(pictures, CLASSES, {})
    assert found.figures.per_class["hdpe"].ap50 == pytest.approx(1.0)
    assert found.figures.per_class["hdpe"].recall == 0.0  # by its likeliest name
    once = np.ones(len(pictures), dtype=np.int64)
    assert found.figures.map50.value == pytest.approx(mean_average_precision(list(found.matches.values()), once)[0])
