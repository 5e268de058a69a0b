"""Serves a WSGI application on threads of this process; the one module that knows gunicorn.

gunicorn's arbiter is left out on purpose. It would fork, after ZeroMQ has made its threads, and it would watch over
its child, which is what the line's supervisor does for this process. So gunicorn's threaded worker runs here, in one
thread that accepts and a pool that answers: one process to watch, to stop, and to die with its parent.
"""

import errno
import json
import os
import socket
import ssl
import struct
import threading
import weakref
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, NamedTuple

from gunicorn.app.base import BaseApplication
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException
from gunicorn.workers.gthread import ThreadWorker

from sorter.errors import BadInputError, ConfigurationError
from sorter.model.settings import UiSettings
from sorter.model.units import NS_PER_S
from sorter.runtime.clock import SystemClock

_THREAD_COUNT = 40
_CONNECTION_COUNT = 128
# whoever finds this queue full is not refused but tries again a second later, which is what all should be spared
_BACKLOG_COUNT = 256
# A client whose network takes nothing for this long is gone; Linux hands the option on to accepted sockets.
_UNTAKEN_LIMIT_MS = 5000
# A request must have arrived within this once it has begun; within less when half of the threads wait for such clients.
_ARRIVAL_NS = 5 * NS_PER_S
_ARRIVAL_OF_MANY_NS = NS_PER_S // 2
_MANY_ARRIVING = _THREAD_COUNT // 2
# Linux accepts a connection once it has said something, or after so long.
_SILENT_S = 5
_STATUS_OF = {
    LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
    LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
}
_NO_HTTP = "this is no request that could be read"
_END_OF_STREAMS_S = 0.3
_STOP_S = 1.5
_BEGIN_S = 0.05


class Serving(NamedTuple):
    """How a server serves.

    Attributes:
        thread_count: requests that are answered at once; streams are requests that last.
        keep_alive_s: how long a connection may wait for its next request.
        certificate_file: certificate chain (PEM) for TLS, with the private key in `key_file`; None: no TLS.
        silence_limit_s: a client that says nothing for so long in the middle of a request is gone; None: never.
    """

    thread_count: int = _THREAD_COUNT
    keep_alive_s: int = 1
    certificate_file: str | None = None
    key_file: str | None = None
    silence_limit_s: int | None = None


def page_serving(ui: UiSettings) -> Serving:
    """How the page is served: by HTTPS where the settings name a certificate.

    Raises:
        BadInputError: if the certificate or its key cannot be read.
    """
    if not ui.tls_certificate:
        return Serving()
    refusal = (
        f"ui.tls_certificate = {ui.tls_certificate!r}, ui.tls_key = {ui.tls_key!r}: cannot be read as a "
        "certificate and its key in PEM"
    )
    require_certificate(ui.tls_certificate, ui.tls_key, refusal)
    return Serving(certificate_file=ui.tls_certificate, key_file=ui.tls_key)


def require_certificate(certificate_file: str, key_file: str, refusal: str) -> None:
    """See that TLS can be served with a certificate chain and its key, before somebody asks for it.

    Raises:
        ConfigurationError: if it cannot; it says the refusal, and why.
    """
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate_file, key_file)
    except OSError as error:
        raise ConfigurationError(f"{refusal}: {error}") from error


def listen(host: str, port: int, key: str = "ui.port") -> socket.socket:
    """A listening socket; `key` names the port in the configuration.

    Raises:
        BadInputError: if the address cannot be had: in use, not this machine's, not permitted.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.create_server(address[:2], family=family, backlog=_BACKLOG_COUNT)
    except OSError as error:
        why = error.strerror or str(error)
        raise BadInputError(
            f"nothing can be served on {key.split('.')[0]}.host = {host!r}, {key} = {port}: {why}; "
            "free the port or choose another from 1 to 65535"
        ) from error
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNTAKEN_LIMIT_MS)
    if hasattr(socket, "TCP_DEFER_ACCEPT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, _SILENT_S)
    return listener


class WebServer:
    """Serves until stopped; `stop` ends open connections too."""

    def __init__(self, wsgi: Any, listener: socket.socket, serving: Serving | None = None) -> None:
        serving = serving or Serving()
        if serving.silence_limit_s is not None:
            # Linux hands it on to accepted sockets
            limit = struct.pack("ll", serving.silence_limit_s, 0)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        application = _Application(wsgi, serving)
        log = application.cfg.logger_class(application.cfg)
        self._worker = _Worker(1, os.getppid(), [listener], application, 1, application.cfg, log)
        self._thread = threading.Thread(target=self._worker.init_process, name="web", daemon=True)

    def start(self) -> None:
        """Begin to answer; it does when this returns, or has died."""
        self._thread.start()
        while not self._worker.has_begun.wait(_BEGIN_S) and self._thread.is_alive():
            pass

    def is_alive(self) -> bool:
        """Whether it still accepts connections."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Stop accepting, let answers end that end by themselves, cut off the others; takes 2 s at most."""
        if self._worker.has_begun.is_set():
            self._worker.handle_exit(None, None)
        self._thread.join(_END_OF_STREAMS_S)
        self._worker.cut_off()
        self._thread.join(_STOP_S)
        if not self._thread.is_alive():
            self._worker.close()


