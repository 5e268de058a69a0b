"""Driving a pipeline as the vision process does, but for sockets: views come out as fast as frames can be had.

A pipeline that can look at one frame while the next is made ready is driven so; else one frame follows the other.
"""

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any, Protocol

from vision.pipeline import Pipeline, View
from vision.sources.source import FrameSource, FrameTicket

_WAIT_MS = 50.0
_TAKER_MODULE = "vision.frame_taker"

TravelOf = Callable[[FrameTicket], int]


class Drive(Protocol):
    """A loop around a pipeline."""

    def step(self) -> View | None:
        """Wait for a frame or an answer and do what is due; the view that was finished, if any."""
        ...

    def close(self) -> None:
        """Let go of the source."""
        ...


def open_drive(pipeline: Pipeline, source: FrameSource, travel_of: TravelOf) -> Drive:
    """The way of driving that the pipeline is made for.

    Args:
        pipeline: what is driven.
        source: the pipeline's own.
        travel_of: belt travel at the exposure of a frame.
    """
    if importlib.util.find_spec(_TAKER_MODULE) is None:
        return _InTurn(pipeline, source, travel_of)
    return _Overlapped(pipeline, importlib.import_module(_TAKER_MODULE).FrameTaker(source), travel_of)


class _InTurn:
    """One frame after the other."""

    def __init__(self, pipeline: Pipeline, source: FrameSource, travel_of: TravelOf) -> None:
        self._pipeline = pipeline
        self._source = source
        self._travel_of = travel_of

    def step(self) -> View | None:
        ticket = self._source.grab(_WAIT_MS)
        return None if ticket is None else self._pipeline.take(ticket, self._travel_of(ticket))

    def close(self) -> None:
        """Nothing is held."""


class _Overlapped:
    """The loop of the vision process: one wait for frames and answers alike."""

    def __init__(self, pipeline: Any, taker: Any, travel_of: TravelOf) -> None:
        self._pipeline = pipeline
        self._taker = taker
        self._travel_of = travel_of
        pipeline.overlap(taker.wake)

    def step(self) -> View | None:
        pause_ms = self._pipeline.pause_before_frame_ms()
        if pause_ms == 0.0:
            self._taker.ask()
        ticket = self._taker.wait(min(pause_ms or _WAIT_MS, _WAIT_MS))
        view: View | None = self._pipeline.finish()
        if ticket is not None:
            travel_um = self._travel_of(ticket)
            if self._pipeline.is_due(travel_um):
                self._pipeline.begin(self._pipeline.retrieve(ticket, travel_um))
        return view

    def close(self) -> None:
        self._taker.close()
