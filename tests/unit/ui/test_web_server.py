"""The web server inside a process: answers, ends open streams, and says which address it cannot have."""

import json
import socket
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from sorter.errors import BadInputError
from ui.streams import NewestEvent, event_stream
from ui.web_server import Serving, WebServer, listen


class Served:
    """A server whose every answer is one stream."""

    def __init__(self) -> None:
        self.newest = NewestEvent()
        listener = listen("127.0.0.1", 0)
        self.port = listener.getsockname()[1]
        self.server = WebServer(self._answer, listener)
        self.server.start()

    def _answer(self, _environment: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "text/event-stream")])
        return event_stream(self.newest)


def test_a_stream_arrives_and_ends_with_the_server() -> None:
    served = Served()
    served.newest.put(b"1")
    with urllib.request.urlopen(f"http://127.0.0.1:{served.port}/", timeout=5) as response:
        assert [response.readline() for _ in range(3)] == [b"retry: 1000\n", b"\n", b"data: 1\n"]
        served.newest.close()
        served.server.stop()
        response.read()
    assert not served.server.is_alive()


def test_a_client_that_takes_nothing_cannot_keep_the_server() -> None:
    served = Served()
    with socket.create_connection(("127.0.0.1", served.port)) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert deaf.recv(1)
        served.newest.put(b"x" * 50_000_000)
        served.newest.close()
        served.server.stop()
        assert not served.server.is_alive()


def answer_at_once(environment: dict[str, Any], start_response: Any) -> list[bytes]:
    environment["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]


@pytest.mark.parametrize(
    "begun", [b"POST / HTTP/1.1\r\nHost: a\r\nX-Slow: ", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n12"]
)
def test_clients_that_fall_silent_in_a_request_give_their_threads_back(begun: bytes) -> None:
    listener = listen("127.0.0.1", 0)
    server = WebServer(answer_at_once, listener, Serving(thread_count=2, silence_limit_s=1))
    server.start()
    address = ("127.0.0.1", listener.getsockname()[1])
    slow = [socket.create_connection(address) for _ in range(4)]
    for one in slow:
        one.sendall(begun)
    with urllib.request.urlopen(f"http://127.0.0.1:{address[1]}/", timeout=20) as response:
        assert response.read() == b"ok"
    for one in slow:
        one.close()
    server.stop()


def test_a_port_in_use_is_named_with_its_key() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            BadInputError, match=rf"ui\.host = '127\.0\.0\.1', ui\.port = {port}: Address already in use"
        ):
            listen("127.0.0.1", port)


def test_an_address_that_is_not_this_machines_is_named() -> None:
    with pytest.raises(BadInputError, match=r"ui\.host = '192\.0\.2\.1'"):
        listen("192.0.2.1", 8420)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET /\xff\x00 HTTP/1.1\r\n\r\n", 400),
        (b"GET /" + b"a" * 8192 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(200)) + b"\r\n", 431),
    ],
)
def test_what_is_no_request_is_answered_with_a_problem(sent: bytes, status: int) -> None:
    served = Served()
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as client:
        client.sendall(sent)
        with client.makefile("rb") as answer:
            head, _, body = answer.read().partition(b"\r\n\r\n")
    served.newest.close()
    served.server.stop()
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"application/problem+json" in head
    assert json.loads(body)["status"] == status


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: localhost\r\n"])
def test_clients_that_never_say_what_they_want_do_not_keep_others_waiting(said: bytes) -> None:
    served = Served()
    served.newest.close()
    silent = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(60)]
    for client in silent:
        client.sendall(said)
    with urllib.request.urlopen(f"http://127.0.0.1:{served.port}/", timeout=20) as response:
        assert response.status == 200
    served.server.stop()
    for client in silent:
        client.close()


def test_a_server_that_is_stopped_as_soon_as_it_was_started_stops() -> None:
    for _ in range(20):
        server = WebServer(lambda _environment, _start: [], listen("127.0.0.1", 0))
        server.start()
        server.stop()
        assert not server.is_alive()
