"""The known belt: as many items in view as asked for, none in another, each where its number says."""

import numpy as np
import pytest

from sorter.model.belt import CameraView
from training.benchmarks.course import Course, lay_course
from training.benchmarks.footage import HEIGHT_PX, STEP_MM, WIDTH_PX, bench_settings

SETTINGS = bench_settings()


def course_of(item_count: int, noise_px: float = 0.0, seed: int = 1) -> Course:
    return lay_course(SETTINGS, item_count, 60, step_mm=STEP_MM, noise_px=noise_px, seed=seed)


@pytest.mark.parametrize("item_count", [5, 20, 30, 80])
def test_as_many_items_are_in_view_on_the_average_as_asked_for(item_count: int) -> None:
    found = float(np.mean([len(ids) for ids in course_of(item_count).item_ids]))
    assert found == pytest.approx(item_count, rel=0.15)


def test_no_item_lies_in_another() -> None:
    for detections in course_of(30).detections:
        boxes = detections.boxes_px
        low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
        high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
        shared = (high - low).clip(0.0).prod(axis=2)
        np.fill_diagonal(shared, 0.0)
        assert shared.max() < 1.0


def test_an_item_lies_still_on_the_belt_while_the_camera_passes() -> None:
    view, course = CameraView(SETTINGS.camera), course_of(20)
    places: dict[int, list[float]] = {}
    for detections, ids, travel_um in zip(course.detections, course.item_ids, course.travels_um, strict=True):
        boxes_um = view.boxes_to_belt_um(detections.boxes_px, travel_um)
        for item_id, x_low_um in zip(ids.tolist(), boxes_um[:, 0].tolist(), strict=True):
            places.setdefault(item_id, []).append(x_low_um)
    assert max(len(seen) for seen in places.values()) > 10
    assert all(max(seen) - min(seen) < 1000.0 for seen in places.values())


def test_boxes_stay_in_the_picture_however_unsteady() -> None:
    limits = np.array([WIDTH_PX, HEIGHT_PX, WIDTH_PX, HEIGHT_PX])
    for detections in course_of(30, noise_px=20.0).detections:
        assert (detections.boxes_px >= 0).all()
        assert (detections.boxes_px <= limits).all()


def test_a_seed_lays_one_belt() -> None:
    one, again, other = course_of(20, 1.0), course_of(20, 1.0), course_of(20, 1.0, seed=2)
    assert all(np.array_equal(a.boxes_px, b.boxes_px) for a, b in zip(one.detections, again.detections, strict=True))
    assert not np.array_equal(one.detections[5].boxes_px, other.detections[5].boxes_px)
