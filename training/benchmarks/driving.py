"""Driving a camera's pipeline as the vision process does, but for sockets: views come as fast as frames can be had.

A line that looks through eyes, one frame before the network while the next is made ready, is driven so; else one frame
follows the other.
"""

import importlib
from typing import Any, Protocol

from sorter.model.belt import BeltTravel
from sorter.model.settings import Settings
from sorter.runtime.clock import SystemClock
from vision.detectors import Detector
from vision.pipeline import Pipeline, View
from vision.sources.source import FrameSource

_WAIT_MS = 50.0
_EYE_MODULE, _NEWS_MODULE = "vision.eye", "vision.frame_taker"


class Drive(Protocol):
    """A loop around a pipeline."""

    def step(self) -> View | None:
        """Wait for a frame or an answer and do what is due; the view that was finished, if any."""
        ...

    def close(self) -> None:
        """Let go of source and network."""
        ...


def open_drive(settings: Settings, source: FrameSource, detector: Detector, belt: BeltTravel) -> Drive:
    """The way of driving that the line is made for.

    Args:
        settings: the line's configuration.
        source: where frames come from.
        detector: what finds items on them.
        belt: tells the travel at the exposure of a frame.
    """
    if not hasattr(Pipeline, "overlap"):
        return _InTurn(Pipeline(settings, source, detector, SystemClock()), source, belt)
    return _ThroughEye(settings, source, detector, belt)


class _InTurn:
    """One frame after the other."""

    def __init__(self, pipeline: Pipeline, source: FrameSource, belt: BeltTravel) -> None:
        self._pipeline = pipeline
        self._source = source
        self._belt = belt

    def step(self) -> View | None:
        ticket = self._source.grab(_WAIT_MS)
        travel_um = None if ticket is None else self._belt.travel_um_at(ticket.exposed_at_ns)
        return None if ticket is None or travel_um is None else self._pipeline.take(ticket, travel_um)

    def close(self) -> None:
        """Nothing is held."""


class _ThroughEye:
    """The loop of the vision process, around one of its eyes: one wait for frames and answers alike."""

    def __init__(self, settings: Settings, source: FrameSource, detector: Detector, belt: BeltTravel) -> None:
        self._belt = belt
        self._news: Any = importlib.import_module(_NEWS_MODULE).News()
        eye = importlib.import_module(_EYE_MODULE).Eye
        self._eye: Any = eye("", settings, source, detector, SystemClock(), self._news)

    def step(self) -> View | None:
        pause_ms = self._eye.ask()
        self._news.wait(min(pause_ms or _WAIT_MS, _WAIT_MS))
        view: View | None = self._eye.step(self._belt)
        return view

    def close(self) -> None:
        self._eye.close()
