"""The way to the hub: what answers in its place is not believed, and the key goes nowhere else."""

import http.server
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sorter.errors import ConfigurationError
from sorter.fleet.https_hub import HttpsHub, check_files
from sorter.fleet.hub_protocol import Failure, Trouble
from sorter.model.events import FaultNoted
from sorter.model.settings import FleetSettings
from sorter.store.batch import BATCH_VERSION, BATCHES_PATH, LIVES_PATH, PROBLEM_TYPE, Batch, HeldLife, unpack_batch

Answer = tuple[int, dict[str, str], bytes]
EVENT = FaultNoted(device_id="north", boot_id="a", seq=3, at_ms=1, process="p", code="c", detail="d", is_cleared=False)
BATCH = Batch(BATCH_VERSION, "north", "a", 2, (EVENT,))
RECEIPT = {"boot_id": "a", "last_seq": 3, "stored_count": 1, "known_count": 0}


class Answering:
    """A server on the loopback that answers as it is told and keeps what it was asked."""

    def __init__(self, certificate: tuple[Path, Path] | None = None) -> None:
        self.answer: Answer = (200, {}, json.dumps(RECEIPT).encode())
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                server.asked.append((self.command, self.path, dict(self.headers), body))
                status, headers, content = server.answer
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def do_POST(self) -> None:
                self.do_GET()

            def log_message(self, *_: Any) -> None: ...

        self._server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        if certificate is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(*certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            # what goes wrong with a client's handshake is the client's to tell
            self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def answering() -> Iterator[Answering]:
    server = Answering()
    yield server
    server.close()


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[Callable[..., HttpsHub]]:
    (tmp_path / "key").write_text("farz_key\nwhatever follows\n")
    made: list[HttpsHub] = []

    def make(url: str, ca_file: str = "") -> HttpsHub:
        made.append(HttpsHub(FleetSettings(url, str(tmp_path / "key"), ca_file, timeout_s=5.0)))
        return made[-1]

    yield make
    for hub in made:
        hub.close()


def test_a_batch_and_the_key_arrive_and_the_receipt_counts(
    answering: Answering, connect: Callable[..., HttpsHub]
) -> None:
    assert connect(f"http://127.0.0.1:{answering.port}/below/").send(BATCH) == 3
    method, path, headers, body = answering.asked[0]
    assert (method, path) == ("POST", f"/below{BATCHES_PATH}")
    assert headers["Authorization"] == "Bearer farz_key"
    assert unpack_batch(body) == BATCH


def test_lives_are_read(answering: Answering, connect: Callable[..., HttpsHub]) -> None:
    answering.answer = (200, {}, b'[{"boot_id": "a", "last_seq": 7}]')
    assert connect(f"http://127.0.0.1:{answering.port}").held_lives() == [HeldLife("a", 7)]
    assert answering.asked[0][:2] == ("GET", LIVES_PATH)


PROBLEM = {"Content-Type": PROBLEM_TYPE}


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        ((401, PROBLEM, b"{}"), Trouble.REFUSED_KEY),
        ((403, {}, b""), Trouble.REFUSED_KEY),
        ((409, PROBLEM, b"{}"), Trouble.BEHIND),
        ((413, {"Content-Type": "text/html"}, b"<h1>nginx</h1>"), Trouble.TOO_LARGE),
        ((422, PROBLEM, b"{}"), Trouble.REFUSED_BATCH),
        # not the hub's own word: nothing may be passed over for it
        ((422, {"Content-Type": "text/html"}, b"a proxy"), Trouble.UNREACHABLE),
        ((429, {}, b""), Trouble.BUSY),
        ((503, PROBLEM, b"{}"), Trouble.BUSY),
        ((500, {}, b""), Trouble.UNREACHABLE),
        ((404, {}, b"not here"), Trouble.UNREACHABLE),
        ((302, {"Location": "http://127.0.0.1:1/elsewhere"}, b""), Trouble.UNREACHABLE),
        # a portal of a hotel answers everything with 200
        ((200, {"Content-Type": "text/html"}, b"<html>please log in</html>"), Trouble.UNREACHABLE),
        ((200, {}, json.dumps({**RECEIPT, "boot_id": "b"}).encode()), Trouble.UNREACHABLE),
        ((200, {}, json.dumps({**RECEIPT, "last_seq": 2}).encode()), Trouble.UNREACHABLE),
        ((200, {}, b"x" * 5_000_000), Trouble.UNREACHABLE),
        ((200, {"Content-Length": "4000"}, b"cut short"), Trouble.UNREACHABLE),
    ],
)
def test_every_other_answer_is_a_failure_that_says_what_to_do(
    answering: Answering, connect: Callable[..., HttpsHub], answer: Answer, trouble: Trouble
) -> None:
    answering.answer = answer
    failure = connect(f"http://127.0.0.1:{answering.port}").send(BATCH)
    assert isinstance(failure, Failure)
    assert failure.trouble is trouble
    assert len(answering.asked) == 1
    assert "farz_key" not in failure.detail


@pytest.mark.parametrize(("header", "wished_ms"), [("120", 120_000.0), ("soon", None), ("-3", None)])
def test_how_long_to_wait_is_heard(
    answering: Answering, connect: Callable[..., HttpsHub], header: str, wished_ms: float | None
) -> None:
    answering.answer = (503, {"Retry-After": header}, b"")
    failure = connect(f"http://127.0.0.1:{answering.port}").send(BATCH)
    assert isinstance(failure, Failure)
    assert failure.wished_ms == wished_ms


def test_nobody_there_is_a_failure(connect: Callable[..., HttpsHub]) -> None:
    failure = connect("http://127.0.0.1:1").held_lives()
    assert isinstance(failure, Failure)
    assert failure.trouble is Trouble.UNREACHABLE


def test_a_certificate_that_nobody_vouches_for_gets_no_key(
    certificate: tuple[Path, Path], connect: Callable[..., HttpsHub]
) -> None:
    server = Answering(certificate)
    failure = connect(f"https://127.0.0.1:{server.port}").send(BATCH)
    assert isinstance(failure, Failure)
    assert failure.trouble is Trouble.UNREACHABLE
    assert "certificate" in failure.detail.lower()
    assert server.asked == []
    assert connect(f"https://127.0.0.1:{server.port}", str(certificate[0])).send(BATCH) == 3
    server.close()


def test_a_key_that_is_changed_counts_at_once_and_one_that_is_gone_is_a_failure(
    answering: Answering, connect: Callable[..., HttpsHub], tmp_path: Path
) -> None:
    hub = connect(f"http://127.0.0.1:{answering.port}")
    hub.send(BATCH)
    (tmp_path / "key").write_text("another")
    hub.send(BATCH)
    assert [asked[2]["Authorization"] for asked in answering.asked] == ["Bearer farz_key", "Bearer another"]
    (tmp_path / "key").unlink()
    failure = hub.send(BATCH)
    assert isinstance(failure, Failure)
    assert failure.trouble is Trouble.REFUSED_KEY
    assert len(answering.asked) == 2


@pytest.mark.parametrize("content", [None, "", "  \n", "clé"])
def test_a_key_file_without_a_key_is_named_before_a_line_begins(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "key"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigurationError, match=r"fleet\.key_file = "):
        check_files(FleetSettings("https://hub.example", str(path)))
    path.write_text("key")
    check_files(FleetSettings("https://hub.example", str(path)))
    with pytest.raises(ConfigurationError, match=r"fleet\.ca_file = "):
        check_files(FleetSettings("https://hub.example", str(path), ca_file=str(tmp_path / "absent")))
