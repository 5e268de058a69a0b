"""Driving a pipeline on footage, and the stand-in that takes the network's place."""

import numpy as np

from sorter.runtime.clock import ManualClock, SystemClock
from training.benchmarks.course import Course, lay_course
from training.benchmarks.driving import Drive
from training.benchmarks.footage import STEP_MM, Footage, FootageSource, FootageTravel, bench_settings
from training.benchmarks.pipeline_run import PipelineRun
from training.benchmarks.stand_in import CourseDetector
from vision.frame import Frame

SETTINGS = bench_settings()
FOOTAGE = Footage(np.zeros((2, SETTINGS.camera.height_px, SETTINGS.camera.width_px, 3), np.uint8), 100_000)
FRAME = Frame(1, 0, 0, FOOTAGE.pictures[0])


def course() -> Course:
    return lay_course(SETTINGS, 20, 6, step_mm=STEP_MM)


def test_every_frame_of_footage_becomes_one_view_in_order() -> None:
    source = FootageSource(FOOTAGE)
    drive = Drive(SETTINGS, source, CourseDetector(course(), SystemClock()), FootageTravel(FOOTAGE))
    views = []
    while len(views) < 6:
        view = drive.step()
        if view is not None:
            views.append(view)
    drive.close()
    assert [view.batch.frame_id for view in views] == [1, 2, 3, 4, 5, 6]
    assert [view.batch.travel_um for view in views] == [frame_id * 100_000 for frame_id in range(1, 7)]


def test_a_run_counts_what_comes_out_those_under_way_before_included() -> None:
    run = PipelineRun(SETTINGS, FOOTAGE, CourseDetector(course(), SystemClock()))
    assert run.period_ms(5) > 0.0
    run.close()
    assert run.view_count == 5 + 4
    assert 100 < run.seen_count < 220


def test_the_stand_in_takes_its_service_time_and_goes_round_its_course() -> None:
    clock, known = ManualClock(), course()
    detector = CourseDetector(known, clock, service_ms=10.0)
    seen = [detector.detect(FRAME) for _ in range(7)]
    assert clock.now_ns() == 70_000_000
    assert seen[0] is known.detections[1]
    assert seen[6] is seen[0]


def test_a_seat_tells_when_its_answer_is_there_with_and_without_a_service_time() -> None:
    for service_ms in (0.0, 1.0):
        known, told = course(), []
        seat = CourseDetector(known, ManualClock(), service_ms).open_seat()
        for turn in (1, 2):
            seat.lay(FRAME)
            seat.start(lambda told=told: told.append("told"))
            assert seat.answer() is known.detections[turn]
        seat.close()
        assert told == ["told", "told"]
