"""The camera whose exposures are known: on time, and the newest where somebody was slow."""

import numpy as np

from sorter.model.units import NS_PER_MS
from sorter.runtime.clock import ManualClock
from training.benchmarks.steady_capture import SteadyCapture

PICTURE = np.full((4, 4, 3), 9, np.uint8)


def test_exposures_come_at_the_rate_however_quickly_they_are_taken() -> None:
    clock = ManualClock(5)
    capture = SteadyCapture(PICTURE, 100.0, clock)
    assert all(capture.grab() for _ in range(3))
    assert capture.exposures_ns == [5 + turn * 10 * NS_PER_MS for turn in (1, 2, 3)]
    assert clock.now_ns() == capture.exposures_ns[-1]


def test_a_slow_taker_gets_the_newest_exposure_once_and_at_once() -> None:
    clock = ManualClock()
    capture = SteadyCapture(PICTURE, 100.0, clock)
    clock.wait_until_ns(37 * NS_PER_MS)
    capture.grab()
    assert clock.now_ns() == 37 * NS_PER_MS
    capture.grab()
    assert capture.exposures_ns == [30 * NS_PER_MS, 40 * NS_PER_MS]


def test_the_picture_is_copied_into_the_buffer() -> None:
    buffer = np.zeros_like(PICTURE)
    assert SteadyCapture(PICTURE, 30.0, ManualClock()).retrieve(buffer) is buffer
    assert (buffer == 9).all()
