"""More readers than the API works for at once, beside open streams: everybody is answered, and the streams go on."""

import http.client
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sorter.model.settings import ApiSettings, Settings
from sorter.runtime.clock import SystemClock
from sorter.store.protocol import StoreReader
from sorter.store.sqlite_reader import SqliteReader
from sorter.store.sqlite_writer import SqliteWriter
from ui.api.line_api import api_over_store
from ui.api.site import with_api
from ui.streams import NewestEvent, event_stream
from ui.web_server import WebServer, listen

READERS, STREAMS = 64, 32
PATHS = ("/api/v1/lines", "/api/v1/composition", "/api/v1/quality", "/api/v1/events?limit=10", "/api/v1/nowhere")


class Served:
    """A page that streams, and beside it the API of an empty store whose readers take their time."""

    def __init__(self, folder: Path) -> None:
        self.newest = NewestEvent()
        self.newest.put(b"1")
        self.writer = SqliteWriter(folder / "events.sqlite")
        self._path = folder / "events.sqlite"
        limits = ApiSettings(
            public_scopes=("figures:read", "events:read"), public_rate_per_min=300, max_concurrent_count=2
        )
        api = api_over_store(Settings(api=limits), self._open, SystemClock())
        listener = listen("127.0.0.1", 0)
        self.port = int(listener.getsockname()[1])
        self.server = WebServer(with_api(self._page, api), listener)
        self.server.start()

    def _open(self) -> StoreReader:
        return SqliteReader(self._path)

    def _page(self, _environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "text/event-stream")])
        return event_stream(self.newest)

    def close(self) -> None:
        self.newest.close()
        self.server.stop()
        self.writer.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    server = Served(tmp_path)
    yield server
    server.close()


def test_everybody_is_answered_and_streams_go_on(served: Served) -> None:
    streams = [http.client.HTTPConnection("127.0.0.1", served.port, timeout=20) for _ in range(STREAMS)]
    opened = []
    for stream in streams:
        stream.request("GET", "/live")
        opened.append(stream.getresponse())
    found: Counter[tuple[int, str]] = Counter()
    turn = threading.Lock()

    def read(number: int) -> None:
        for step in range(10):
            connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
            connection.request("GET", PATHS[(number + step) % len(PATHS)])
            answer = connection.getresponse()
            answer.read()
            with turn:
                found[answer.status, answer.headers["Content-Type"]] += 1
            connection.close()

    readers = [threading.Thread(target=read, args=(number,)) for number in range(READERS)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert sum(found.values()) == 10 * READERS
    assert {status for status, _ in found} <= {200, 404, 429, 503}
    # 300 a minute from one address: the rest is told to come back
    assert found[200, "application/json"] > 0
    assert found[429, "application/problem+json"] > 0
    assert {kind for status, kind in found if status >= 400} == {"application/problem+json"}
    served.newest.put(b"2")
    for stream, answer in zip(streams, opened, strict=True):
        while b"data: 2" not in answer.readline():
            pass
        stream.close()
