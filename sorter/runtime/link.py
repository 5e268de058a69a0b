"""The link that commands and their answers travel on, ROUTER to DEALER, with heartbeats both ways.

Each end has a ZeroMQ context of its own, whose thread carries nothing else: telemetry, however much, never stands
before a command, and what was said last has left when the end is closed. It says who is there and carries messages; a
command's fate is the safety gate's, what a lost link means the mode machine's. Instants of one machine's monotonic
clock order the peer's lives.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import zmq

from sorter.model.ejection import Ack, EjectionCommand
from sorter.model.settings import SafetySettings
from sorter.model.units import NS_PER_MS, ms_to_ns
from sorter.runtime.bus import endpoint
from sorter.runtime.clock import Clock
from sorter.runtime.envelope import EnvelopeError, Received, pack, unpack
from sorter.runtime.topics import Heartbeat

_ENDPOINT_NAME = "command.link"
_HEARTBEAT_PERIOD_NS = 100 * NS_PER_MS
_RECONNECT_MS = 20


class _Peer:
    """What is known of the other end: its present life and when it was last heard."""

    def __init__(self, liveness_ns: int) -> None:
        self._liveness_ns = liveness_ns
        self._newest_sent_at_ns: int | None = None
        self._heard_at_ns: int | None = None
        self.boot_id: str | None = None

    def hear(self, received: Received, now_ns: int) -> bool:
        """Note a message; False for one that an earlier life left in a queue."""
        newest_ns = self._newest_sent_at_ns
        if received.boot_id != self.boot_id and newest_ns is not None and received.sent_at_ns < newest_ns:
            return False
        self.boot_id = received.boot_id
        self._newest_sent_at_ns = received.sent_at_ns
        self._heard_at_ns = now_ns
        return True

    def is_alive(self, now_ns: int) -> bool:
        return self._heard_at_ns is not None and now_ns - self._heard_at_ns <= self._liveness_ns


class _Sender:
    """Packs messages in sequence and knows when the next heartbeat is due."""

    def __init__(self, boot_id: str, clock: Clock) -> None:
        self._boot_id = boot_id
        self._clock = clock
        self._seq = 0
        self._heartbeat_due_ns: int | None = None

    def pack(self, message: msgspec.Struct) -> bytes:
        self._seq += 1
        return pack(message, self._boot_id, self._seq, self._clock.now_ns())

    def is_heartbeat_due(self, now_ns: int) -> bool:
        if self._heartbeat_due_ns is not None and now_ns < self._heartbeat_due_ns:
            return False
        self._heartbeat_due_ns = now_ns + _HEARTBEAT_PERIOD_NS
        return True


class CommandLink:
    """The sorter's end: knows whether a controller is there, and never queues a command for one that is not.

    Attributes:
        socket: for polling alone.
        malformed_count: messages that could not be read.
        foreign_ack_count: answers meant for an earlier life of the sorter; they are left out.
    """

    def __init__(self, run_folder: Path, boot_id: str, safety: SafetySettings, clock: Clock) -> None:
        self.malformed_count = 0
        self.foreign_ack_count = 0
        self._boot_id = boot_id
        self._clock = clock
        self._sender = _Sender(boot_id, clock)
        self._peer = _Peer(ms_to_ns(safety.liveness_ms))
        self._identity: bytes | None = None
        self._context = zmq.Context()
        self.socket: zmq.Socket[bytes] = self._context.socket(zmq.ROUTER)
        self.socket.set(zmq.LINGER, 0)
        self.socket.set(zmq.ROUTER_MANDATORY, 1)
        self.socket.set(zmq.ROUTER_HANDOVER, 1)
        self.socket.bind(endpoint(run_folder, _ENDPOINT_NAME))

    @property
    def peer_boot_id(self) -> str | None:
        """The controller's present life, None before it was first heard."""
        return self._peer.boot_id

    def is_alive(self, now_ns: int) -> bool:
        """Whether the controller was heard within the liveness time."""
        return self._peer.is_alive(now_ns)

    def send(self, command: EjectionCommand) -> bool:
        """Send a command; False when no controller is there to take it, and then it is not sent later either."""
        return self.is_alive(self._clock.now_ns()) and self._send(command)

    def receive(self) -> list[Ack]:
        """All answers that have arrived, oldest first, without waiting."""
        acks: list[Ack] = []
        for identity, received in self._waiting():
            if self._peer.hear(received, self._clock.now_ns()):
                self._identity = identity
            acks += self._own_acks(received.message)
        return acks

    def tick(self, now_ns: int) -> None:
        """Send a heartbeat when it is due."""
        if self._sender.is_heartbeat_due(now_ns):
            self._send(Heartbeat())

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()
        self._context.term()

    def _send(self, message: msgspec.Struct) -> bool:
        if self._identity is None:
            return False
        try:
            self.socket.send_multipart([self._identity, self._sender.pack(message)], zmq.NOBLOCK)
        except zmq.ZMQError as error:
            # EHOSTUNREACH: that controller has gone; EAGAIN: it does not read
            if error.errno in {zmq.EHOSTUNREACH, zmq.EAGAIN}:
                return False
            raise
        return True

    def _own_acks(self, message: msgspec.Struct) -> list[Ack]:
        if not isinstance(message, Ack):
            return []
        if message.boot_id != self._boot_id:
            self.foreign_ack_count += 1
            return []
        return [message]

    def _waiting(self) -> Iterator[tuple[bytes, Received]]:
        while True:
            try:
                identity, *parts = self.socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            try:
                yield identity, unpack(b"".join(parts))
            except EnvelopeError:
                self.malformed_count += 1


