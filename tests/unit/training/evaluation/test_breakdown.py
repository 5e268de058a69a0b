"""Figures by part: parts are what names and areas say, and a whole that is one part is the whole."""

import contextlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training.evaluation.average_precision import PictureResult, match_class, mean_average_precision
from training.evaluation.breakdown import SIZES, breakdown_of
from training.evaluation.examined_picture import ExaminedPicture

JUDGED = {"pet_clear": 0, "hdpe": 1, "can": 2}
Noisy = Callable[..., list[PictureResult]]


def pictures(results: list[PictureResult], names: list[str], source: str = "a/b") -> list[ExaminedPicture]:
    known = frozenset(JUDGED.values())
    return [ExaminedPicture(Path(f"{name}.jpg"), source, one, known) for name, one in zip(names, results, strict=True)]


@pytest.mark.parametrize(
    ("name", "camera"),
    [
        ("POSAD_1_11-Sep_08-21-18", "POSAD_1"),
        ("prepared_data_all_MGS-05-Nov_02-03-19", "prepared_data_all_MGS"),
        ("Monitoring_photo2_03-Mar_23-33-36", "Monitoring_photo2"),
        ("line3_2026-03-04T10_15", "line3"),
        ("line3-20260304-101500", "line3"),
        ("belt_007", "belt"),
        ("20260304_101500", "unnamed"),
    ],
)
def test_a_camera_is_named_by_what_comes_before_the_date(name: str, camera: str) -> None:
    empty = PictureResult(np.zeros((0, 4)), np.zeros(0, int), np.zeros((0, 4)), np.zeros(0), np.zeros(0, int))
    assert ExaminedPicture(Path(f"{name}.jpg"), "a/b", empty, frozenset()).camera == camera


def test_pictures_are_parted_by_camera_and_source(noisy_results: Noisy) -> None:
    names = [f"{'north' if index < 4 else 'south'}_{index:03d}" for index in range(12)]
    found = breakdown_of(pictures(noisy_results(1), names), JUDGED, seed=0)
    assert {name: one.picture_count for name, one in found.camera.items()} == {"north": 4, "south": 8}
    assert list(found.source) == ["a/b"]
    assert sum(one.label_count for one in found.camera.values()) == 12 * 6


def test_one_camera_is_the_whole(noisy_results: Noisy) -> None:
    results = noisy_results(1)
    found = breakdown_of(pictures(results, ["north_1"] * 12), JUDGED, seed=0)
    matches = [match_class(results, class_id) for class_id in JUDGED.values()]
    assert found.camera["north"].map50.value == mean_average_precision(matches, np.ones(12, dtype=np.int64))[0]
    assert found.camera["north"].map50.low <= found.camera["north"].map50.value <= found.camera["north"].map50.high


def test_sizes_are_thirds_of_the_labels(noisy_results: Noisy) -> None:
    found = breakdown_of(pictures(noisy_results(1), ["north_1"] * 12), JUDGED, seed=0)
    assert {name: one.label_count for name, one in found.size.items()} == dict.fromkeys(SIZES, 24)
    assert found.size_limits_px[0] < found.size_limits_px[1]


def test_what_happens_to_large_items_says_nothing_of_small_ones(noisy_results: Noisy) -> None:
    results = noisy_results(1)
    spoiled = []
    for one in results:
        sides = one.boxes_px[:, 2:] - one.boxes_px[:, :2]
        few = sides.prod(axis=1) < 75.0**2
        spoiled.append(PictureResult(
            one.label_boxes_px, one.label_class_ids, one.boxes_px[few], one.scores[few], one.class_ids[few]
        ))  # fmt: skip
    before, after = (breakdown_of(pictures(each, ["n_1"] * 12), JUDGED, seed=0).size for each in (results, spoiled))
    assert after["small"].map50.value == before["small"].map50.value
    assert after["large"].map50.value < before["large"].map50.value / 2


def test_a_camera_without_labels_has_no_row(noisy_results: Noisy) -> None:
    results = noisy_results(1, picture_count=2)
    bare = PictureResult(np.zeros((0, 4)), np.zeros(0, int), *(
        getattr(results[1], part) for part in ("boxes_px", "scores", "class_ids")))  # fmt: skip
    found = breakdown_of(pictures([results[0], bare], ["north_1", "south_1"]), JUDGED, seed=0)
    assert list(found.camera) == ["north"]


@pytest.mark.parametrize("seed", range(4))
def test_figures_by_size_come_close_to_those_of_pycocotools(seed: int, noisy_results: Noisy) -> None:
    """COCO decides anew at each overlap what to set aside; ours are set aside once, so a few detections differ."""
    results = noisy_results(seed, picture_count=30)
    found = breakdown_of(pictures(results, ["n_1"] * 30), JUDGED, seed=0)
    low_px, high_px = found.size_limits_px
    edges = (0.0, low_px**2, high_px**2, 1e9)
    for place, name in enumerate(SIZES):
        theirs = map50_by_pycocotools(results, edges[place], edges[place + 1])
        assert found.size[name].map50.value == pytest.approx(theirs, abs=0.03)


def map50_by_pycocotools(results: list[PictureResult], least_px2: float, below_px2: float) -> float:
    coco, cocoeval = (pytest.importorskip(f"pycocotools.{name}") for name in ("coco", "cocoeval"))

    def entries(boxes_px: np.ndarray, class_ids: np.ndarray, picture: int) -> list[dict[str, Any]]:
        return [
            {"image_id": picture, "category_id": int(class_id), "bbox": [x0, y0, x1 - x0, y1 - y0], "iscrowd": 0,
             "area": (x1 - x0) * (y1 - y0)}
            for (x0, y0, x1, y1), class_id in zip(boxes_px.tolist(), class_ids, strict=True)
        ]  # fmt: skip

    labels = [
        one for index, each in enumerate(results) for one in entries(each.label_boxes_px, each.label_class_ids, index)
    ]
    found = [one for index, each in enumerate(results) for one in entries(each.boxes_px, each.class_ids, index)]
    scores = np.concatenate([each.scores for each in results])
    with contextlib.redirect_stdout(io.StringIO()):
        truth = coco.COCO()
        truth.dataset = {
            "images": [{"id": index} for index in range(len(results))],
            "categories": [{"id": index} for index in JUDGED.values()],
            "annotations": [{**one, "id": index + 1} for index, one in enumerate(labels)],
        }
        truth.createIndex()
        guesses = truth.loadRes([{**one, "score": float(score)} for one, score in zip(found, scores, strict=True)])
        judge = cocoeval.COCOeval(truth, guesses, "bbox")
        judge.params.areaRng, judge.params.areaRngLbl = [[least_px2, below_px2]], ["this"]
        judge.evaluate()
        judge.accumulate()
    precision = judge.eval["precision"][0, :, :, 0, -1]
    return float(precision[:, (precision > -1).all(axis=0)].mean())
