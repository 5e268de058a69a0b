"""The link that commands and their answers travel on, ROUTER to DEALER, with heartbeats both ways.

Each end has a ZeroMQ context of its own, whose thread carries nothing else: telemetry, however much, never stands
before a command, and what was said last has left when the end is closed. It says who is there and carries messages; a
command's fate is the safety gate's, what a lost link means the mode machine's.

Instants that a command or an answer names are those of the end that reads them: between boxes the sorter's end
translates, so that no other module knows of a second clock.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import zmq

from sorter.model.condition import Fault, Health, Mode
from sorter.model.ejection import Ack, EjectionCommand
from sorter.model.settings import Settings
from sorter.model.tracks import BeltState
from sorter.model.units import ms_to_ns
from sorter.runtime.clock import Clock
from sorter.runtime.envelope import EnvelopeError, Received, unpack
from sorter.runtime.link_address import controller_keys, join_with_keys, link_endpoint, serve_with_keys, sorter_keys
from sorter.runtime.link_peer import ClockOffset, Peer, Sender
from sorter.runtime.topics import Heartbeat

_RECONNECT_MS = 20
# what a controller on another box says; all of it may be lost
_INSTANTS: dict[type[msgspec.Struct], tuple[str, ...]] = {
    Ack: ("opened_at_ns", "closed_at_ns"),
    BeltState: ("measured_at_ns",),
    Health: ("since_ns",),
    Fault: ("raised_at_ns",),
}


class CommandLink:
    """The sorter's end: knows whether a controller is there, and never queues a command for one that is not.

    Attributes:
        socket: for polling alone.
        mode: what the controller is told with every heartbeat, and at the next tick when it changes.
        known_loss_count: of the controller's losses of us, those that have been acted on; it is told so.
        telemetry: what a controller on another box said beside its answers, since it was last taken.
        malformed_count: messages that could not be read.
        foreign_ack_count: answers meant for an earlier life of the sorter; they are left out.
    """

    def __init__(self, run_folder: Path, boot_id: str, settings: Settings, clock: Clock) -> None:
        self.malformed_count = 0
        self.foreign_ack_count = 0
        self.mode = Mode.IDLE
        self.known_loss_count = 0
        self.telemetry: list[msgspec.Struct] = []
        self._boot_id = boot_id
        self._clock = clock
        self._sender = Sender(boot_id, clock)
        self._peer = Peer(ms_to_ns(settings.safety.liveness_ms))
        # on one box both ends read the same clock
        self._offset = ClockOffset() if settings.link.address else None
        self._identity: bytes | None = None
        keys = sorter_keys(settings.link)
        self._context = zmq.Context()
        self.socket: zmq.Socket[bytes] = self._context.socket(zmq.ROUTER)
        self.socket.set(zmq.LINGER, 0)
        self.socket.set(zmq.ROUTER_MANDATORY, 1)
        self.socket.set(zmq.ROUTER_HANDOVER, 1)
        self._authenticator = None if keys is None else serve_with_keys(self.socket, self._context, keys)
        self.socket.bind(link_endpoint(run_folder, settings.link))

    @property
    def peer_boot_id(self) -> str | None:
        """The controller's present life, None before it was first heard."""
        return self._peer.boot_id

    @property
    def peer_loss(self) -> tuple[str, int] | None:
        """The controller's life and how often it has lost us in it, None before it has said so."""
        heartbeat, boot_id = self._peer.heartbeat, self._peer.boot_id
        return None if heartbeat is None or boot_id is None else (boot_id, heartbeat.loss_count)

    def is_alive(self, now_ns: int) -> bool:
        """Whether the controller was heard within the liveness time, and how its clock runs is known."""
        return self._peer.is_alive(now_ns) and self._offset_ns() is not None

    def send(self, command: EjectionCommand) -> bool:
        """Send a command; False when no controller is there to take it, and then it is not sent later either."""
        offset_ns = self._offset_ns()
        if offset_ns is None or not self.is_alive(self._clock.now_ns()):
            return False
        until_ns = command.valid_until_ns + offset_ns
        meant = msgspec.structs.replace(command, valid_until_ns=until_ns, controller_id=self._peer.boot_id or "")
        return self._send(meant)

    def receive(self) -> list[Ack]:
        """All answers that have arrived, oldest first, without waiting."""
        acks: list[Ack] = []
        for identity, received in self._waiting():
            life, now_ns = self._peer.boot_id, self._clock.now_ns()
            if not self._peer.hear(received, now_ns):
                acks += self._own_acks(received.message)
                continue
            self._identity = identity
            if self._offset is not None:
                self._follow_clock(self._offset, received, is_new_life=life != self._peer.boot_id, now_ns=now_ns)
            acks += self._own_acks(received.message)
        return acks

    def take_telemetry(self) -> list[msgspec.Struct]:
        """What a controller on another box said beside its answers since the last call, oldest first."""
        said, self.telemetry = self.telemetry, []
        return said

    def tick(self, now_ns: int) -> None:
        """Send a heartbeat when it is due, or when the mode has changed."""
        heartbeat = self._sender.due_heartbeat(Heartbeat(self.mode, self.known_loss_count), self._peer, now_ns)
        if heartbeat is not None:
            self._send(heartbeat)

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()
        if self._authenticator is not None:
            self._authenticator.stop()
        self._context.term()

    def _offset_ns(self) -> int | None:
        return 0 if self._offset is None else self._offset.offset_ns

    def _follow_clock(self, offset: ClockOffset, received: Received, *, is_new_life: bool, now_ns: int) -> None:
        if is_new_life:
            offset.forget()
        message = received.message
        if not isinstance(message, Heartbeat) or message.heard_sent_at_ns is None or message.heard_at_ns is None:
            return
        if self._sender.has_sent(message.heard_sent_at_ns):
            offset.add(message.heard_sent_at_ns, message.heard_at_ns, received.sent_at_ns, now_ns)

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
        """The message as answers to this life's commands; what is none is kept as telemetry."""
        if isinstance(message, Heartbeat):
            return []
        message = self._in_our_time(message)
        if not isinstance(message, Ack):
            self.telemetry.append(message)
            return []
        if message.boot_id != self._boot_id:
            self.foreign_ack_count += 1
            return []
        return [message]

    def _in_our_time(self, message: msgspec.Struct) -> Any:
        offset_ns = self._offset_ns() or 0
        changed = {name: getattr(message, name) for name in _INSTANTS.get(type(message), ())}
        shifted: dict[str, Any] = {
            name: instant - offset_ns for name, instant in changed.items() if instant is not None
        }
        if isinstance(message, Health):
            shifted["faults"] = tuple(self._in_our_time(fault) for fault in message.faults)
        return msgspec.structs.replace(message, **shifted) if offset_ns else message

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
        loss_count: how often the sorter has fallen silent; the sorter is told, for it may not have noticed.
        malformed_count: messages that could not be read.
        lost_count: answers, heartbeats and telemetry that found nobody to take them.
    """

    def __init__(self, run_folder: Path, boot_id: str, settings: Settings, clock: Clock) -> None:
        self.malformed_count = 0
        self.lost_count = 0
        self.loss_count = 0
        self._clock = clock
        self._sender = Sender(boot_id, clock)
        self._peer = Peer(ms_to_ns(settings.safety.liveness_ms))
        keys = controller_keys(settings.link)
        self._context = zmq.Context()
        self.socket: zmq.Socket[bytes] = self._context.socket(zmq.DEALER)
        self.socket.set(zmq.LINGER, 0)
        # A new life has a new address: what the sorter's socket still holds for the old one dies with it.
        self.socket.set(zmq.IDENTITY, boot_id.encode())
        self.socket.set(zmq.IMMEDIATE, 1)
        self.socket.set(zmq.RECONNECT_IVL, _RECONNECT_MS)
        if keys is not None:
            join_with_keys(self.socket, keys)
        self.socket.connect(link_endpoint(run_folder, settings.link))

    @property
    def peer_boot_id(self) -> str | None:
        """The sorter's present life, None before it was first heard."""
        return self._peer.boot_id

    @property
    def peer_mode(self) -> Mode | None:
        """The mode that the sorter's present life has said last, None before."""
        return None if self._peer.heartbeat is None else self._peer.heartbeat.mode

    @property
    def known_loss_count(self) -> int | None:
        """How many of our losses of it the sorter's present life has acted on, None before it has said so."""
        return None if self._peer.heartbeat is None else self._peer.heartbeat.loss_count

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

    def send(self, message: msgspec.Struct) -> bool:
        """Send an answer or telemetry; False (and counted) when no sorter is there to take it."""
        return self._send(message)

    def tick(self, now_ns: int) -> None:
        """Send a heartbeat when it is due."""
        heartbeat = self._sender.due_heartbeat(Heartbeat(loss_count=self.loss_count), self._peer, now_ns)
        if heartbeat is not None:
            self._send(heartbeat)

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
