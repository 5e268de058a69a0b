"""Labels and imperfect detections made up from a seed, for tests of everything that judges detections."""

from collections.abc import Callable

import numpy as np
import pytest

from training.evaluation.average_precision import PictureResult

SIDE_PX = 400
Noisy = Callable[..., list[PictureResult]]


@pytest.fixture(scope="session")
def noisy_results() -> Noisy:
    """A function that makes results up: (seed, picture_count, class_count, found_ratio)."""
    return make_noisy_results


def make_noisy_results(
    seed: int, picture_count: int = 12, class_count: int = 3, found_ratio: float = 0.8
) -> list[PictureResult]:
    """Six labels a picture, most found twice with some error, and five false detections."""
    rng = np.random.default_rng(seed)
    return [_noisy_result(rng, class_count, found_ratio) for _ in range(picture_count)]


def _noisy_result(rng: np.random.Generator, class_count: int, found_ratio: float) -> PictureResult:
    labels_px = _boxes_px(rng, 6)
    kept = rng.random(6) < found_ratio
    moved_px = labels_px[kept] + rng.normal(0, 6, (int(kept.sum()), 4))
    boxes_px = np.concatenate([moved_px, moved_px + 3, _boxes_px(rng, 5)])
    boxes_px[:, 2:] = np.maximum(boxes_px[:, 2:], boxes_px[:, :2] + 1)
    labels = rng.integers(0, class_count, 6)
    classes = np.concatenate([labels[kept], labels[kept], rng.integers(0, class_count, 5)])
    return PictureResult(labels_px, labels, boxes_px, rng.random(len(boxes_px)), classes)


def _boxes_px(rng: np.random.Generator, count: int) -> np.ndarray:
    low = rng.uniform(0, SIDE_PX, (count, 2))
    return np.concatenate([low, low + rng.uniform(20, 120, (count, 2))], axis=1)
