"""Taking frames beside the work on them, so that one loop can wait for the next frame and for an answer at once.

A frame is taken only when it is asked for, so what comes was exposed, or was the newest there was, when the loop was
ready for it. The wait is on a condition: nothing is asked for again and again.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from vision.sources.source import FrameSource, FrameTicket

# The source's own wait ends now and then, so that closing does not hang on a camera that is silent.
_GRAB_TIMEOUT_MS = 50.0


class News:
    """Something that any thread says and one waits for."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._is_said = False

    def tell(self) -> None:
        """End the wait, or the next one if nobody waits."""
        with self._changed:
            self._is_said = True
            self._changed.notify_all()

    def wait(self, timeout_ms: float) -> None:
        """Return when something was told since the last wait, or when the time is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_said, timeout_ms / 1000)
            self._is_said = False


class FrameTaker:
    """A thread that grabs one frame when asked; between `taken` and the next `ask` the source is the caller's alone."""

    def __init__(self, source: FrameSource, tell: Callable[[], None]) -> None:
        """Start nothing yet.

        Args:
            source: grabbed from by the thread, decoded by the caller.
            tell: called by the thread when a frame was grabbed, or none came for a while.
        """
        self._source = source
        self._tell = tell
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="frames")
        self._taking: Future[FrameTicket | None] | None = None

    def ask(self) -> None:
        """Let the next frame be grabbed; without effect while one is on its way."""
        if self._taking is None:
            self._taking = self._thread.submit(self._source.grab, _GRAB_TIMEOUT_MS)
            self._taking.add_done_callback(lambda _taking: self._tell())

    def taken(self) -> FrameTicket | None:
        """The frame that was asked for, still undecoded; None if there is none (yet)."""
        if self._taking is None or not self._taking.done():
            return None
        taken, self._taking = self._taking, None
        return taken.result()

    def close(self) -> None:
        """Take no more; returns when the thread has let go of the source."""
        self._thread.shutdown(wait=True, cancel_futures=True)
