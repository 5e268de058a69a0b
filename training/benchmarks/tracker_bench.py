"""`farz bench tracker`: how quick the belt tracker is and how well it counts, beside stock ByteTracks."""

import statistics
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from sorter.model.belt import CameraView
from sorter.model.settings import RecipeSettings, Settings
from sorter.model.units import NS_PER_MS
from sorter.runtime.clock import SystemClock
from training.benchmarks.course import Course, lay_course
from training.benchmarks.figure import Report
from training.benchmarks.footage import STEP_MM, bench_settings
from training.benchmarks.identity_score import Identities, IdentityScore, identity_score
from training.benchmarks.norfair_peer import norfair_version, peers_python, run_norfair
from training.benchmarks.rounds import Measure, interleaved, median_ratio
from training.benchmarks.stock_trackers import STOCK_TRACKERS, TrackerUnderTest, installed_trackers, tracker_states
from vision.tracking import BeltTracker

_ITEM_COUNT = 30
# stock trackers are timed where they can follow: items move by a small part of their length
_TIMED_STEP_MM = 20.0
_VELOCITY_ERRORS = {"exact": 0.0, "fast_5_percent": 0.05, "slow_5_percent": -0.05}
_OURS, _NORFAIR = "farz", "norfair"


class _BeltTrackerRun:
    """The line's tracker on a course, told the travel with a constant error."""

    def __init__(self, course: Course, settings: Settings, velocity_error_ratio: float = 0.0) -> None:
        self._tracker = BeltTracker(CameraView(settings.camera), settings.tracking)
        travels_um = [round(travel_um * (1.0 + velocity_error_ratio)) for travel_um in course.travels_um]
        self._frames = list(zip(course.detections, travels_um, strict=True))

    def frame(self, index: int) -> Any:
        return self._frames[index]

    def update(self, frame: Any) -> Any:
        return self._tracker.update(*frame)

    def identities(self, answer: Any, box_count: int) -> Identities:
        found = np.array([track.track_id for track in answer], np.int64)
        assert len(found) == box_count, "the belt tracker names every box"
        return found


def bench_tracker(*, is_quick: bool) -> Report:
    """Measure time and identities; without a stock tracker the ratio is None."""
    frame_count, round_count = (40, 3) if is_quick else (600, 5)
    settings = bench_settings()
    figures: dict[str, float | None] = {}
    figures.update(_time_figures(settings, frame_count, round_count))
    figures.update(_identity_figures(settings, frame_count * 2))
    conditions: dict[str, str | float] = {
        "tracker.items_in_view": float(_ITEM_COUNT),
        "tracker.timed_travel_per_frame_mm": _TIMED_STEP_MM,
        "tracker.counted_travel_per_frame_mm": STEP_MM,
        "tracker.boxes": "known items with sides unsteady by 1 px; none missed, none invented",
        "tracker.rounds": float(round_count),
    }
    norfair = norfair_version(peers_python()) or "not installed: make bench puts it into .venv-peers"
    return Report(figures, conditions, {**tracker_states(), _NORFAIR: norfair})


def _time_figures(settings: Settings, frame_count: int, round_count: int) -> dict[str, float | None]:
    course = lay_course(settings, _ITEM_COUNT, frame_count, step_mm=_TIMED_STEP_MM)
    openers: dict[str, Callable[[], TrackerUnderTest]] = {_OURS: partial(_BeltTrackerRun, course, settings)}
    openers.update({name: partial(stock.open, course) for name, stock in installed_trackers().items()})
    contenders: dict[str, Measure] = {
        name: partial(_median_update_ms, opener, frame_count) for name, opener in openers.items()
    }
    if norfair_version(peers_python()) is not None:
        contenders[_NORFAIR] = lambda: run_norfair(course, peers_python()).median_ms
    times_ms = interleaved(contenders, round_count, "tracker")
    medians_ms = {name: statistics.median(values) for name, values in times_ms.items()}
    others = [name for name in medians_ms if name != _OURS]
    fastest = min((name for name in others if name in STOCK_TRACKERS), key=lambda name: medians_ms[name], default=None)
    figures: dict[str, float | None] = {
        "tracker.p50_ms": medians_ms[_OURS],
        "tracker.speedup_over_bytetrack_ratio": (
            None if fastest is None else median_ratio(times_ms[fastest], times_ms[_OURS])
        ),
    }
    return {**figures, **{f"tracker.p50_{_key(name)}_ms": medians_ms[name] for name in others}}


def _median_update_ms(open_tracker: Callable[[], TrackerUnderTest], frame_count: int) -> float:
    tracker, clock = open_tracker(), SystemClock()
    spent_ns = []
    for frame in [tracker.frame(index) for index in range(frame_count)]:
        started_ns = clock.now_ns()
        tracker.update(frame)
        spent_ns.append(clock.now_ns() - started_ns)
    # the first tenth of the frames fills the tracker
    return statistics.median(spent_ns[frame_count // 10 :]) / NS_PER_MS


def _identity_figures(settings: Settings, frame_count: int) -> dict[str, float | None]:
    """Count error and switches of the worst case of ours; those of the stock trackers, which know no travel, beside."""
    course = lay_course(settings, _ITEM_COUNT, frame_count, step_mm=STEP_MM)
    ours = {
        name: _identity_score(_BeltTrackerRun(course, settings, error), course)
        for name, error in _VELOCITY_ERRORS.items()
    }
    others = {_key(name): _identity_score(one.open(course), course) for name, one in installed_trackers().items()}
    if norfair_version(peers_python()) is not None:
        others[_NORFAIR] = _score(course, run_norfair(course, peers_python()).identities)
    figures: dict[str, float | None] = {
        "tracker.count_error_ratio": max(score.count_error_ratio for score in ours.values()),
        "tracker.switches_per_100_items": max(score.switches_per_100_items for score in ours.values()),
        "tracker.item_count": float(ours["exact"].item_count),
    }
    for name, score in {**ours, **others}.items():
        figures[f"tracker.count_error_{name}_ratio"] = score.count_error_ratio
        figures[f"tracker.switches_{name}_per_100_items"] = score.switches_per_100_items
    return figures


def _identity_score(tracker: TrackerUnderTest, course: Course) -> IdentityScore:
    identities = [
        tracker.identities(tracker.update(tracker.frame(index)), len(ids)) for index, ids in enumerate(course.item_ids)
    ]
    return _score(course, identities)


def _score(course: Course, identities: Sequence[Sequence[int] | Identities]) -> IdentityScore:
    found = [np.asarray(one, np.int64) for one in identities]
    return identity_score(course.item_ids, found, RecipeSettings().min_decision_views)


def _key(name: str) -> str:
    return name.replace(" ", "_")
