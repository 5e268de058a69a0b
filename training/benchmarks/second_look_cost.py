"""What a second look at one item costs, beside the first network's look at a whole frame."""

import statistics
from collections.abc import Callable

import numpy as np

from sorter.model.settings import Settings
from sorter.model.units import NS_PER_MS
from sorter.runtime.clock import SystemClock
from training.benchmarks.footage import Footage
from training.benchmarks.rounds import interleaved, median_ratio
from vision.detectors import open_detector
from vision.frame import Frame

_ITEM, _FRAME = "an item", "a frame"


def second_look_figures(settings: Settings, footage: Footage, *, is_quick: bool) -> dict[str, float | None]:
    """Milliseconds an item, and that time by what the first network takes for a frame; None without a second look."""
    detector = open_detector(settings)
    namer = detector.second_look
    if namer is None:
        return {"pipeline.second_look_item_ms": None, "pipeline.second_look_item_by_frame_ratio": None}
    picture = footage.pictures[0]
    frame = Frame(0, 0, 0, picture)
    height_px, width_px = picture.shape[:2]
    box_px = np.array([[0.4 * width_px, 0.4 * height_px, 0.5 * width_px, 0.6 * height_px]], np.float32)
    repeats, round_count = (2, 3) if is_quick else (30, 5)

    def look_at_item() -> float:
        return _period_ms(lambda: namer.names(picture, box_px), repeats)

    def look_at_frame() -> float:
        return _period_ms(lambda: detector.detect(frame), repeats)

    periods = interleaved({_ITEM: look_at_item, _FRAME: look_at_frame}, round_count, "second look")
    return {
        "pipeline.second_look_item_ms": statistics.median(periods[_ITEM]),
        "pipeline.second_look_item_by_frame_ratio": median_ratio(periods[_ITEM], periods[_FRAME]),
    }


def _period_ms(work: Callable[[], object], repeats: int) -> float:
    clock = SystemClock()
    work()
    started_ns = clock.now_ns()
    for _ in range(repeats):
        work()
    return (clock.now_ns() - started_ns) / NS_PER_MS / repeats
