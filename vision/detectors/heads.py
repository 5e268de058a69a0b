"""What comes out of a network as boxes and class scores, for both forms a bundle may have; pure functions of arrays."""

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from sorter.model.settings import DetectorSettings


class Candidates(msgspec.Struct, frozen=True, eq=False):
    """Boxes in input pixels, (N, 4) float32 xyxy, and class scores, (N, C) float32, best first."""

    boxes: NDArray[np.float32]
    class_probs: NDArray[np.float32]


def decode_raw(output: NDArray[np.float32], settings: DetectorSettings) -> Candidates:
    """Boxes of a `raw` head, thinned by NMS over all classes together: an item has one class, whatever it is.

    Args:
        output: (1, 4 + C, A) float32: centre x, centre y, width, height in input pixels, then C scores in 0..1.
        settings: threshold, overlap and count limits.
    """
    scores = output[0, 4:]
    best = scores.max(axis=0)
    columns = np.flatnonzero(best >= settings.score_threshold)
    centre, size = output[0, :2, columns], output[0, 2:4, columns]
    low = centre - size / 2
    kept = cv2.dnn.NMSBoxes(
        np.concatenate([low, size], axis=1).tolist(),
        best[columns].tolist(),
        settings.score_threshold,
        settings.nms_iou_ratio,
    )
    # not `top_k`: that drops candidates before the thinning, and on a crowded belt whole items with them
    order = np.asarray(kept, np.intp).reshape(-1)[: settings.max_detections]
    boxes = np.concatenate([low, low + size], axis=1)[order]
    return Candidates(boxes, np.ascontiguousarray(scores[:, columns[order]].T))


def decode_end_to_end(output: NDArray[np.float32], class_count: int, settings: DetectorSettings) -> Candidates:
    """Boxes of an `end_to_end` head, which thins its boxes itself and names one class each: the others get 0.

    Args:
        output: (1, K, 6) float32: x0, y0, x1, y1 in input pixels, score in 0..1, class.
        class_count: C.
        settings: threshold and count limit.
    """
    rows = output[0][output[0, :, 4] >= settings.score_threshold]
    rows = rows[np.argsort(-rows[:, 4], kind="stable")[: settings.max_detections]]
    class_probs = np.zeros((len(rows), class_count), np.float32)
    class_probs[np.arange(len(rows)), rows[:, 5].astype(np.intp)] = rows[:, 4]
    return Candidates(rows[:, :4].copy(), class_probs)
