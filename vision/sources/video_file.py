"""A recorded video, every frame of it, at the pace it was recorded; cameras that come and go are `live_camera`'s."""

import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sorter.errors import SourceError
from sorter.model.settings import Settings
from sorter.runtime.clock import Clock
from vision.sources.capture import open_file
from vision.sources.decoding import resize_into
from vision.sources.frame_times import FrameTimes
from vision.sources.source import FrameTicket

_LOG = logging.getLogger(__name__)
# Containers without an index only estimate how many frames they hold.
_TOLERATED_SHORTFALL_RATIO = 0.05


class VideoFile:
    """A source that ends; frame k counts as exposed at epoch + k / its own frame rate."""

    is_live = False

    def __init__(self, settings: Settings, clock: Clock, epoch_ns: int) -> None:
        """Open the file at `source.location`.

        Args:
            settings: location and picture size.
            clock: what frames are waited for on.
            epoch_ns: when the first frame counts as exposed.

        Raises:
            SourceError: if the file is missing, no video, or shorter than its header promises.
        """
        self.width_px = settings.camera.width_px
        self.height_px = settings.camera.height_px
        self.fault: str | None = None
        self.is_exhausted = False
        self.dropped_count = 0
        self.copied_count = 0
        self._path = Path(settings.source.location)
        _check_is_whole(self._path)
        self._capture = open_file(self._path)
        rate_hz = self._capture.frame_rate_hz or settings.camera.frame_rate_hz
        self._times = FrameTimes(clock, epoch_ns, rate_hz)
        self._taken_count = 0
        self._is_taken = False

    def grab(self, timeout_ms: float = 100.0) -> FrameTicket | None:
        """Take the next frame, however late it is taken; see `FrameSource`."""
        self._is_taken = False
        deadline_ns = self._times.deadline_ns(timeout_ms)
        if self.is_exhausted:
            self._times.wait_out(deadline_ns)
            return None
        if not self._times.wait_for(self._taken_count, deadline_ns):
            return None
        if not self._capture.grab():
            self._end()
            return None
        ticket = FrameTicket(self._taken_count, self._times.exposed_at_ns(self._taken_count))
        self._taken_count += 1
        self._is_taken = True
        return ticket

    def retrieve(self, out: NDArray[np.uint8]) -> None:
        """Decode the frame taken last; see `FrameSource`."""
        if not self._is_taken:
            raise RuntimeError("no frame was taken; call grab first")
        picture = self._capture.retrieve(out)
        if picture is None:
            out[:] = 0
            self.dropped_count += 1
            _LOG.warning("video %s: frame %d cannot be decoded", self._path, self._taken_count - 1)
        elif picture is not out:
            self.copied_count += 1
            resize_into(picture, out)

    def close(self) -> None:
        """Close the file."""
        self.is_exhausted = True
        self._capture.release()

    def _end(self) -> None:
        self.is_exhausted = True
        promised_count = self._capture.frame_count
        if _is_short(self._taken_count, promised_count):
            self.fault = f"video {self._path} breaks off after frame {self._taken_count} of {promised_count}"


def _check_is_whole(path: Path) -> None:
    """Look for the first frame and for one near the promised end."""
    if not path.is_file():
        raise SourceError(f"source.location = {str(path)!r}: no such video file")
    capture = open_file(path)
    try:
        if not capture.is_open or not capture.grab() or capture.retrieve(np.empty((1, 1, 3), np.uint8)) is None:
            raise SourceError(f"source.location = {str(path)!r}: not a video that can be read, or cut off at its start")
        last_needed = int(capture.frame_count * (1 - _TOLERATED_SHORTFALL_RATIO)) - 1
        if last_needed > 0 and not capture.can_reach(last_needed):
            raise SourceError(
                f"source.location = {str(path)!r}: cut off: it promises {capture.frame_count} frames and ends before "
                f"frame {last_needed}"
            )
    finally:
        capture.release()


def _is_short(count: int, promised_count: int) -> bool:
    return count < promised_count * (1 - _TOLERATED_SHORTFALL_RATIO) - 1
