"""A pipeline fed as fast as it will take frames: how long it needs for each."""

from sorter.model.settings import Settings
from sorter.model.units import NS_PER_MS
from sorter.runtime.clock import SystemClock
from training.benchmarks.footage import Footage, FootageSource
from vision.detectors import Detector
from vision.pipeline import Pipeline


class PipelineRun:
    """The line's own pipeline on footage.

    Attributes:
        seen_count: tracks of all frames so far.
        view_count: frames that have come out of it so far.
    """

    def __init__(self, settings: Settings, footage: Footage, detector: Detector, *, decodes: bool = True) -> None:
        self._clock = SystemClock()
        self._source = FootageSource(footage)
        self._pipeline = Pipeline(settings, self._source, detector, self._clock, decodes=decodes)
        self.seen_count = 0
        self.view_count = 0

    def period_ms(self, view_count: int) -> float:
        """Milliseconds a frame, over so many frames that come out of the pipeline."""
        started_ns = self._clock.now_ns()
        ends_at = self.view_count + view_count
        while self.view_count < ends_at:
            self._step()
        return (self._clock.now_ns() - started_ns) / NS_PER_MS / view_count

    def _step(self) -> None:
        ticket = self._source.grab()
        assert ticket is not None, "footage has no end"
        view = self._pipeline.take(ticket, self._source.travel_um())
        if view is not None:
            self.view_count += 1
            self.seen_count += len(view.batch.tracks)
