"""Server-sent events for many slow readers: the newest message wins for each, and nothing ever queues."""

import threading
from collections.abc import Iterator

# A silent stream says a word this often, so that a client that has gone is noticed and its place is free again.
_KEEP_ALIVE_S = 5.0
_KEEP_ALIVE = b": still here\n\n"
_RECONNECT = b"retry: 1000\n\n"


class NewestEvent:
    """Holds the newest event and wakes who waits for one newer than what it has seen.

    Loss rule: an event that is replaced before a reader came for it is lost to that reader, on purpose.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._version = 0
        self._data = b""
        self._is_closed = False

    @property
    def is_closed(self) -> bool:
        """Whether the line is stopping and streams must end."""
        return self._is_closed

    def put(self, data: bytes) -> None:
        """Replace the event; `data` is one line of JSON."""
        self.put_raw(b"data: " + data + b"\n\n")

    def put_raw(self, data: bytes) -> None:
        """Replace the event by bytes that are sent as they are."""
        with self._changed:
            self._version += 1
            self._data = data
            self._changed.notify_all()

    def close(self) -> None:
        """End all streams."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def wait_newer(self, seen_version: int, timeout_s: float) -> tuple[int, bytes] | None:
        """The newest event and its version once it is newer than `seen_version`; None after the timeout or closing."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or self._version > seen_version, timeout_s)
            if self._is_closed or self._version <= seen_version:
                return None
            return self._version, self._data


def event_stream(newest: NewestEvent, keep_alive_s: float = _KEEP_ALIVE_S) -> Iterator[bytes]:
    """The body of a server-sent event stream: at once the newest event, then each that is newest when there is time."""
    yield _RECONNECT
    version = 0
    while not newest.is_closed:
        event = newest.wait_newer(version, keep_alive_s)
        if event is None:
            yield _KEEP_ALIVE
        else:
            version, data = event
            yield data


class StreamPlaces:
    """A fixed number of places for open streams; who comes when all are taken is told so, not kept waiting."""

    def __init__(self, place_count: int) -> None:
        self.place_count = place_count
        self._lock = threading.Lock()
        self._taken_count = 0

    @property
    def taken_count(self) -> int:
        """How many streams are open."""
        return self._taken_count

    def take(self) -> bool:
        """Take a place; False when there is none."""
        with self._lock:
            if self._taken_count >= self.place_count:
                return False
            self._taken_count += 1
            return True

    def give_back(self) -> None:
        """Free the place of a stream that has ended."""
        with self._lock:
            self._taken_count -= 1
