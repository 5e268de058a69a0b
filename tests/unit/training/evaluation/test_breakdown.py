"""Figures by part: parts are what names and areas say, and a whole that is one part is the whole."""

from collections.abc import Callable
from pathlib import Path

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
