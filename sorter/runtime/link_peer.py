"""What each end of the command link knows of the other: its life, when it was last heard, how its clock runs."""

from collections import deque

import msgspec

from sorter.model.units import NS_PER_MS
from sorter.runtime.clock import Clock
from sorter.runtime.envelope import Received, pack
from sorter.runtime.topics import Heartbeat

_HEARTBEAT_PERIOD_NS = 100 * NS_PER_MS
_KEPT_LIVES = 1000
_KEPT_SAMPLES = 32


class Peer:
    """The other end. A life that was followed by another is over for good, whatever of it still lies in a queue.

    No clock orders the lives, for the other box has its own, which begins anew when it does: a new life counts once the
    one before has fallen silent.

    Attributes:
        boot_id: its present life, None before it was first heard.
        heartbeat: the newest of that life, with when it was sent (its clock) and heard (ours).
    """

    def __init__(self, liveness_ns: int) -> None:
        self._liveness_ns = liveness_ns
        self._heard_at_ns: int | None = None
        self._newest_seq: int | None = None
        self._ended_lives: deque[str] = deque(maxlen=_KEPT_LIVES)
        self.boot_id: str | None = None
        self.heartbeat: Heartbeat | None = None
        self.heartbeat_sent_at_ns: int | None = None
        self.heartbeat_heard_at_ns: int | None = None

    def hear(self, received: Received, now_ns: int) -> bool:
        """Note a message; False for one that is not of the present life.

        Only what is newer than everything before shows that the other end lives, and in which mode.
        """
        if received.boot_id != self.boot_id and not self._begin_life(received.boot_id, now_ns):
            return False
        if self._newest_seq is not None and received.seq <= self._newest_seq:
            # late, doubled or replayed: it says nothing of how the other end is now
            return True
        self._newest_seq = received.seq
        self._heard_at_ns = now_ns
        if isinstance(received.message, Heartbeat):
            self.heartbeat = received.message
            self.heartbeat_sent_at_ns, self.heartbeat_heard_at_ns = received.sent_at_ns, now_ns
        return True

    def is_alive(self, now_ns: int) -> bool:
        """Whether it was heard within the liveness time."""
        return self._heard_at_ns is not None and now_ns - self._heard_at_ns <= self._liveness_ns

    def _begin_life(self, boot_id: str, now_ns: int) -> bool:
        if boot_id in self._ended_lives or self.is_alive(now_ns):
            return False
        if self.boot_id is not None:
            self._ended_lives.append(self.boot_id)
        self.boot_id = boot_id
        self._newest_seq = None
        self.heartbeat = self.heartbeat_sent_at_ns = self.heartbeat_heard_at_ns = None
        return True


class Sender:
    """Packs messages in sequence and knows when the next heartbeat is due."""

    def __init__(self, boot_id: str, clock: Clock) -> None:
        self._boot_id = boot_id
        self._clock = clock
        self._seq = 0
        self._heartbeat_due_ns: int | None = None
        self._newest: Heartbeat | None = None
        self._sent_at_ns: deque[int] = deque(maxlen=_KEPT_SAMPLES)

    def pack(self, message: msgspec.Struct) -> bytes:
        """The bytes of a message."""
        self._seq += 1
        now_ns = self._clock.now_ns()
        if isinstance(message, Heartbeat):
            self._sent_at_ns.append(now_ns)
        return pack(message, self._boot_id, self._seq, now_ns)

    def due_heartbeat(self, heartbeat: Heartbeat, peer: Peer, now_ns: int) -> Heartbeat | None:
        """The heartbeat to send now, with what was heard of the other's: at its time, and when what it says changes."""
        is_changed = heartbeat != self._newest
        if not is_changed and self._heartbeat_due_ns is not None and now_ns < self._heartbeat_due_ns:
            return None
        self._newest = heartbeat
        self._heartbeat_due_ns = now_ns + _HEARTBEAT_PERIOD_NS
        return msgspec.structs.replace(
            heartbeat, heard_sent_at_ns=peer.heartbeat_sent_at_ns, heard_at_ns=peer.heartbeat_heard_at_ns
        )

    def has_sent(self, sent_at_ns: int) -> bool:
        """Whether a heartbeat of this life was sent at that instant."""
        return sent_at_ns in self._sent_at_ns


class ClockOffset:
    """How far the other box's clock is ahead of ours, from heartbeats that came back (RFC 5905, the clock filter).

    The round trip that took the least time bounds the error: it is half of it at most.
    """

    def __init__(self) -> None:
        self._samples_ns: deque[tuple[int, int]] = deque(maxlen=_KEPT_SAMPLES)

    def forget(self) -> None:
        """Forget all: the other box may have begun anew, and its clock with it."""
        self._samples_ns.clear()

    def add(self, sent_ns: int, heard_there_ns: int, answered_there_ns: int, back_ns: int) -> None:
        """Add a round trip: left here, arrived and left there (by its clock), back here."""
        round_trip_ns = (back_ns - sent_ns) - (answered_there_ns - heard_there_ns)
        offset_ns = ((heard_there_ns - sent_ns) + (answered_there_ns - back_ns)) // 2
        if round_trip_ns >= 0:
            self._samples_ns.append((round_trip_ns, offset_ns))

    @property
    def offset_ns(self) -> int | None:
        """What to add to an instant of ours to have the other's; None before the first round trip."""
        return min(self._samples_ns)[1] if self._samples_ns else None
