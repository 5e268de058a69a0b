"""The oracle: the world's truth at the true travel, and errors that repeat."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sorter.model.belt import CameraView
from sorter.model.drive import BeltDrive
from sorter.model.settings import Settings
from sorter.model.world import ScatteredWorld
from sorter.runtime.configuration import settings_from
from vision.detectors import open_detector
from vision.frame import Detections, Frame

EPOCH_NS = 3_000_000_000
IMAGE = np.zeros((640, 640, 3), np.uint8)


def settings_for(**oracle: float) -> Settings:
    tables: dict[str, Any] = {"detector": {"runtime": "oracle", "oracle": oracle}, "belt": {"speed_m_s": 2.0}}
    return settings_from(tables)


def frame_at(frame_id: int) -> Frame:
    """Frame k at k / 60 s, with a travel that was measured quite wrong."""
    return Frame(frame_id, EPOCH_NS + frame_id * 16_666_667, 123_456_789, IMAGE)


def detect(frame_id: int, **oracle: float) -> Detections:
    return open_detector(settings_for(**oracle), EPOCH_NS).detect(frame_at(frame_id))


def many(count: int, **oracle: float) -> list[Detections]:
    detector = open_detector(settings_for(**oracle), EPOCH_NS)
    return [detector.detect(frame_at(frame_id)) for frame_id in range(0, 7 * count, 7)]


@given(frame_id=st.integers(0, 50_000))
def test_boxes_lie_on_the_items_at_the_true_travel(frame_id: int) -> None:
    settings = settings_for()
    found = detect(frame_id)
    travel_um = BeltDrive(settings.belt).travel_um_at(frame_id * 16_666_667)
    boxes_um = CameraView(settings.camera).boxes_to_belt_um(found.boxes_px, travel_um)
    items = ScatteredWorld(settings).items_between(travel_um - 1_000_000, travel_um + 2_000_000)
    names = found.class_probs.argmax(axis=1)
    expected = 0
    for item in items:
        low, high = item.belt_um - item.length_um / 2, item.belt_um + item.length_um / 2
        seen_low, seen_high = max(low, travel_um), min(high, travel_um + 787_500)
        if seen_high - seen_low < 0.25 * item.length_um:
            continue
        expected += 1
        box_um = [item.x_um - item.width_um / 2, seen_low, item.x_um + item.width_um / 2, seen_high]
        errors_um = np.abs(boxes_um - box_um).max(axis=1)
        assert errors_um.min() < 200  # float32 pixels
        assert names[errors_um.argmin()] == item.class_id
    assert len(found.boxes_px) == expected


def test_it_is_nearly_sure_of_its_class() -> None:
    probs = np.concatenate([found.class_probs for found in many(30)])
    assert len(probs) > 30
    assert np.allclose(probs.max(axis=1), 0.97)
    assert np.allclose(probs.sum(axis=1), 1.0)


def test_misses_and_confusions_come_as_often_as_asked() -> None:
    truth, missed, confused = many(300), many(300, miss_ratio=0.3), many(300, confusion_ratio=0.2)
    true_count, seen_count = (sum(len(found.boxes_px) for found in frames) for frames in (truth, missed))
    assert 0.65 < seen_count / true_count < 0.75
    wrong_count = sum(
        int((a.class_probs.argmax(axis=1) != b.class_probs.argmax(axis=1)).sum())
        for a, b in zip(truth, confused, strict=True)
    )
    assert 0.15 < wrong_count / true_count < 0.25


def test_box_noise_has_the_size_asked_for_and_stays_in_the_picture() -> None:
    truth, noisy = many(300), many(300, box_noise_mm=12.0)
    shifts = [
        (b.boxes_px - a.boxes_px)[:, 0] for a, b in zip(truth, noisy, strict=True) if len(a.boxes_px) == len(b.boxes_px)
    ]
    across_mm = np.concatenate(shifts) * 1400 / 640
    assert 10.5 < across_mm.std() < 13.5
    assert abs(across_mm.mean()) < 2
    boxes_px = np.concatenate([found.boxes_px for found in noisy])
    assert boxes_px.min() >= 0
    assert boxes_px.max() <= 640


def test_errors_follow_from_frame_and_item_alone() -> None:
    detector = open_detector(settings_for(miss_ratio=0.3, confusion_ratio=0.3, box_noise_mm=8.0), EPOCH_NS)
    forward = [detector.detect(frame_at(frame_id)) for frame_id in range(50, 60)]
    backward = [detector.detect(frame_at(frame_id)) for frame_id in reversed(range(50, 60))]
    for first, second in zip(forward, reversed(backward), strict=True):
        assert np.array_equal(first.boxes_px, second.boxes_px)
        assert np.array_equal(first.class_probs, second.class_probs)
