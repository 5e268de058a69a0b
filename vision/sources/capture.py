"""cv2's video capture given our types: what reads files and cameras alike; pace and recovery are the sources' care."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from sorter.errors import SourceError

# What cv2 and FFmpeg would write to standard error is said by the sources, once and in a sentence.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

# A stream that falls silent fails after this long, so that it can be opened again.
_STREAM_TIMEOUTS = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, 2000, cv2.CAP_PROP_READ_TIMEOUT_MSEC, 2000]
_GSTREAMER_SIGN = " ! "


class Capture(Protocol):
    """Something that pictures can be taken from, one after the other."""

    @property
    def is_open(self) -> bool:
        """Whether it could be opened."""
        ...

    def grab(self) -> bool:
        """Wait for the next picture and take it; False when none comes."""
        ...

    def retrieve(self, buffer: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
        """The picture taken last, (H, W, 3) uint8 BGR, decoded into `buffer` if it has its size; None: unreadable."""
        ...

    def release(self) -> None:
        """Give it up; harmless when done twice."""
        ...


class StampedCapture(Capture, Protocol):
    """A capture whose driver may say when a picture was exposed."""

    @property
    def stamped_at_ns(self) -> int | None:
        """When the picture taken last was exposed, CLOCK_MONOTONIC; None where the driver does not say."""
        ...


CaptureFactory = Callable[[], Capture]


class CvCapture:
    """A `Capture` on cv2."""

    def __init__(self, capture: cv2.VideoCapture) -> None:
        self._capture = capture

    @property
    def is_open(self) -> bool:
        """Whether cv2 could open it."""
        return self._capture.isOpened()

    @property
    def frame_rate_hz(self) -> float | None:
        """Frames a second as the file says, None when it does not."""
        rate_hz = float(self._capture.get(cv2.CAP_PROP_FPS))
        return rate_hz if 0.0 < rate_hz <= 1000.0 else None

    @property
    def stamped_at_ns(self) -> int | None:
        """When the driver says that the picture taken last was exposed, CLOCK_MONOTONIC; None where it does not say."""
        stamp_ms = float(self._capture.get(cv2.CAP_PROP_POS_MSEC))
        return round(stamp_ms * 1e6) if stamp_ms > 0.0 else None

    @property
    def frame_count(self) -> int:
        """Frames that the file's header promises; 0 when it does not say."""
        return max(0, int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT)))

    def can_reach(self, frame_id: int) -> bool:
        """Whether a frame that far into a file is there; moves the place of reading."""
        self._capture.set(cv2.CAP_PROP_POS_FRAMES, frame_id)
        return self._capture.grab() and self._capture.get(cv2.CAP_PROP_POS_FRAMES) > frame_id

    def grab(self) -> bool:
        """See `Capture`."""
        try:
            return self._capture.grab()
        except cv2.error:
            return False

    def retrieve(self, buffer: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
        """See `Capture`."""
        try:
            is_read, picture = self._capture.retrieve(buffer)
        except cv2.error:
            return None
        return np.asarray(picture, np.uint8) if is_read else None

    def release(self) -> None:
        """See `Capture`."""
        self._capture.release()


def open_file(path: Path) -> CvCapture:
    """Open a video file; whether that worked is for the caller to ask."""
    return CvCapture(cv2.VideoCapture(str(path)))


def open_camera(location: str, width_px: int, height_px: int, frame_rate_hz: float) -> CvCapture:
    """Open a device number, URL or GStreamer pipeline; whether that worked is for the caller to ask.

    A local device is asked for the size and rate; it may give others.

    Raises:
        SourceError: for a pipeline, where OpenCV was built without GStreamer.
    """
    # a pipeline may well hold the URL of a stream, so it is asked for first
    if _GSTREAMER_SIGN in location:
        return _open_pipeline(location)
    if "://" in location:
        return CvCapture(cv2.VideoCapture(location, cv2.CAP_FFMPEG, _STREAM_TIMEOUTS))
    capture = cv2.VideoCapture(int(location)) if location.isdigit() else cv2.VideoCapture(location)
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, width_px)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height_px)
    capture.set(cv2.CAP_PROP_FPS, frame_rate_hz)
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    return CvCapture(capture)


def _open_pipeline(pipeline: str) -> CvCapture:
    if not cv2.videoio_registry.hasBackend(cv2.CAP_GSTREAMER):
        raise SourceError(
            "source.location is a GStreamer pipeline, and the OpenCV installed here was built without GStreamer (as "
            "the packages from PyPI are); use the system's own OpenCV, or give a device or the URL of a stream"
        )
    return CvCapture(cv2.VideoCapture(pipeline, cv2.CAP_GSTREAMER))