class _Application(BaseApplication):  # type: ignore[misc]
    """gunicorn's idea of an application: configuration and a WSGI callable."""

    def __init__(self, wsgi: Any, serving: Serving) -> None:
        self._wsgi = wsgi
        self._serving = serving
        super().__init__()

    def load_config(self) -> None:
        for key, value in (
            ("worker_class", "gthread"),
            ("threads", self._serving.thread_count),
            ("worker_connections", _CONNECTION_COUNT),
            ("keepalive", self._serving.keep_alive_s),
            ("certfile", self._serving.certificate_file),
            ("keyfile", self._serving.key_file),
            ("graceful_timeout", 1),
            ("loglevel", "warning"),
        ):
            self.cfg.set(key, value)

    def load(self) -> Any:
        return self._wsgi


class _Worker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's threaded worker as a part of a process instead of a process."""

    PIPE: Sequence[int]

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        # before it, gunicorn cannot be told to stop
        self.has_begun = threading.Event()
        self._lock = threading.Lock()
        self._connections: weakref.WeakSet[Any] = weakref.WeakSet()
        self._clock = SystemClock()
        # requests that have begun to arrive, and since when
        self._arriving: dict[Any, int] = {}

    def init_signals(self) -> None:
        """Leave signals to the process."""

    def run(self) -> None:
        """Accept and answer until stopped."""
        self.has_begun.set()
        super().run()

    def handle(self, conn: Any) -> Any:
        """Answer on a connection, and know it until it is gone."""
        with self._lock:
            self._connections.add(conn)
            self._arriving[conn] = self._clock.now_ns()
        try:
            return super().handle(conn)
        finally:
            self._has_arrived(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer a request; a client that takes nothing for too long counts as one that hung up."""
        self._has_arrived(conn)
        try:
            return super().handle_request(req, conn)
        except TimeoutError as error:
            raise BrokenPipeError(errno.EPIPE, str(error)) from error

    def notify(self) -> None:
        """Leave clients that are so slow to say what they want that others would wait for their threads."""
        super().notify()
        now_ns = self._clock.now_ns()
        with self._lock:
            limit_ns = _ARRIVAL_NS if len(self._arriving) < _MANY_ARRIVING else _ARRIVAL_OF_MANY_NS
            slow = [conn for conn, since_ns in self._arriving.items() if now_ns - since_ns > limit_ns]
        for connection in slow:
            _shut(connection.sock)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Any) -> None:
        """What is no HTTP at all is answered like all errors of the API: as a problem document (RFC 9457)."""
        if not isinstance(exc, ParseException):
            super().handle_error(req, client, addr, exc)
            return
        try:
            client.sendall(_unreadable(exc))
        except OSError:
            return  # the client was faster

    def _has_arrived(self, conn: Any) -> None:
        with self._lock:
            self._arriving.pop(conn, None)

    def cut_off(self) -> None:
        """Shut all connections, which wakes whoever writes to a client that does not read, or waits for it to leave."""
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            _shut(connection.sock)

    def close(self) -> None:
        """Close what a worker process would leave to its end."""
        self.tmp.close()
        for end in self.PIPE:
            os.close(end)


def _unreadable(error: ParseException) -> bytes:
    """A whole answer, since there is no request that one could belong to."""
    status = _STATUS_OF.get(type(error), HTTPStatus.BAD_REQUEST)
    body = json.dumps({"type": "about:blank", "title": status.phrase, "status": status, "detail": _NO_HTTP}).encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nConnection: close\r\n"
        f"Content-Type: application/problem+json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the client was faster
