"""`farz bench decide`: what the policy costs, for each frame and each item on it."""

import statistics
from functools import partial

from sorter.model.belt import CameraView
from sorter.model.settings import Settings
from sorter.model.tracks import BeltState, TrackBatch
from sorter.model.units import NS_PER_MS, UM_PER_M
from sorter.policy.evidence import no_calibration
from sorter.runtime.clock import SystemClock
from sorter.sorting import Sorting
from training.benchmarks.course import lay_course
from training.benchmarks.figure import Report
from training.benchmarks.footage import STEP_MM, bench_settings
from training.benchmarks.rounds import interleaved
from vision.tracking import BeltTracker

_ITEM_COUNTS = (5, 20, 80)
_JUDGED_COUNT = 20
_US_PER_MS = 1000.0


def bench_decide(*, is_quick: bool) -> Report:
    """Measure evidence, decisions, commands and what the screen is told, over belts of several densities."""
    frame_count, round_count = (20, 3) if is_quick else (400, 5)
    settings = bench_settings()
    batches = {count: _batches(settings, count, frame_count) for count in _ITEM_COUNTS}
    contenders = {str(count): partial(_frame_ms, settings, batches[count]) for count in _ITEM_COUNTS}
    times_ms = interleaved(contenders, round_count, "decide")
    medians_ms = {count: statistics.median(times_ms[str(count)]) for count in _ITEM_COUNTS}
    figures: dict[str, float | None] = {"decide.frame_ms": medians_ms[_JUDGED_COUNT]}
    for count in _ITEM_COUNTS:
        figures[f"decide.track_of_{count}_us"] = medians_ms[count] * _US_PER_MS / count
    conditions: dict[str, str | float] = {
        "decide.frame": f"the tracks of one view of {_JUDGED_COUNT} items, and the belt's travel",
        "decide.stations": float(len(settings.recipe.stations)),
        "decide.rounds": float(round_count),
    }
    return Report(figures, conditions, {})


def _batches(settings: Settings, item_count: int, frame_count: int) -> list[tuple[BeltState, TrackBatch]]:
    """The belt's state and the tracker's own tracks at every frame of a course."""
    course = lay_course(settings, item_count, frame_count, step_mm=STEP_MM)
    tracker = BeltTracker(CameraView(settings.camera), settings.tracking)
    speed_um_s = round(settings.belt.speed_m_s * UM_PER_M)
    found = []
    for frame_id, (detections, travel_um) in enumerate(zip(course.detections, course.travels_um, strict=True)):
        at_ns = round(travel_um / speed_um_s * 1000 * NS_PER_MS)
        batch = TrackBatch(frame_id, at_ns, travel_um, "bench", tracker.update(detections, travel_um))
        found.append((BeltState(at_ns, travel_um, speed_um_s), batch))
    return found


def _frame_ms(settings: Settings, frames: list[tuple[BeltState, TrackBatch]]) -> float:
    """Milliseconds a frame, for a belt that begins empty."""
    clock = SystemClock()
    sorting = Sorting(settings, no_calibration(len(settings.recipe.classes)), "bench")
    sorting.is_executing = True
    started_ns = clock.now_ns()
    for belt, batch in frames:
        sorting.take_belt(belt, belt.measured_at_ns)
        sorting.take_tracks(batch, belt.measured_at_ns)
        sorting.assess(batch)
    return (clock.now_ns() - started_ns) / NS_PER_MS / len(frames)
