"""Publish and subscribe between the processes of one line, over ZeroMQ sockets in the run folder.

Every process binds one PUB socket, `<run folder>/<process>.pub`; readers connect to the writers that the table of
topics names. The newest messages win: a slow reader loses old ones at its high-water mark and never slows a writer.
"""

import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import zmq

from sorter.runtime.clock import Clock
from sorter.runtime.envelope import EnvelopeError, Received, pack, unpack
from sorter.runtime.topics import TOPIC_BY_TYPE, Topic

_HIGH_WATER_COUNT = 1000


def new_boot_id() -> str:
    """A name for one life of a process, so that nothing from an earlier life is taken for news."""
    return uuid.uuid4().hex[:12]


def endpoint(run_folder: Path, name: str) -> str:
    """The ipc address of a socket in the run folder."""
    return f"ipc://{run_folder / name}"


class Publisher:
    """The one socket on which a process says things."""

    def __init__(self, run_folder: Path, process: str, boot_id: str, clock: Clock) -> None:
        self._boot_id = boot_id
        self._clock = clock
        self._seq = 0
        # also told everything that is published, as where the rest of the line is on another box
        self.forward: Callable[[msgspec.Struct], object] | None = None
        self._socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.PUB)
        self._socket.set(zmq.LINGER, 100)
        self._socket.set(zmq.SNDHWM, _HIGH_WATER_COUNT)
        self._socket.bind(endpoint(run_folder, f"{process}.pub"))

    def publish(self, message: msgspec.Struct, boot_id: str | None = None) -> None:
        """Send a message on the topic of its type; never blocks. `boot_id` is another's, whose message is passed on."""
        self._seq += 1
        topic = TOPIC_BY_TYPE[type(message)].name
        data = pack(message, boot_id or self._boot_id, self._seq, self._clock.now_ns())
        if self.forward is not None:
            self.forward(message)
        self._socket.send_multipart([topic.encode() + b"\0", data])

    def close(self) -> None:
        """Close the socket; what was not sent within 0.1 s is lost."""
        self._socket.close()


class Subscriber:
    """Reads topics from all their writers, reconnecting by itself when one restarts."""

    def __init__(self, run_folder: Path, topics: Sequence[Topic]) -> None:
        self.malformed_count = 0
        self.socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.SUB)
        self.socket.set(zmq.RCVHWM, _HIGH_WATER_COUNT)
        self.socket.set(zmq.LINGER, 0)
        self.socket.set(zmq.RECONNECT_IVL, 20)
        for topic in topics:
            self.socket.subscribe(topic.name.encode() + b"\0")
        for writer in sorted({writer for topic in topics for writer in topic.writers}):
            self.socket.connect(endpoint(run_folder, f"{writer}.pub"))

    def waiting(self) -> Iterator[Received]:
        """All messages that have arrived, oldest first, without waiting; malformed ones are counted and left out."""
        while True:
            try:
                _, *parts = self.socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            try:
                yield unpack(b"".join(parts))
            except EnvelopeError:
                self.malformed_count += 1

    def receive(self, timeout_ms: float) -> list[Received]:
        """Wait until something arrives or the time is over, then give all that has arrived."""
        self.socket.poll(max(0, round(timeout_ms)))
        return list(self.waiting())

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()


def wait_for_any(sockets: Sequence[zmq.Socket[Any]], timeout_ms: float) -> None:
    """Return when one of the sockets has something to read, or when the time is over."""
    poller = zmq.Poller()
    for socket in sockets:
        poller.register(socket, zmq.POLLIN)
    poller.poll(max(0, round(timeout_ms)))
