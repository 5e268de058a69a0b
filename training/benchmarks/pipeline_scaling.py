"""What an item costs the pipeline when there are few, and when there are many of them."""

import statistics
from functools import partial

from sorter.runtime.clock import SystemClock
from training.benchmarks.course import lay_course
from training.benchmarks.footage import STEP_MM, bench_settings, draw_footage
from training.benchmarks.pipeline_run import PipelineRun
from training.benchmarks.rounds import interleaved
from training.benchmarks.stand_in import CourseDetector

ITEM_COUNTS = (5, 10, 20, 40, 80)
_US_PER_MS = 1000.0


def scaling_figures(*, is_quick: bool) -> dict[str, float | None]:
    """Microseconds of pipeline per item, network and copying of the picture left out, and how they change from 5 to 80.

    Below 1 the cost of a frame grows more slowly than the number of items in it.
    """
    frame_count, round_count = (20, 3) if is_quick else (400, 5)
    settings = bench_settings()
    footage = draw_footage(settings, 1)
    courses = {count: lay_course(settings, count, 50 if is_quick else 400, step_mm=STEP_MM) for count in ITEM_COUNTS}
    runs = {
        count: PipelineRun(settings, footage, CourseDetector(course, SystemClock()), is_copied=False)
        for count, course in courses.items()
    }
    contenders = {str(count): partial(run.period_ms, frame_count) for count, run in runs.items()}
    periods_ms = interleaved(contenders, round_count, "cost per item")
    for run in runs.values():
        run.close()
    cost_us = {count: statistics.median(periods_ms[str(count)]) * _US_PER_MS / count for count in ITEM_COUNTS}
    figures: dict[str, float | None] = {
        f"pipeline.cost_per_item_of_{count}_us": cost for count, cost in cost_us.items()
    }
    return {**figures, "pipeline.cost_per_item_growth_ratio": cost_us[ITEM_COUNTS[-1]] / cost_us[ITEM_COUNTS[0]]}
