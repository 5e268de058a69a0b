"""Pictures from a GStreamer pipeline, by the system's own GStreamer; the door to its Python binding.

PyPI's OpenCV is built without GStreamer, so this speaks to it directly: `python3-gi` and `gir1.2-gst-plugins-base-1.0`
of the system. A picture in ordinary memory is copied once, from GStreamer's buffer into the slot; one in a Jetson's own
memory (NVMM) is written into the slot by the GPU.
"""

import ctypes
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sorter.errors import SourceError

_TIMEOUT_NS = 2_000_000_000
_NO_TIME = 2**64 - 1


class Unpack(Protocol):
    """Brings a picture out of a GStreamer buffer that ordinary copying cannot read."""

    def __call__(self, buffer: Any, out: NDArray[np.uint8]) -> bool:
        """Write the picture, (H, W, 3) uint8 BGR; whether that worked."""
        ...


class GstCapture:
    """A `Capture` on a pipeline that ends in a sink named `sink`; see `vision.sources.capture.Capture`."""

    def __init__(self, pipeline: str, unpack: Unpack | None = None) -> None:
        """Start the pipeline.

        Args:
            pipeline: as gst-launch-1.0 would take it.
            unpack: for pictures in a Jetson's own memory; left out, they are BGR in ordinary memory.

        Raises:
            SourceError: if GStreamer is not installed or does not understand the pipeline.
        """
        self._gst = _gstreamer()
        self._library = ctypes.CDLL("libgstreamer-1.0.so.0")
        self._library.gst_buffer_extract.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t]
        self._library.gst_buffer_extract.restype = ctypes.c_size_t
        try:
            self._pipeline = self._gst.parse_launch(pipeline)
        except self._gst.error as error:
            raise SourceError(f"GStreamer does not understand the pipeline: {error.message}: {pipeline}") from error
        self._sink = self._pipeline.get_by_name("sink")
        if self._sink is None:
            raise SourceError(f"the pipeline must end in appsink name=sink: {pipeline}")
        self._unpack = unpack
        self._sample: Any = None
        started = self._pipeline.set_state(self._gst.State.PLAYING)
        self.is_open = bool(started != self._gst.StateChangeReturn.FAILURE)

    @property
    def stamped_at_ns(self) -> int | None:
        """When the picture taken last was exposed, as the source says: the pipeline's clock is CLOCK_MONOTONIC."""
        stamp_ns = _NO_TIME if self._sample is None else self._sample.get_buffer().pts
        return None if stamp_ns == _NO_TIME else int(self._pipeline.get_base_time() + stamp_ns)

    def grab(self) -> bool:
        """Wait for the next picture and take it; False when none comes or the stream has ended."""
        self._sample = self._sink.try_pull_sample(_TIMEOUT_NS) if self.is_open else None
        return self._sample is not None

    def retrieve(self, buffer: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
        """The picture taken last, in the buffer given, which must have its size; None: unreadable."""
        if self._sample is None:
            return None
        caps = self._sample.get_caps().get_structure(0)
        size = (caps.get_value("height"), caps.get_value("width"))
        out = buffer if buffer.shape == (*size, 3) else np.empty((*size, 3), np.uint8)
        picture = self._sample.get_buffer()
        if self._unpack is not None:
            return out if self._unpack(picture, out) else None
        # rows lie without gaps where a width is a multiple of 4; GStreamer pads others
        stride = -(-3 * size[1] // 4) * 4
        if stride != 3 * size[1]:
            return self._without_padding(picture, out, stride)
        copied = self._library.gst_buffer_extract(hash(picture), 0, out.ctypes.data, out.nbytes)
        return out if copied == out.nbytes else None

    def release(self) -> None:
        """Stop the pipeline; harmless when done twice."""
        self._sample = None
        self._pipeline.set_state(self._gst.State.NULL)

    def _without_padding(self, picture: Any, out: NDArray[np.uint8], stride: int) -> NDArray[np.uint8] | None:
        padded = np.empty((out.shape[0], stride), np.uint8)
        copied = self._library.gst_buffer_extract(hash(picture), 0, padded.ctypes.data, padded.nbytes)
        np.copyto(out, padded[:, : 3 * out.shape[1]].reshape(out.shape))
        return out if copied == padded.nbytes else None


def mapped_bytes(buffer: Any) -> bytes | None:
    """What a buffer maps to; for one in a Jetson's own memory, the description of its surface."""
    is_mapped, info = buffer.map(_gstreamer().MapFlags.READ)
    if not is_mapped:
        return None
    data = bytes(info.data)
    buffer.unmap(info)
    return data


class _Gst:
    """What is used of the binding, so that everything else needs no import of it."""

    def __init__(self, gst: Any, error: type[Exception]) -> None:
        self.parse_launch = gst.parse_launch
        self.State = gst.State
        self.StateChangeReturn = gst.StateChangeReturn
        self.MapFlags = gst.MapFlags
        self.error = error


def _gstreamer() -> Any:
    try:
        import gi

        gi.require_version("Gst", "1.0")
        gi.require_version("GstApp", "1.0")
        from gi.repository import GLib, Gst, GstApp
    except (ImportError, ValueError) as error:
        raise SourceError(
            "source.taken_by: GStreamer is not installed for this Python: it wants python3-gi and "
            "gir1.2-gst-plugins-base-1.0 of the system, and an environment made with --system-site-packages"
        ) from error
    assert GstApp is not None  # it gives the sink its methods
    Gst.init(None)
    return _Gst(Gst, GLib.Error)
