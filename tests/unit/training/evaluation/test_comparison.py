"""Paired comparison: its difference is that of the two figures, and pairing is what makes its interval narrow."""

from collections.abc import Callable

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.evaluation.average_precision import PictureResult, bootstrap, match_class, mean_average_precision
from training.evaluation.comparison import Comparison, compare

Noisy = Callable[..., list[PictureResult]]
JUDGED = {"pet_clear": 0, "hdpe": 1, "can": 2}


def forgetful(results: list[PictureResult], class_id: int, kept_ratio: float = 0.5) -> list[PictureResult]:
    """The same results without a share of the detections of one class."""
    rng = np.random.default_rng(0)
    thinned = []
    for one in results:
        kept = (one.class_ids != class_id) | (rng.random(len(one.class_ids)) < kept_ratio)
        parts = {"boxes_px": one.boxes_px[kept], "scores": one.scores[kept], "class_ids": one.class_ids[kept]}
        thinned.append(msgspec.structs.replace(one, **parts))
    return thinned


def map50(results: list[PictureResult]) -> float:
    matches = [match_class(results, index) for index in JUDGED.values()]
    return mean_average_precision(matches, np.ones(len(results), dtype=np.int64))[0]


def width(comparison: Comparison) -> float:
    return comparison.map50.high - comparison.map50.low


def test_a_model_compared_with_itself_differs_by_nothing(noisy_results: Noisy) -> None:
    same = compare(noisy_results(1), noisy_results(1), JUDGED, seed=3, resample_count=50)
    for one in (same.map50, same.map50_95, *same.per_class.values()):
        assert (one.value, one.low, one.high) == (0.0, 0.0, 0.0)
        assert not one.is_clear


def test_the_difference_is_that_of_the_two_figures(noisy_results: Noisy) -> None:
    better, worse = noisy_results(1), forgetful(noisy_results(1), 1)
    found = compare(better, worse, JUDGED, seed=3, resample_count=100)
    assert found.map50.value == pytest.approx(map50(better) - map50(worse))
    assert found.picture_count == 12
    assert found.resample_count == 100


def test_a_model_that_forgets_one_class_is_clearly_worse_there_and_nowhere_else(noisy_results: Noisy) -> None:
    results = noisy_results(1, picture_count=40)
    found = compare(results, forgetful(results, 1, kept_ratio=0.2), JUDGED, seed=3, resample_count=200)
    assert found.per_class["hdpe"].is_clear
    assert found.per_class["hdpe"].low > 0.1
    assert found.map50.is_clear
    assert (found.per_class["can"].low, found.per_class["can"].high) == (0.0, 0.0)


def test_pairing_narrows_the_interval(noisy_results: Noisy) -> None:
    better, worse = noisy_results(1, picture_count=40), forgetful(noisy_results(1, picture_count=40), 1, 0.8)
    paired = compare(better, worse, JUDGED, seed=3, resample_count=200)
    alone = [bootstrap([match_class(side, index) for index in JUDGED.values()], 200, seed) for side, seed in
             ((better, 1), (worse, 2))]  # fmt: skip
    unpaired = np.subtract(*np.percentile(alone[0][:, 0] - alone[1][:, 0], [97.5, 2.5]))
    assert width(paired) < 0.7 * unpaired


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000))
def test_swapping_the_models_turns_every_sign(noisy_results: Noisy, seed: int) -> None:
    first, second = noisy_results(seed), forgetful(noisy_results(seed), seed % 3)
    there, back = compare(first, second, JUDGED, seed, 20), compare(second, first, JUDGED, seed, 20)
    assert there.map50.value == pytest.approx(-back.map50.value)
    assert there.map50.low == pytest.approx(-back.map50.high)
    assert there.per_class["can"].high == pytest.approx(-back.per_class["can"].low)


def test_the_seed_decides_the_interval(noisy_results: Noisy) -> None:
    results, worse = noisy_results(1), forgetful(noisy_results(1), 1)
    first, again, other = (compare(results, worse, JUDGED, seed, 30) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_a_class_without_labels_in_some_draws_still_has_an_interval(noisy_results: Noisy) -> None:
    rare = noisy_results(1, picture_count=6, class_count=2)
    rare[0] = msgspec.structs.replace(rare[0], label_class_ids=np.full(6, 2))
    found = compare(rare, forgetful(rare, 2), JUDGED, seed=1, resample_count=60)
    assert np.isfinite([found.per_class["can"].low, found.per_class["can"].high]).all()


def test_other_pictures_are_no_pairs(noisy_results: Noisy) -> None:
    with pytest.raises(ValueError, match="not judged on the same"):
        compare(noisy_results(1), noisy_results(2), JUDGED)
    with pytest.raises(ValueError, match="no class"):
        compare(noisy_results(1), noisy_results(1), {})
