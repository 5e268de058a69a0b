"""The thread that writes: the deciding loop hands events over and goes on, whatever the disk does."""

import threading

from sorter.model.events import AnyEvent
from sorter.runtime.clock import Clock, wall_ms
from sorter.store.keeping import Keeping, StoreTrouble

# how long an event may wait before it is durable; each batch is one write that the disk must confirm
_BATCH_S = 1.0
_CLOSE_TIMEOUT_S = 1.5
_LAST_STEP_COUNT = 20


class Recorder:
    """Writes what it is given, about once a second, in a thread of its own."""

    def __init__(self, keeping: Keeping, clock: Clock) -> None:
        self.keeping = keeping
        self._clock = clock
        self._stop_requested = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    @property
    def trouble(self) -> StoreTrouble | None:
        """What is wrong, None while all is well."""
        if self._thread.is_alive() or self._stop_requested.is_set():
            return self.keeping.trouble
        return StoreTrouble("store_fault", "the recorder has died; the line sorts on and remembers nothing")

    def put(self, event: AnyEvent) -> None:
        """Hand over an event; never blocks."""
        self.keeping.put(event)

    def close(self) -> None:
        """Write what waits and stop; a disk that does not answer is waited for 1.5 s."""
        self._stop_requested.set()
        self._thread.join(_CLOSE_TIMEOUT_S)

    def _run(self) -> None:
        while not self._stop_requested.wait(_BATCH_S):
            self.keeping.step(self._clock.now_ns(), wall_ms())
        for _ in range(_LAST_STEP_COUNT):
            self.keeping.step(self._clock.now_ns(), wall_ms())
            if self.keeping.waiting_count == 0:
                break
        self.keeping.close()
