"""A pipeline fed as fast as it will take frames: how long it needs for each."""

from sorter.model.settings import Settings
from sorter.model.units import NS_PER_MS
from sorter.runtime.clock import SystemClock
from training.benchmarks.driving import Drive
from training.benchmarks.footage import Footage, FootageSource, FootageTravel
from vision.detectors import Detector

# a pipeline of two streams holds three frames at most; after one more it is as busy as it will be
_UNDER_WAY_COUNT = 4


class PipelineRun:
    """The line's own pipeline on footage.

    Attributes:
        seen_count: tracks of all frames so far.
        view_count: frames that have come out of it so far.
    """

    def __init__(self, settings: Settings, footage: Footage, detector: Detector, *, is_copied: bool = True) -> None:
        self._clock = SystemClock()
        source = FootageSource(footage, is_copied=is_copied)
        self._drive = Drive(settings, source, detector, FootageTravel(footage))
        self.seen_count = 0
        self.view_count = 0

    def period_ms(self, view_count: int) -> float:
        """Milliseconds a frame, over so many frames that come out of the pipeline, from one coming out to another.

        Frames that were under way since the last stretch have been looked at meanwhile: they come out first, uncounted.
        """
        self._let_out(_UNDER_WAY_COUNT)
        started_ns = self._clock.now_ns()
        self._let_out(view_count)
        return (self._clock.now_ns() - started_ns) / NS_PER_MS / view_count

    def _let_out(self, view_count: int) -> None:
        ends_at = self.view_count + view_count
        while self.view_count < ends_at:
            view = self._drive.step()
            if view is not None:
                self.view_count += 1
                self.seen_count += len(view.batch.tracks)

    def close(self) -> None:
        """Let go of the footage."""
        self._drive.close()
