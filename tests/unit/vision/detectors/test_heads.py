"""Both head forms: what is thrown away, what is kept, and in which order."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from sorter.model.settings import DetectorSettings
from vision.detectors.heads import decode_end_to_end, decode_raw

SETTINGS = DetectorSettings(score_threshold=0.25, nms_iou_ratio=0.5, max_detections=10)


def raw(*columns: tuple[float, ...]) -> NDArray[np.float32]:
    return np.array(columns, np.float32).T[None]


def test_of_overlapping_boxes_the_best_stays_whatever_its_class() -> None:
    output = raw((50, 50, 20, 40, 0.6, 0.1), (52, 50, 20, 40, 0.2, 0.9), (150, 50, 20, 40, 0.3, 0.0))
    found = decode_raw(output, SETTINGS)
    assert np.allclose(found.boxes, [[42, 30, 62, 70], [140, 30, 160, 70]])
    assert np.allclose(found.class_probs, [[0.2, 0.9], [0.3, 0.0]])


def test_nothing_above_the_threshold_gives_empty_arrays() -> None:
    for found in (
        decode_raw(raw((50, 50, 20, 40, 0.2, 0.1)), SETTINGS),
        decode_end_to_end(np.array([[[0, 0, 9, 9, 0.1, 1]]], np.float32), 2, SETTINGS),
    ):
        assert found.boxes.shape == (0, 4)
        assert found.class_probs.shape == (0, 2)


def test_an_end_to_end_row_names_one_class() -> None:
    output = np.array([[[0, 0, 9, 9, 0.4, 2], [1, 1, 5, 5, 0.8, 0], [2, 2, 3, 3, 0.1, 1]]], np.float32)
    found = decode_end_to_end(output, 3, SETTINGS)
    assert np.allclose(found.boxes, [[1, 1, 5, 5], [0, 0, 9, 9]])
    assert np.allclose(found.class_probs, [[0.8, 0, 0], [0, 0, 0.4]])


@given(hnp.arrays(np.float32, (6, 40), elements=st.floats(0, 1, width=32)))
def test_what_is_kept_of_a_raw_head_is_sure_apart_ordered_and_bounded(values: NDArray[np.float32]) -> None:
    values[:2] *= 100
    values[2:4] = values[2:4] * 30 + 1
    found = decode_raw(values[None], SETTINGS)
    best = found.class_probs.max(axis=1)
    assert len(best) <= SETTINGS.max_detections
    assert (best >= SETTINGS.score_threshold).all()
    assert (np.diff(best) <= 0).all()
    overlaps = overlap_ratios(found.boxes)
    np.fill_diagonal(overlaps, 0)
    assert len(best) == 0 or overlaps.max() <= SETTINGS.nms_iou_ratio + 1e-4


def test_many_boxes_on_one_item_push_no_other_item_out() -> None:
    crowd = [(50 + index / 10, 50, 20, 40, 0.9, 0.0) for index in range(3 * SETTINGS.max_detections)]
    found = decode_raw(raw(*crowd, (150, 50, 20, 40, 0.5, 0.0)), SETTINGS)
    assert np.allclose(found.class_probs[:, 0], [0.9, 0.5])


def overlap_ratios(boxes: NDArray[np.float32]) -> NDArray[np.float64]:
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    inside = np.clip(high - low, 0, None).prod(axis=2)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return np.asarray(inside / (areas[:, None] + areas[None] - inside), np.float64)
