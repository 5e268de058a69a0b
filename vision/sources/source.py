"""What every source of pictures looks like to the pipeline; each way of getting them has a module of its own."""

from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray


class FrameTicket(msgspec.Struct, frozen=True):
    """A frame that was taken but not yet decoded; the instant is CLOCK_MONOTONIC."""

    frame_id: int
    exposed_at_ns: int


class FrameSource(Protocol):
    """Pictures one after the other, taken first and decoded only when somebody wants them.

    The split is that of cv2's grab and retrieve: a frame that the travel trigger does not want costs no decoding.
    """

    @property
    def is_live(self) -> bool:
        """Whether frames are lost when nobody takes them in time; files keep every one."""
        ...

    @property
    def is_exhausted(self) -> bool:
        """Whether no frame will ever come again."""
        ...

    @property
    def fault(self) -> str | None:
        """Why no pictures come at present, or came to an early end, in one sentence; None while all is well."""
        ...

    @property
    def dropped_count(self) -> int:
        """Frames lost so far: overtaken by newer ones, lost on the way, or unreadable."""
        ...

    @property
    def copied_count(self) -> int:
        """Pictures copied or resized so far on their way from the decoder into the buffer given to `retrieve`."""
        ...

    @property
    def width_px(self) -> int:
        """Columns of every picture handed out."""
        ...

    @property
    def height_px(self) -> int:
        """Rows of every picture handed out."""
        ...

    def grab(self, timeout_ms: float = 100.0) -> FrameTicket | None:
        """Take the next frame without decoding it, waiting for its exposure; None: none came within the time.

        A source that is exhausted waits the time out, too, so that a loop round it does not spin.
        Frame ids only grow; a gap is a lost frame. The frame taken before becomes unavailable.
        """
        ...

    def retrieve(self, out: NDArray[np.uint8]) -> None:
        """Decode or render the frame taken last into `out`, (height_px, width_px, 3) uint8 BGR.

        Raises:
            RuntimeError: if no frame was taken.
        """
        ...

    def close(self) -> None:
        """Give up files, devices and threads; harmless when done twice."""
        ...
