"""Driving a camera's pipeline as the vision process does, but for sockets: views come as fast as frames can be had."""

from sorter.model.belt import BeltTravel
from sorter.model.settings import Settings
from sorter.runtime.clock import SystemClock
from vision.detectors import Detector
from vision.eye import Eye
from vision.frame_taker import News
from vision.pipeline import View
from vision.sources.source import FrameSource

_WAIT_MS = 50.0


class Drive:
    """The loop of the vision process, around one of its eyes: one wait for frames and answers alike."""

    def __init__(self, settings: Settings, source: FrameSource, detector: Detector, belt: BeltTravel) -> None:
        """Open the eye.

        Args:
            settings: the line's configuration.
            source: where frames come from.
            detector: what finds items on them.
            belt: tells the travel at the exposure of a frame.
        """
        self._belt = belt
        self._news = News()
        self._eye = Eye("", settings, source, detector, SystemClock(), self._news)

    def step(self) -> View | None:
        """Wait for a frame or an answer and do what is due; the view that was finished, if any."""
        pause_ms = self._eye.ask()
        self._news.wait(min(pause_ms or _WAIT_MS, _WAIT_MS))
        return self._eye.step(self._belt)

    def close(self) -> None:
        """Let go of source and network."""
        self._eye.close()
