"""Whether the pipeline's memory stays what it is over very many frames."""

from sorter.runtime.clock import SystemClock
from training.benchmarks.course import lay_course
from training.benchmarks.footage import STEP_MM, Footage, bench_settings, draw_footage
from training.benchmarks.machine import resident_mb
from training.benchmarks.pipeline_run import PipelineRun
from training.benchmarks.stand_in import CourseDetector
from training.progress import progress

_FRAME_COUNT = 100_000
_STRETCH_COUNT = 50
# every slot of the ring has been written to by then
_WARM_UP_COUNT = 50


def growth_figures(*, is_quick: bool) -> dict[str, float | None]:
    """Resident memory after all frames less that after the first fiftieth, which allocates what is kept."""
    frame_count = _STRETCH_COUNT * 4 if is_quick else _FRAME_COUNT
    settings = bench_settings()
    course = lay_course(settings, 20, 50 if is_quick else 500, step_mm=STEP_MM)
    footage: Footage = draw_footage(settings, 2)
    run = PipelineRun(settings, footage, CourseDetector(course, SystemClock()))
    run.period_ms(_WARM_UP_COUNT)
    stretch = frame_count // _STRETCH_COUNT
    resident: list[float] = []
    with progress(range(_STRETCH_COUNT), _STRETCH_COUNT, "memory") as stretches:
        for _ in stretches:
            run.period_ms(stretch)
            resident.append(resident_mb())
    run.close()
    return {"pipeline.memory_growth_mb": resident[-1] - resident[0], "pipeline.memory_frame_count": float(frame_count)}
