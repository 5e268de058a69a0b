"""The load of the API bench, a process of its own: readers that ask for figures, and open live streams.

Run as `python -m training.benchmarks.api_load`; one JSON object on standard input says what to do, one on standard
output what came of it.
"""

import http.client
import itertools
import sys
import threading
from collections import Counter

import msgspec

from sorter.model.units import NS_PER_S
from sorter.runtime.clock import SystemClock

_HOST = "127.0.0.1"
_TIMEOUT_S = 10.0
_CHUNK_BYTES = 65_536
_STREAM_PATH = "/events"
_RETRY_S = 1.0
PATHS = (
    "/api/v1/composition",
    "/api/v1/throughput?resolution=hour",
    "/api/v1/lines",
    "/api/v1/quality",
    "/api/v1/composition?format=csv",
    "/api/v1/events?limit=100",
)


class Load(msgspec.Struct, frozen=True):
    """What to ask: `pause_s` is how long a reader reads before it asks again."""

    port: int
    token: str
    duration_s: float
    reader_count: int
    stream_count: int
    pause_s: float


class Outcome(msgspec.Struct, frozen=True):
    """What came of it: how long each answer took, how often which status came, and what was no answer."""

    answered_ms: list[float]
    statuses: dict[str, int]
    failed_count: int
    stream_bytes: int


class _Crowd:
    """Readers and streams on threads, and what they note."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._clock = SystemClock()
        self._ends_at_ns = self._clock.now_ns() + round(load.duration_s * NS_PER_S)
        self._turn = threading.Lock()
        self._over = threading.Event()
        self.answered_ms: list[float] = []
        self.statuses: Counter[str] = Counter()
        self.failed_count = 0
        self.stream_bytes = 0

    def run(self) -> Outcome:
        """All at once until the time is over."""
        load = self._load
        streams = [threading.Thread(target=self._watch, daemon=True) for _ in range(load.stream_count)]
        readers = [threading.Thread(target=self._read, args=(number,)) for number in range(load.reader_count)]
        for thread in (*streams, *readers):
            thread.start()
        self._clock.wait_until_ns(self._ends_at_ns)
        self._over.set()
        for thread in readers:
            thread.join()
        return Outcome(self.answered_ms, dict(self.statuses), self.failed_count, self.stream_bytes)

    def _read(self, number: int) -> None:
        """A well-behaved reader: says which answer it has, and reads for a while before it asks again."""
        tags: dict[str, str] = {}
        # readers do not all begin in the same instant
        self._over.wait(self._load.pause_s * number / self._load.reader_count)
        for path in itertools.cycle(PATHS[number % len(PATHS) :] + PATHS[: number % len(PATHS)]):
            if self._over.is_set():
                return
            self._ask(path, tags)
            self._over.wait(self._load.pause_s)

    def _ask(self, path: str, tags: dict[str, str]) -> None:
        headers = {"Authorization": f"Bearer {self._load.token}", "Accept-Encoding": "gzip"}
        if path in tags:
            headers["If-None-Match"] = tags[path]
        asked_at_ns = self._clock.now_ns()
        connection = http.client.HTTPConnection(_HOST, self._load.port, timeout=_TIMEOUT_S)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            with self._turn:
                self.failed_count += 1
            return
        finally:
            connection.close()
        tags[path] = answer.headers.get("ETag", "")
        with self._turn:
            self.answered_ms.append((self._clock.now_ns() - asked_at_ns) / 1e6)
            self.statuses[str(answer.status)] += 1

    def _watch(self) -> None:
        """Read a live stream as it comes; one that has no place yet is asked for again, as browsers do."""
        while not self._over.is_set():
            is_open = self._follow()
            if is_open and not self._over.is_set():
                with self._turn:
                    self.failed_count += 1
            self._over.wait(_RETRY_S)

    def _follow(self) -> bool:
        """Read one stream until it ends or the time is over; False where there was no place for it."""
        connection = http.client.HTTPConnection(_HOST, self._load.port, timeout=_TIMEOUT_S)
        try:
            connection.request("GET", _STREAM_PATH)
            answer = connection.getresponse()
            if answer.status != http.client.OK:
                return False
            while not self._over.is_set() and (received := answer.read1(_CHUNK_BYTES)):
                with self._turn:
                    self.stream_bytes += len(received)
        except (OSError, http.client.HTTPException):
            return True
        finally:
            connection.close()
        return True


def main() -> None:
    """Do what standard input says."""
    load = msgspec.json.decode(sys.stdin.buffer.read(), type=Load)
    sys.stdout.buffer.write(msgspec.json.encode(_Crowd(load).run()))


if __name__ == "__main__":
    main()
