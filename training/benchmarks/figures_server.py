"""A bare HTTP server over a store, in a process of its own: figures of a period as JSON, nothing cached between them.

Run as a module: the store's file; it says its port and serves until its input ends.
"""

import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import msgspec

from sorter.figures.audit_correction import target_draws
from sorter.figures.bulletin import all_figures
from sorter.model.rollups import Period
from sorter.model.settings import FiguresSettings
from sorter.store.reading import period_record
from sorter.store.sqlite_reader import SqliteReader


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # head and body in one packet: two would wait for the client's kernel to acknowledge the first
    wbufsize = -1
    reader: SqliteReader

    def do_GET(self) -> None:
        """Answer /FROM_MS/TO_MS with all figures of that period."""
        from_ms, to_ms = (int(part) for part in self.path.strip("/").split("/"))
        target_draws.cache_clear()
        body = msgspec.json.encode(all_figures(period_record(self.reader, Period(from_ms, to_ms)), FiguresSettings()))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing: it is the client that measures."""


def main() -> None:
    """Serve until standard input ends, that is until whoever started this is gone."""
    _Handler.reader = SqliteReader(Path(sys.argv[1]))
    server = HTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