class ControllerLink:
    """The controller's end: reconnects by itself, and queues nothing for a sorter that is not there.

    Attributes:
        socket: for polling alone.
        malformed_count: messages that could not be read.
        lost_count: answers and heartbeats that found nobody to take them.
    """

    def __init__(self, run_folder: Path, boot_id: str, safety: SafetySettings, clock: Clock) -> None:
        self.malformed_count = 0
        self.lost_count = 0
        self._clock = clock
        self._sender = _Sender(boot_id, clock)
        self._peer = _Peer(ms_to_ns(safety.liveness_ms))
        self._context = zmq.Context()
        self.socket: zmq.Socket[bytes] = self._context.socket(zmq.DEALER)
        self.socket.set(zmq.LINGER, 0)
        # A new life has a new address: what the sorter's socket still holds for the old one dies with it.
        self.socket.set(zmq.IDENTITY, boot_id.encode())
        self.socket.set(zmq.IMMEDIATE, 1)
        self.socket.set(zmq.RECONNECT_IVL, _RECONNECT_MS)
        self.socket.connect(endpoint(run_folder, _ENDPOINT_NAME))

    @property
    def peer_boot_id(self) -> str | None:
        """The sorter's present life, None before it was first heard."""
        return self._peer.boot_id

    def is_alive(self, now_ns: int) -> bool:
        """Whether the sorter was heard within the liveness time."""
        return self._peer.is_alive(now_ns)

    def receive(self) -> list[tuple[str, EjectionCommand]]:
        """All commands that have arrived, oldest first, each with the life of the sorter that sent it."""
        commands: list[tuple[str, EjectionCommand]] = []
        for received in self._waiting():
            self._peer.hear(received, self._clock.now_ns())
            if isinstance(received.message, EjectionCommand):
                commands.append((received.boot_id, received.message))
        return commands

    def send(self, ack: Ack) -> bool:
        """Send an answer; False (and counted) when no sorter is there to take it."""
        return self._send(ack)

    def tick(self, now_ns: int) -> None:
        """Send a heartbeat when it is due."""
        if self._sender.is_heartbeat_due(now_ns):
            self._send(Heartbeat())

    def close(self, linger_ms: int = 100) -> None:
        """Close the socket, giving the last answers a moment to leave, before the process may end."""
        self.socket.close(linger_ms)
        self._context.term()

    def _send(self, message: msgspec.Struct) -> bool:
        try:
            self.socket.send(self._sender.pack(message), zmq.NOBLOCK)
        except zmq.Again:
            self.lost_count += 1
            return False
        return True

    def _waiting(self) -> Iterator[Received]:
        while True:
            try:
                data = self.socket.recv(zmq.NOBLOCK)
            except zmq.Again:
                return
            try:
                yield unpack(data)
            except EnvelopeError:
                self.malformed_count += 1
