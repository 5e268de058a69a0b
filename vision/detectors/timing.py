"""What networks are timed with when a line chooses among them: a grey picture, and a clock that is an argument."""

from collections.abc import Callable

import numpy as np

from sorter.model.units import NS_PER_MS
from sorter.runtime.clock import Clock
from vision.frame import Frame


def grey_frame(height_px: int, width_px: int) -> Frame:
    """A frame without anything on it."""
    return Frame(0, 0, 0, np.full((height_px, width_px, 3), 90, np.uint8))


def spent_ms(work: Callable[[], object], clock: Clock) -> float:
    """How long some work takes, in milliseconds."""
    before_ns = clock.now_ns()
    work()
    return (clock.now_ns() - before_ns) / NS_PER_MS
