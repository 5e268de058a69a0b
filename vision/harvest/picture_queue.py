"""The queue between the frame path and the folder: a thread encodes and writes, so that no frame waits for a disk.

Loss rule: when the queue is full, the newest picture is dropped and counted.
"""

import enum
import queue
import threading
from contextlib import suppress

from vision.harvest.picture_store import ChosenPicture, PictureStore

QUEUE_LENGTH = 8


class _Order(enum.Enum):
    REOPEN = "reopen"
    END = "end"


class PictureQueue:
    """A thread that writes what is put before it, in order."""

    def __init__(self, store: PictureStore) -> None:
        self._store = store
        self._waiting: queue.Queue[ChosenPicture | _Order] = queue.Queue(QUEUE_LENGTH)
        self._full_count = 0
        self._unwritten_count = 0
        self._thread = threading.Thread(target=self._run, name="harvest", daemon=True)
        self._thread.start()

    @property
    def dropped_count(self) -> int:
        """Pictures that found the queue full, or that the store could not write."""
        return self._full_count + self._unwritten_count

    def put(self, chosen: ChosenPicture) -> bool:
        """Hand a picture over; False (and counted) when the queue is full."""
        try:
            self._waiting.put_nowait(chosen)
        except queue.Full:
            self._full_count += 1
            return False
        return True

    def reopen(self) -> None:
        """Let the thread see whether the folder can be used again."""
        with suppress(queue.Full):
            self._waiting.put_nowait(_Order.REOPEN)

    def close(self) -> None:
        """Write what waits, then end the thread."""
        self._waiting.put(_Order.END)
        self._thread.join()

    def _run(self) -> None:
        while (waiting := self._waiting.get()) is not _Order.END:
            if waiting is _Order.REOPEN:
                self._store.open()
            elif not self._store.write(waiting):
                self._unwritten_count += 1
