"""The outbox: walks through the store in the order of writing and hands it to the hub, batch by batch.

The store is the queue, the hub knows how far it came: nothing else is kept, neither in memory nor on disk, however long
the hub is away. One batch is under way at a time, and the next one follows what the hub says it holds; a batch whose
answer was lost is sent again and counts once.
"""

import enum
import random

import msgspec

from sorter.fleet.backoff import backoff_ms
from sorter.fleet.hub_protocol import Failure, Hub, Trouble
from sorter.model.units import NS_PER_MS, NS_PER_S
from sorter.store.batch import BATCH_VERSION, MAX_EVENTS, Batch
from sorter.store.protocol import Position, StoreReader

# how long an outbox that has sent everything waits for more
IDLE_NS = 5 * NS_PER_S
# a hub that was put back to an older state has lost events of lives that nothing is sent of any more
ASK_AGAIN_NS = 3600 * NS_PER_S
_END_OF_LIFE = 2**63 - 1


class OutboxState(enum.Enum):
    """How it stands: asking what the hub holds, sending, with nothing left to send, or waiting after a failure."""

    ASKING = "asking"
    SENDING = "sending"
    EMPTY = "empty"
    WAITING = "waiting"


class OutboxFigures(msgspec.Struct):
    """What was done since it began.

    Attributes:
        behind_count: events that wait to be sent, as of the last try.
        missing_count: events that the line no longer had when their turn came.
        refused_count: events that the hub would never have taken; they stay in the line's own store.
    """

    sent_count: int = 0
    batch_count: int = 0
    failure_count: int = 0
    behind_count: int = 0
    missing_count: int = 0
    refused_count: int = 0

    def as_numbers(self) -> dict[str, float]:
        """For the health of a process."""
        return {name: float(getattr(self, name)) for name in self.__struct_fields__}


class Outbox:
    """One line's outbox; `step` does one thing and says when to come again."""

    def __init__(self, device_id: str, reader: StoreReader, hub: Hub, seed: int) -> None:
        self.figures = OutboxFigures()
        self.state = OutboxState.ASKING
        self.failure: Failure | None = None
        self._device_id = device_id
        self._reader = reader
        self._hub = hub
        self._chance = random.Random(seed)
        self._position: Position | None = None
        # by life: the newest event that the hub holds, with all before it
        self._held: dict[str, int] = {}
        self._asked_at_ns = 0
        self._failures_in_a_row = 0
        self._limit = MAX_EVENTS

    def step(self, now_ns: int) -> int:
        """Ask or send once.

        Returns:
            The instant at which there may be something to do again, `now_ns` itself while there is more to send.
        """
        if self._position is None:
            return self._ask(now_ns)
        return self._send(self._position, now_ns)

    def _ask(self, now_ns: int) -> int:
        """Find out where to go on: behind what the hub holds of the lives that this store has."""
        held = self._hub.held_lives()
        if isinstance(held, Failure):
            return self._wait(held, now_ns)
        self._held = {life.boot_id: life.last_seq for life in held}
        self._position, self._asked_at_ns = Position(), now_ns
        return self._go_on(now_ns)

    def _send(self, position: Position, now_ns: int) -> int:
        found = self._next(position)
        if found is None:
            self.state, self.failure = OutboxState.EMPTY, None
            self.figures.behind_count = 0
            if now_ns - self._asked_at_ns >= ASK_AGAIN_NS:
                self._position = None
            return now_ns + IDLE_NS
        batch, behind = found
        held = self._hub.send(batch)
        if isinstance(held, Failure):
            return self._meet(held, behind, now_ns)
        self._note(batch, held)
        self._position = behind
        self.figures.behind_count = self._count_behind(behind)
        self._limit = min(MAX_EVENTS, 2 * self._limit)
        return self._go_on(now_ns)

    def _note(self, batch: Batch, held_seq: int) -> None:
        self.figures.batch_count += 1
        self.figures.sent_count += len(batch.events)
        self.figures.missing_count += batch.events[-1].seq - batch.after_seq - len(batch.events)
        self._held[batch.boot_id] = held_seq

    def _next(self, position: Position) -> tuple[Batch, Position] | None:
        """The next events of one life of this line and the position behind them; None where there are none left."""
        while written := self._reader.written_after(position, self._limit):
            first, ordinal = written[0].event, written[0].position.boot_ordinal
            held_seq = self._held.get(first.boot_id, 0)
            if first.device_id != self._device_id:
                position = Position(ordinal, _END_OF_LIFE)
            elif first.seq <= held_seq:
                position = Position(ordinal, held_seq)
            else:
                events = tuple(one.event for one in written if one.position.boot_ordinal == ordinal)
                batch = Batch(BATCH_VERSION, self._device_id, first.boot_id, held_seq, events)
                return batch, Position(ordinal, events[-1].seq)
        return None

    def _count_behind(self, position: Position) -> int:
        """Numbers given out behind a position; some of them may no longer have an event."""
        count = 0
        for life in self._reader.lives():
            if life.device_id == self._device_id and life.ordinal >= position.boot_ordinal:
                reached = position.seq if life.ordinal == position.boot_ordinal else self._held.get(life.boot_id, 0)
                count += max(0, life.last_seq - reached)
        return count

    def _meet(self, failure: Failure, behind: Position, now_ns: int) -> int:
        """Do what a failure asks for, so that the next try is not the same as this one."""
        is_refused = failure.trouble is Trouble.REFUSED_BATCH
        if self._limit > 1 and (is_refused or failure.trouble is Trouble.TOO_LARGE):
            # down to the one event that is meant
            self._limit //= 2
            return now_ns
        if is_refused:
            self._position = behind
            self.figures.refused_count += 1
            return self._go_on(now_ns)
        if failure.trouble is Trouble.BEHIND:
            self._position = None
        return self._wait(failure, now_ns)

    def _wait(self, failure: Failure, now_ns: int) -> int:
        self.state, self.failure = OutboxState.WAITING, failure
        self.figures.failure_count += 1
        self.figures.behind_count = self._count_behind(self._position or Position())
        self._failures_in_a_row += 1
        waited_ms = backoff_ms(self._failures_in_a_row, self._chance.random(), failure.wished_ms)
        return now_ns + round(waited_ms * NS_PER_MS)

    def _go_on(self, now_ns: int) -> int:
        self.state, self.failure = OutboxState.SENDING, None
        self._failures_in_a_row = 0
        return now_ns
