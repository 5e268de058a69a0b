"""Serves a WSGI application on threads of this process; the one module that knows gunicorn.

gunicorn's arbiter is left out on purpose. It would fork, after ZeroMQ has made its threads, and it would watch over
its child, which is what the line's supervisor does for this process. So gunicorn's threaded worker runs here, in one
thread that accepts and a pool that answers: one process to watch, to stop, and to die with its parent.
"""

import errno
import os
import socket
import ssl
import threading
import weakref
from collections.abc import Sequence
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.workers.gthread import ThreadWorker

from sorter.errors import BadInputError
from sorter.model.settings import UiSettings

_THREAD_COUNT = 40
_CONNECTION_COUNT = 128
_BACKLOG_COUNT = 64
# A client whose network takes nothing for this long is gone; Linux hands the option on to accepted sockets.
_UNTAKEN_LIMIT_MS = 5000
_END_OF_STREAMS_S = 0.3
_STOP_S = 1.5


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
            f"the page cannot be served on ui.host = {host!r}, {key} = {port}: {why}; "
            "free the port or choose another from 1 to 65535"
        ) from error
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNTAKEN_LIMIT_MS)
    return listener


class WebServer:
    """Serves until stopped, by HTTPS where the settings name a certificate; `stop` ends open connections too.

    Raises:
        BadInputError: if the certificate or its key cannot be read.
    """

    def __init__(self, wsgi: Any, listener: socket.socket, ui: UiSettings | None = None) -> None:
        application = _Application(wsgi, ui or UiSettings())
        log = application.cfg.logger_class(application.cfg)
        self._worker = _Worker(1, os.getppid(), [listener], application, 1, application.cfg, log)
        self._thread = threading.Thread(target=self._worker.init_process, name="web", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def is_alive(self) -> bool:
        """Whether it still accepts connections."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Stop accepting, let answers end that end by themselves, cut off the others; takes 2 s at most."""
        self._worker.handle_exit(None, None)
        self._thread.join(_END_OF_STREAMS_S)
        self._worker.cut_off()
        self._thread.join(_STOP_S)
        if not self._thread.is_alive():
            self._worker.close()


class _Application(BaseApplication):  # type: ignore[misc]
    """gunicorn's idea of an application: configuration and a WSGI callable."""

    def __init__(self, wsgi: Any, ui: UiSettings) -> None:
        self._wsgi = wsgi
        self._tls = _tls_files(ui)
        super().__init__()

    def load_config(self) -> None:
        for key, value in (
            ("worker_class", "gthread"),
            ("threads", _THREAD_COUNT),
            ("worker_connections", _CONNECTION_COUNT),
            ("keepalive", 1),
            ("graceful_timeout", 1),
            ("loglevel", "warning"),
            *self._tls,
        ):
            self.cfg.set(key, value)

    def load(self) -> Any:
        return self._wsgi


def _tls_files(ui: UiSettings) -> tuple[tuple[str, str], ...]:
    if not ui.tls_certificate:
        return ()
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(ui.tls_certificate, ui.tls_key)
    except OSError as error:
        raise BadInputError(
            f"ui.tls_certificate = {ui.tls_certificate!r}, ui.tls_key = {ui.tls_key!r}: cannot be read as a "
            f"certificate and its key in PEM: {error}"
        ) from error
    return ("certfile", ui.tls_certificate), ("keyfile", ui.tls_key)


class _Worker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's threaded worker as a part of a process instead of a process."""

    PIPE: Sequence[int]

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._lock = threading.Lock()
        self._connections: weakref.WeakSet[Any] = weakref.WeakSet()

    def init_signals(self) -> None:
        """Leave signals to the process."""

    def handle(self, conn: Any) -> Any:
        """Answer on a connection, and know it until it is gone."""
        with self._lock:
            self._connections.add(conn)
        return super().handle(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer a request; a client that takes nothing for too long counts as one that hung up."""
        try:
            return super().handle_request(req, conn)
        except TimeoutError as error:
            raise BrokenPipeError(errno.EPIPE, str(error)) from error

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


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the client was faster
