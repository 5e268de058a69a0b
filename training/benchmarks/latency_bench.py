"""`farz bench latency`: from exposure to command, with a detector quicker than the camera and with one slower."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import msgspec
import numpy as np

from sorter.model.belt import BeltTravel
from sorter.model.drive import BeltDrive
from sorter.model.settings import Settings
from sorter.model.tracks import BeltState, TrackBatch
from sorter.model.units import NS_PER_MS
from sorter.runtime.bus import Publisher, new_boot_id
from sorter.runtime.clock import SystemClock
from sorter.runtime.run_folder import RunPlan, create_run_folder
from training.benchmarks.course import Course, lay_course
from training.benchmarks.deciding_side import LAST_MODEL_ID, READY, Decided
from training.benchmarks.driving import Drive
from training.benchmarks.figure import Report
from training.benchmarks.footage import HEIGHT_PX, STEP_MM, WIDTH_PX, bench_settings
from training.benchmarks.stand_in import CourseDetector
from training.benchmarks.steady_capture import SteadyCapture
from training.progress import progress
from vision.pipeline import View
from vision.sources.live_camera import LiveCamera

_RATE_HZ = 30.0
_SERVICE_MS = 10.0
# one and a half periods of the camera
_SLOW_SERVICE_MS = 50.0
_ITEM_COUNT = 20
_ROUND_COUNT = 3
_DECIDER = "training.benchmarks.deciding_side"


class _Latencies(msgspec.Struct, frozen=True):
    """Milliseconds from exposure to command, frame by frame, and how many commands there were."""

    values_ms: list[float]
    command_count: int

    def percentile_ms(self, percent: float) -> float:
        return float(np.percentile(self.values_ms, percent))

    def growth_ms(self) -> float:
        """Median of the last quarter less that of the first."""
        quarter = max(1, len(self.values_ms) // 4)
        return float(np.median(self.values_ms[-quarter:]) - np.median(self.values_ms[:quarter]))


def bench_latency(*, is_quick: bool) -> Report:
    """Measure both loads in turns; the slow one for a minute altogether, without a break."""
    frame_count, slow_frame_count = (10, 8) if is_quick else (300, 1200)
    settings = _settings()
    course = lay_course(settings, _ITEM_COUNT, 100, step_mm=STEP_MM)
    rounds = [_measure(settings, course, _SERVICE_MS, frame_count) for _ in range(_ROUND_COUNT)]
    slow = _measure(settings, course, _SLOW_SERVICE_MS, slow_frame_count)
    p95_ms, p50_ms = (float(np.median([one.percentile_ms(share) for one in rounds])) for share in (95.0, 50.0))
    figures: dict[str, float | None] = {
        "latency.p95_over_service_ms": p95_ms - _SERVICE_MS,
        "latency.p50_over_service_ms": p50_ms - _SERVICE_MS,
        "latency.overload_p95_over_service_ms": slow.percentile_ms(95.0) - _SLOW_SERVICE_MS,
        "latency.overload_p50_over_service_ms": slow.percentile_ms(50.0) - _SLOW_SERVICE_MS,
        "latency.overload_growth_ms": slow.growth_ms(),
    }
    conditions: dict[str, str | float] = {
        "latency.camera": f"{_RATE_HZ:g} Hz, {WIDTH_PX}×{HEIGHT_PX}, exposures counted by the camera itself",
        "latency.service_ms": _SERVICE_MS,
        "latency.overload_service_ms": _SLOW_SERVICE_MS,
        "latency.detector": "a stand-in that waits for the service time and answers from a known course",
        "latency.way": "live camera, pipeline, ZeroMQ to another process, policy, command packed for its link",
        "latency.commands": float(sum(one.command_count for one in [*rounds, slow])),
        "latency.rounds": float(_ROUND_COUNT),
    }
    return Report(figures, conditions, {})


def _settings() -> Settings:
    """A line that decides on every item at its first view, so that every frame is waited for."""
    recipe = {"min_decision_views": 1, "lead_time_ms": 60_000.0}
    return bench_settings(_ITEM_COUNT, {"recipe": recipe, "camera": {"view_step_mm": 1.0}})


def _measure(settings: Settings, course: Course, service_ms: float, frame_count: int) -> _Latencies:
    plan, clock = create_run_folder(settings), SystemClock()
    try:
        with _deciding_side(plan) as decider:
            publisher = Publisher(plan.run_folder, "vision", new_boot_id(), clock)
            exposures_ns = _watch(plan, publisher, CourseDetector(course, clock, service_ms), frame_count)
            publisher.publish(TrackBatch(0, 0, 0, LAST_MODEL_ID, ()))
            decided = msgspec.json.decode(decider.read(), type=Decided)
            publisher.close()
    finally:
        shutil.rmtree(plan.run_folder, ignore_errors=True)
    return _latencies(decided, exposures_ns)


def _latencies(decided: Decided, exposures_ns: list[int]) -> _Latencies:
    values_ms = [
        (at_ns - exposures_ns[frame_id]) / NS_PER_MS for frame_id, at_ns in sorted(decided.commanded_at_ns.items())
    ]
    return _Latencies(values_ms, decided.command_count)


def _watch(plan: RunPlan, publisher: Publisher, detector: CourseDetector, frame_count: int) -> list[int]:
    """Look at so many frames as the vision process does; when each frame that was taken had been exposed."""
    clock = SystemClock()
    capture = SteadyCapture(np.full((HEIGHT_PX, WIDTH_PX, 3), 90, np.uint8), _RATE_HZ, clock)
    source = LiveCamera(plan.settings.camera, "bench", clock, lambda: capture)
    drive = Drive(plan.settings, source, detector, _ToldBelt(plan, publisher))
    with progress(range(frame_count), frame_count, "latency") as frames:
        for _ in frames:
            publisher.publish(_next_view(drive).batch)
    drive.close()
    source.close()
    return capture.exposures_ns


class _ToldBelt(BeltTravel):
    """Travel of the simulated drive; whoever asks lets the deciding side know, as an encoder's reader does."""

    def __init__(self, plan: RunPlan, publisher: Publisher) -> None:
        super().__init__()
        self._epoch_ns = plan.epoch_ns
        self._belt = BeltDrive(plan.settings.belt)
        self._publisher = publisher

    def travel_um_at(self, instant_ns: int) -> int | None:
        elapsed_ns = instant_ns - self._epoch_ns
        state = BeltState(instant_ns, self._belt.travel_um_at(elapsed_ns), self._belt.speed_um_s_at(elapsed_ns))
        self._publisher.publish(state)
        return state.travel_um


def _next_view(drive: Drive) -> View:
    while True:
        view = drive.step()
        if view is not None:
            return view


@contextmanager
def _deciding_side(plan: RunPlan) -> Iterator[IO[str]]:
    """The other process, ready to follow; what it says at the end can be read from what is handed out."""
    command = [sys.executable, "-m", _DECIDER, str(plan.run_folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own module
        assert process.stdout is not None, "asked for above"
        assert process.stdout.readline().strip() == READY, "the deciding side has died; its own words are above"
        try:
            yield process.stdout
        finally:
            process.terminate()
