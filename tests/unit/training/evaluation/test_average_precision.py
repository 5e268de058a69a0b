"""Average precision: known values for known detections, and agreement with pycocotools."""

import contextlib
import io
from collections.abc import Callable

import numpy as np
import pytest

from training.evaluation.average_precision import (
    PictureResult,
    average_precision,
    bootstrap,
    every_name,
    match_class,
    mean_average_precision,
)

Noisy = Callable[..., list[PictureResult]]
LABELS_PX = np.array([[10.0, 10, 50, 50], [60, 60, 100, 100]])


def result(boxes_px: np.ndarray, scores: list[float], labels_px: np.ndarray = LABELS_PX) -> PictureResult:
    labels = np.zeros(len(labels_px), dtype=np.int64)
    classes = np.zeros(len(boxes_px), dtype=np.int64)
    return PictureResult(labels_px, labels, boxes_px.reshape(-1, 4), np.array(scores, dtype=np.float64), classes)


def means(results: list[PictureResult]) -> tuple[float, float]:
    return mean_average_precision([match_class(results, 0)], np.ones(len(results), dtype=np.int64))


def test_perfect_detections_score_one() -> None:
    assert means([result(LABELS_PX, [0.9, 0.8])]) == (1.0, 1.0)


def test_no_detections_score_zero() -> None:
    assert means([result(np.zeros((0, 4)), [])]) == (0.0, 0.0)


def test_a_shift_costs_the_thresholds_above_its_overlap() -> None:
    # 40 px boxes shifted by 8 px overlap by 32/48 = 0.667: hits at 0.50, 0.55, 0.60 and 0.65 of the ten thresholds.
    map50, map50_95 = means([result(LABELS_PX + np.array([8, 0, 8, 0]), [0.9, 0.8])])
    assert map50 == 1.0
    assert map50_95 == pytest.approx(0.4)


def test_a_false_detection_in_front_halves_the_precision_of_one_label() -> None:
    boxes_px = np.array([[200.0, 200, 240, 240], [10, 10, 50, 50]])
    assert means([result(boxes_px, [0.9, 0.5], LABELS_PX[:1])])[0] == pytest.approx(0.5)


def test_a_label_is_claimed_once() -> None:
    boxes_px = np.repeat(LABELS_PX[:1], 2, axis=0)
    hits = match_class([result(boxes_px, [0.9, 0.8], LABELS_PX[:1])], 0).hits[0]
    assert hits.tolist() == [True, False]


def test_a_class_without_labels_has_no_average_precision() -> None:
    matches = match_class([result(LABELS_PX, [0.9, 0.8])], 1)
    assert np.isnan(average_precision(matches, np.ones(1, dtype=np.int64))).all()


def by_pycocotools(results: list[PictureResult], class_count: int) -> tuple[float, float]:
    coco = pytest.importorskip("pycocotools.coco")
    cocoeval = pytest.importorskip("pycocotools.cocoeval")

    def xywh(box: np.ndarray) -> list[float]:
        return [box[0], box[1], box[2] - box[0], box[3] - box[1]]

    annotations = [
        {"image_id": picture, "category_id": int(class_id), "bbox": xywh(box), "iscrowd": 0,
         "area": float((box[2] - box[0]) * (box[3] - box[1]))}
        for picture, one in enumerate(results)
        for box, class_id in zip(one.label_boxes_px, one.label_class_ids, strict=True)
    ]  # fmt: skip
    found = [
        {"image_id": picture, "category_id": int(class_id), "bbox": xywh(box), "score": float(score)}
        for picture, one in enumerate(results)
        for box, score, class_id in zip(one.boxes_px, one.scores, one.class_ids, strict=True)
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        truth = coco.COCO()
        truth.dataset = {
            "images": [{"id": index} for index in range(len(results))],
            "categories": [{"id": index} for index in range(class_count)],
            "annotations": [{**one, "id": index + 1} for index, one in enumerate(annotations)],
        }
        truth.createIndex()
        judge = cocoeval.COCOeval(truth, truth.loadRes(found), "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return float(judge.stats[1]), float(judge.stats[0])


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_pycocotools(seed: int, noisy_results: Noisy) -> None:
    results = noisy_results(seed)
    every = [match_class(results, class_id) for class_id in range(3)]
    ours = mean_average_precision(every, np.ones(len(results), dtype=np.int64))
    assert ours == pytest.approx(by_pycocotools(results, 3), abs=1e-9)


def test_the_interval_holds_the_value_and_the_seed_decides_it(noisy_results: Noisy) -> None:
    results = noisy_results(7)
    every = [match_class(results, class_id) for class_id in range(3)]
    value = mean_average_precision(every, np.ones(len(results), dtype=np.int64))[0]
    draws = bootstrap(every, 200, seed=1)
    low, high = np.percentile(draws[:, 0], [2.5, 97.5])
    assert low < value < high
    assert np.array_equal(draws, bootstrap(every, 200, seed=1))


def test_a_picture_drawn_twice_counts_as_two_pictures(noisy_results: Noisy) -> None:
    results = noisy_results(3, picture_count=2)
    twice = average_precision(match_class(results, 0), np.array([2, 0]))
    alone = average_precision(match_class(results[:1], 0), np.array([1]))
    assert np.allclose(twice, alone, equal_nan=True)


def test_a_box_counts_for_every_class_it_may_be_of() -> None:
    probs = np.array([[0.6, 0.3, 0.0], [0.2, 0.7, 0.0005]])
    one = PictureResult(LABELS_PX[:2], np.array([1, 1]), LABELS_PX[:2], probs.max(1), probs.argmax(1), probs)
    named = every_name(one)
    assert sorted(zip(named.class_ids.tolist(), named.scores.tolist(), strict=True)) == [
        (0, 0.2), (0, 0.6), (1, 0.3), (1, 0.7),
    ]  # fmt: skip
    once = np.ones(1, dtype=np.int64)
    assert average_precision(match_class([named], 1), once)[0] == pytest.approx(1.0)
    assert average_precision(match_class([one], 1), once)[0] < 0.6


def test_a_model_with_one_name_a_box_stays_as_it_is() -> None:
    only = result(LABELS_PX, [0.9, 0.8])
    assert every_name(only) is only
