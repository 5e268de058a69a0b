"""Frames before one network: while it looks at one or several, the next lies ready, so that the network never waits.

Loss rule: a frame that is laid takes the place of the one that lies ready. Who must not lose any asks `is_full` first.
"""

from collections import deque
from collections.abc import Callable

import msgspec
import numpy as np
from numpy.typing import NDArray

from sorter.runtime.clock import Clock
from vision.detectors.detector import Detector, Seat
from vision.frame import Detections, Frame


class Looked(msgspec.Struct, frozen=True, eq=False):
    """A frame, what was seen on it, by whom, and how long the network looked at it."""

    frame: Frame
    detections: Detections
    detector: Detector
    duration_ns: int


class _Laid:
    """A frame in a seat, from being laid there until its answer was read."""

    def __init__(self, frame: Frame, seat: Seat, detector: Detector) -> None:
        self.frame = frame
        self.seat = seat
        self.detector = detector
        self.started_at_ns = 0
        self.answered_at_ns: int | None = None


class Looking:
    """Frames in, answers out, in the same order; used by one thread, to which `tell` says that an answer is there.

    Attributes:
        replaced_count: frames that lay ready when a newer one took their place.
    """

    def __init__(
        self,
        detector: Detector,
        clock: Clock,
        tell: Callable[[], None],
        note_start: Callable[[Frame], None],
        stream_count: int = 1,
    ) -> None:
        """Open seats for frames that are looked at, that lie ready, and that were answered before their turn.

        Args:
            detector: the network.
            clock: what the network is timed with.
            tell: called on any thread when an answer is there.
            note_start: told of every frame that the network begins to look at.
            stream_count: frames that the network looks at at a time.
        """
        self._clock = clock
        self._tell = tell
        self._note_start = note_start
        self._stream_count = stream_count
        self._running: deque[_Laid] = deque()
        self._ready: _Laid | None = None
        self.replaced_count = 0
        self.use_detector(detector)

    def use_detector(self, detector: Detector) -> None:
        """Let another model look from the next frame laid on; what is under way is answered by the old one."""
        self._detector = detector
        self._free_seats = [detector.open_seat() for _ in range(2 * self._stream_count)]
        self._own_seats = tuple(self._free_seats)

    @property
    def is_full(self) -> bool:
        """Whether a frame lies ready already."""
        return self._ready is not None

    @property
    def running_since_ns(self) -> int | None:
        """When the network began to look at the oldest frame before it; None while it could take another at once."""
        return None if self._has_room() else self._running[0].started_at_ns

    @property
    def pictures(self) -> tuple[NDArray[np.uint8], ...]:
        """The pictures that must stay as they are."""
        laid = [*self._running, *([] if self._ready is None else [self._ready])]
        return tuple(one.frame.image for one in laid)

    def lay(self, frame: Frame) -> None:
        """Lay a frame ready, in the place of the one that lies there; it is started if the network is free."""
        if self._ready is not None:
            self.replaced_count += 1
            self._free(self._ready)
        seat = self._free_seats.pop()
        seat.lay(frame)
        self._ready = _Laid(frame, seat, self._detector)
        self._start()

    def answer(self) -> Looked | None:
        """What was seen on the oldest frame looked at, if that is known by now; the next one is started first."""
        self._start()
        if not self._has_answer():
            return None
        laid = self._running.popleft()
        self._start()
        assert laid.answered_at_ns is not None, "it was asked above"
        looked = Looked(laid.frame, laid.seat.answer(), laid.detector, laid.answered_at_ns - laid.started_at_ns)
        self._free(laid)
        if self._has_answer():
            self._tell()  # it was told of before its turn had come
        return looked

    def close(self) -> None:
        """Wait for the frames that are being looked at: a runtime must not be left alone with one."""
        self._ready = None
        while self._running:
            self._running.popleft().seat.answer()

    def _has_room(self) -> bool:
        """Whether a stream is free; answers that wait for an older one are bounded, and with them the seats."""
        unanswered_count = sum(laid.answered_at_ns is None for laid in self._running)
        return unanswered_count < self._stream_count and len(self._running) < 2 * self._stream_count - 1

    def _has_answer(self) -> bool:
        return bool(self._running) and self._running[0].answered_at_ns is not None

    def _start(self) -> None:
        laid = self._ready
        if laid is None or not self._has_room():
            return
        self._running.append(laid)
        self._ready = None
        self._note_start(laid.frame)
        laid.started_at_ns = self._clock.now_ns()
        laid.seat.start(lambda: self._note_answer(laid))

    def _note_answer(self, laid: _Laid) -> None:
        # Called by the runtime's own thread, at times before `start` has returned.
        laid.answered_at_ns = self._clock.now_ns()
        self._tell()

    def _free(self, laid: _Laid) -> None:
        if laid.seat in self._own_seats:
            self._free_seats.append(laid.seat)
