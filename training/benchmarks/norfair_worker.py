"""Norfair on a course, in a Python of its own: it wants an older numpy than the line runs with.

Run by the peers' Python as `python -m training.benchmarks.norfair_worker COURSE.npz`, the repository on its path;
writes one JSON object. Of Farz it imports the clock alone, which needs nothing installed.
"""

import json
import statistics
import sys
from pathlib import Path
from typing import Any

import numpy as np
from norfair import Detection, Tracker

from sorter.runtime.clock import SystemClock

_NS_PER_MS = 1e6


def follow(course_path: Path) -> dict[str, Any]:
    """Track all boxes; the median milliseconds of an update, and who each box is, −1 where norfair does not say."""
    with np.load(course_path) as course:
        frames = np.split(course["boxes_px"], np.cumsum(course["box_counts"])[:-1])
    tracker, clock = Tracker(distance_function="iou", distance_threshold=0.7), SystemClock()
    spent_ns, identities = [], []
    for index, boxes_px in enumerate(frames):
        detections = [Detection(box.reshape(2, 2), data=(index, place)) for place, box in enumerate(boxes_px)]
        started_ns = clock.now_ns()
        tracked = tracker.update(detections)
        spent_ns.append(clock.now_ns() - started_ns)
        identities.append(_identities(tracked, index, len(boxes_px)))
    median_ms = statistics.median(spent_ns[len(frames) // 10 :]) / _NS_PER_MS
    return {"median_ms": median_ms, "identities": identities}


def _identities(tracked: list[Any], frame_index: int, box_count: int) -> list[int]:
    found = [-1] * box_count
    for one in tracked:
        seen_at, place = one.last_detection.data
        if seen_at == frame_index:
            found[place] = one.id
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(follow(Path(sys.argv[1]))))
