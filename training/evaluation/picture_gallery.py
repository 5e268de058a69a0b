"""The worst misses and the worst false alarms as small crops, for a page that stays with those who own the pictures."""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from training.evaluation.average_precision import Floats, PictureResult
from training.evaluation.evaluate import OPERATING_PROBABILITY
from training.evaluation.examination import Examination
from training.evaluation.examined_picture import ExaminedPicture
from training.evaluation.measurement import Measured, probabilities_of
from training.synthesis.pixels import Picture, read_picture
from vision.boxes import overlap_ratios

MOST_CROPS = 12
_CROP_PX = 144
_MARGIN_RATIO = 0.35
_JPEG_QUALITY = 80
_OVERLAP_RATIO = 0.5
_LEAST_SUSPICION = 0.01


class Finding(msgspec.Struct, frozen=True):
    """A box worth looking at; `weight` orders findings, the worst first."""

    path: Path
    box_px: tuple[float, float, float, float]
    caption: str
    weight: float


class Crop(msgspec.Struct, frozen=True):
    """A finding as a picture."""

    jpeg_base64: str
    caption: str


class Gallery(msgspec.Struct, frozen=True):
    """The worst first."""

    misses: list[Crop]
    false_alarms: list[Crop]


def gallery_of(examination: Examination, found: Measured) -> Gallery:
    """Cut out what was missed although large, and what was found with certainty although not there."""
    names = examination.model.classes
    pairs = [(one, probabilities_of(one, names, examination.calibration)) for one in examination.pictures]
    judged = {class_id: name for name, class_id in found.judged.items()}
    misses = [finding for picture, sure in pairs for finding in misses_of(picture, sure, judged)]
    alarms = [finding for picture, sure in pairs for finding in false_alarms_of(picture, sure, judged)]
    return Gallery(_crops(misses), _crops(alarms))


def misses_of(picture: ExaminedPicture, probabilities: Floats, judged: Mapping[int, str]) -> list[Finding]:
    """Labels that nothing of their class found, weighted by area and by how little was suspected there."""
    result = picture.result
    suspected = np.where(_agree(result), probabilities[:, None], 0.0).max(axis=0, initial=0.0)
    rows = zip(result.label_boxes_px, result.label_class_ids.tolist(), suspected.tolist(), strict=True)
    return [
        _finding(picture, box_px, _missed(judged[class_id], chance), (1 - chance) * _area_px2(box_px))
        for box_px, class_id, chance in rows
        if class_id in judged and class_id in picture.known_class_ids and chance < OPERATING_PROBABILITY
    ]


def false_alarms_of(picture: ExaminedPicture, probabilities: Floats, judged: Mapping[int, str]) -> list[Finding]:
    """Detections that overlap no label of their class, weighted by their probability."""
    result = picture.result
    wrong = np.flatnonzero(~_agree(result).any(axis=1))
    rows = zip(result.boxes_px[wrong], result.class_ids[wrong].tolist(), probabilities[wrong].tolist(), strict=True)
    return [
        _finding(picture, box_px, f"called {judged[class_id]} at {chance:.2f}", chance)
        for box_px, class_id, chance in rows
        if class_id in judged and class_id in picture.known_class_ids
    ]


def _agree(result: PictureResult) -> NDArray[np.bool_]:
    """Which detections (rows) and labels (columns) are of one class and overlap by half or more."""
    near = overlap_ratios(result.boxes_px, result.label_boxes_px) >= _OVERLAP_RATIO
    agree: NDArray[np.bool_] = near & (result.class_ids[:, None] == result.label_class_ids[None])
    return agree


def _missed(name: str, chance: float) -> str:
    return f"{name}, suspected at {chance:.2f}" if chance >= _LEAST_SUSPICION else f"{name}, not suspected"


def _finding(picture: ExaminedPicture, box_px: Floats, caption: str, weight: float) -> Finding:
    x0, y0, x1, y1 = (float(one) for one in box_px)
    return Finding(picture.path, (x0, y0, x1, y1), caption, weight)


def _area_px2(box_px: Floats) -> float:
    return float(np.prod(box_px[2:] - box_px[:2]))


def _crops(findings: Sequence[Finding]) -> list[Crop]:
    worst = sorted(findings, key=lambda one: -one.weight)[:MOST_CROPS]
    return [_crop(read_picture(one.path), one) for one in worst]


def _crop(picture: Picture, finding: Finding) -> Crop:
    """A square round the box, the box drawn in, as JPEG."""
    x0, y0, x1, y1 = finding.box_px
    half_px = max(x1 - x0, y1 - y0) * (0.5 + _MARGIN_RATIO)
    left, top = (x0 + x1) / 2 - half_px, (y0 + y1) / 2 - half_px
    scale = _CROP_PX / (2 * half_px)
    placed = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])
    cut = cv2.warpAffine(picture, placed, (_CROP_PX, _CROP_PX), borderValue=(128, 128, 128))
    corners = [round((value - origin) * scale) for value, origin in zip((x0, y0, x1, y1), (left, top) * 2, strict=True)]
    cv2.rectangle(cut, (corners[0], corners[1]), (corners[2], corners[3]), (255, 255, 255), 1)
    _, encoded = cv2.imencode(".jpg", cut, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return Crop(base64.b64encode(encoded.tobytes()).decode(), finding.caption)
