"""A camera that may go away and come back: newest frame wins, nothing is decoded unless it is wanted.

A thread of its own keeps taking pictures, so that what a consumer gets was exposed after it asked; opening devices and
streams is left to `capture`.
"""

import re
import threading
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sorter.errors import SourceError
from sorter.model.settings import CameraSettings
from sorter.model.units import NS_PER_S
from sorter.runtime.clock import Clock
from vision.sources.capture import Capture, CaptureFactory
from vision.sources.decoding import resize_into
from vision.sources.source import FrameTicket

_BACKOFF_S: Final = (0.2, 5.0)
_SILENCE_NS: Final = NS_PER_S
_JOIN_TIMEOUT_S: Final = 2.0


class LiveCamera:
    """A source without an end; frames that nobody waits for are taken and thrown away undecoded.

    The reader thread hands over a frame only while somebody waits in `grab`, and then rests until that frame was
    retrieved or the next one is asked for: the picture decoded is the one on the ticket.
    """

    is_live = True

    def __init__(
        self,
        camera: CameraSettings,
        location: str,
        clock: Clock,
        open_capture: CaptureFactory,
        backoff_s: tuple[float, float] = _BACKOFF_S,
    ) -> None:
        """Open the camera and start reading.

        Args:
            camera: picture size.
            location: what to call it in messages.
            clock: stamps frames.
            open_capture: opens it, at first and whenever it went away.
            backoff_s: first and longest wait before it is opened again.

        Raises:
            SourceError: if it does not open.
        """
        self.width_px = camera.width_px
        self.height_px = camera.height_px
        self.is_exhausted = False
        self.dropped_count = 0
        self.copied_count = 0
        self._location = _without_credentials(location)
        self._clock = clock
        self._open_capture = open_capture
        self._backoff_s = backoff_s
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        self._is_wanted = False
        self._ticket: FrameTicket | None = None
        self._taken_count = 0
        self._loss: str | None = None
        self._heard_at_ns = clock.now_ns()
        self._capture = self._open_first()
        self._reader = threading.Thread(target=self._read, name=f"camera {location}", daemon=True)
        self._reader.start()

    @property
    def fault(self) -> str | None:
        """That the camera went away, or has been silent for a second; None while pictures come."""
        with self._changed:
            if self._loss is not None or self.is_exhausted or self._ticket is not None:
                return self._loss
            is_silent = self._clock.now_ns() - self._heard_at_ns > _SILENCE_NS
        return f"camera {self._location}: no picture for more than a second" if is_silent else None

    def grab(self, timeout_ms: float = 100.0) -> FrameTicket | None:
        """Wait for the next frame to be exposed; see `FrameSource`."""
        with self._changed:
            self._ticket, self._is_wanted = None, True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._ticket is not None or self._stopped.is_set(), timeout_ms / 1000)
            self._is_wanted = False
            return self._ticket

    def retrieve(self, out: NDArray[np.uint8]) -> None:
        """Decode the frame taken last and let the reader go on; see `FrameSource`."""
        with self._changed:
            if self._ticket is None:
                raise RuntimeError("no frame was taken; call grab first")
            picture = self._capture.retrieve(out)
            if picture is None:
                out[:] = 0
                self.dropped_count += 1
            elif picture is not out:
                self.copied_count += 1
                resize_into(picture, out)
            self._ticket = None
            self._changed.notify_all()

    def close(self) -> None:
        """Stop reading and give the camera up."""
        with self._changed:
            self.is_exhausted = True
            self._ticket = None
            self._stopped.set()
            self._changed.notify_all()
        self._reader.join(_JOIN_TIMEOUT_S)

    def _open_first(self) -> Capture:
        capture = self._open_capture()
        if not capture.is_open:
            capture.release()
            raise SourceError(
                f"source.location = {self._location!r}: the camera does not open; give a device number, "
                "the URL of a stream, or a GStreamer pipeline"
            )
        return capture

    def _read(self) -> None:
        while not self._stopped.is_set():
            if self._capture.grab():
                self._offer()
            else:
                self._reopen()
        self._capture.release()

    def _offer(self) -> None:
        """Give the frame just taken to who waits for one, and wait until it is decoded; or count it as dropped."""
        now_ns = self._clock.now_ns()
        with self._changed:
            self._loss, self._heard_at_ns = None, now_ns
            frame_id, self._taken_count = self._taken_count, self._taken_count + 1
            if not self._is_wanted:
                self.dropped_count += 1
                return
            self._ticket, self._is_wanted = FrameTicket(frame_id, now_ns), False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._ticket is None or self._stopped.is_set())

    def _reopen(self) -> None:
        """Try to open the camera until it opens or nobody wants it any more, waiting longer each time."""
        with self._changed:
            self._loss = f"camera {self._location} went away; trying to open it again"
        self._capture.release()
        wait_s, longest_s = self._backoff_s
        while not self._stopped.wait(wait_s):
            capture = self._open_capture()
            if capture.is_open:
                self._capture = capture
                return
            capture.release()
            wait_s = min(longest_s, 2 * wait_s)


def _without_credentials(location: str) -> str:
    """A stream's URL as it may be shown: user and password are nobody's business but the camera's."""
    return re.sub(r"://[^@/]*@", "://", location)
