"""The outbox against a hub in memory: whatever fails, the hub ends with what the line has, each event once."""

import contextlib
import itertools
import tracemalloc
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sorter.fleet.backoff import LONGEST_MS
from sorter.fleet.hub_protocol import Failure, Trouble
from sorter.fleet.outbox import ASK_AGAIN_NS, IDLE_NS, Outbox, OutboxState
from sorter.model.events import AnyEvent, FaultNoted
from sorter.model.units import NS_PER_MS
from sorter.store.batch import MAX_EVENTS, Batch, HeldLife
from sorter.store.sqlite_reader import SqliteReader
from sorter.store.sqlite_writer import SqliteWriter

AT_MS = 1_790_000_000_000


def event(seq: int, boot_id: str = "a", device_id: str = "north", detail: str = "") -> FaultNoted:
    return FaultNoted(
        device_id=device_id, boot_id=boot_id, seq=seq, at_ms=AT_MS + seq, process="p", code="c", detail=detail,
        is_cleared=False,
    )  # fmt: skip


FAILURES = {
    "lost": Failure(Trouble.UNREACHABLE, "cut before it arrived"),
    "answer lost": Failure(Trouble.UNREACHABLE, "cut before the answer"),
    "busy": Failure(Trouble.BUSY, "later", 120_000.0),
    "wrong key": Failure(Trouble.REFUSED_KEY, "who are you"),
    "too large": Failure(Trouble.TOO_LARGE, "smaller, please"),
}


class MemoryHub:
    """A hub as it should be, and a way to it on which things happen in the order of a script."""

    def __init__(self, script: Sequence[str] = ()) -> None:
        self.events: list[AnyEvent] = []
        self.batches: list[Batch] = []
        self._script: Iterator[str] = iter(script)

    def be_well(self) -> None:
        """Nothing happens any more."""
        self._script = iter(())

    def newest(self, boot_id: str) -> int:
        return max((one.seq for one in self.events if one.boot_id == boot_id), default=0)

    def held_lives(self) -> list[HeldLife] | Failure:
        if next(self._script, "well") == "lost":
            return Failure(Trouble.UNREACHABLE, "cut")
        return [HeldLife(boot_id, self.newest(boot_id)) for boot_id in {one.boot_id for one in self.events}]

    def send(self, batch: Batch) -> int | Failure:
        assert len(batch.events) <= MAX_EVENTS
        happening = next(self._script, "well")
        if happening == "answer lost":
            self._answer(batch)
        if happening in FAILURES and (happening != "too large" or len(batch.events) > 1):
            return FAILURES[happening]
        if happening == "put back":
            # the database is restored from a backup that has half of it
            self.events = self.events[: len(self.events) // 2]
        return self._answer(batch)

    def _answer(self, batch: Batch) -> int | Failure:
        if any(isinstance(one, FaultNoted) and one.detail == "poison" for one in batch.events):
            return Failure(Trouble.REFUSED_BATCH, "never")
        if self.newest(batch.boot_id) < batch.after_seq:
            return Failure(Trouble.BEHIND, f"only {self.newest(batch.boot_id)}")
        return self._take(batch)

    def _take(self, batch: Batch) -> int:
        known = {(one.boot_id, one.seq) for one in self.events}
        self.events += [one for one in batch.events if (one.boot_id, one.seq) not in known]
        self.batches.append(batch)
        return self.newest(batch.boot_id)

    def close(self) -> None: ...


class ForgetfulHub:
    """A hub that takes everything and keeps nothing."""

    def held_lives(self) -> list[HeldLife]:
        return []

    def send(self, batch: Batch) -> int:
        return batch.events[-1].seq

    def close(self) -> None: ...


def in_order(events: Sequence[AnyEvent]) -> list[tuple[str, int]]:
    return sorted((one.boot_id, one.seq) for one in events)


def until_empty(outbox: Outbox, now_ns: int = 0) -> int:
    """Step on until all is sent; the virtual instant at which it was."""
    for _ in range(2000):
        now_ns = outbox.step(now_ns)
        if outbox.state is OutboxState.EMPTY:
            return now_ns
    raise AssertionError("the outbox never came to an end")


@pytest.fixture
def line(tmp_path: Path) -> Iterator[tuple[SqliteWriter, SqliteReader]]:
    writer = SqliteWriter(tmp_path / "events.sqlite")
    reader = SqliteReader(tmp_path / "events.sqlite")
    yield writer, reader
    reader.close()
    writer.close()


HAPPENINGS = st.sampled_from(["well", "lost", "answer lost", "busy", "wrong key", "too large", "put back"])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lives=st.lists(st.lists(st.integers(1, 6), min_size=1, max_size=6), min_size=1, max_size=4),
    script=st.lists(HAPPENINGS, max_size=25),
    restarts=st.integers(0, 3),
)
def test_the_hub_ends_with_what_the_line_has(
    tmp_path_factory: pytest.TempPathFactory, lives: list[list[int]], script: list[str], restarts: int
) -> None:
    """Lives are lists of steps between numbers: numbers may be missing on the line."""
    path, hub = tmp_path_factory.mktemp("line") / "events.sqlite", MemoryHub(script)
    written: list[AnyEvent] = []
    for number, steps in enumerate(lives):
        written += [event(seq, f"boot{number}") for seq in itertools.accumulate(steps)]
    with contextlib.closing(SqliteWriter(path)) as writer, contextlib.closing(SqliteReader(path)) as reader:
        for begin in range(0, len(written), 3):
            writer.record(written[begin : begin + 3])
            outbox = Outbox("north", reader, hub, seed=begin)
            for _ in range(restarts):
                outbox.step(0)
        now_ns = until_empty(Outbox("north", reader, hub, seed=7))
        hub.be_well()
        # who asks anew finds what a hub that was put back has lost, even where nothing new was written
        until_empty(Outbox("north", reader, hub, seed=8), now_ns)
    assert in_order(hub.events) == in_order(written)
    assert all(one in written for one in hub.events)


def test_nothing_is_sent_twice_while_all_is_well(line: tuple[SqliteWriter, SqliteReader]) -> None:
    writer, reader = line
    writer.record([event(seq) for seq in range(1, MAX_EVENTS + 100)])
    hub = MemoryHub()
    outbox = Outbox("north", reader, hub, seed=1)
    outbox.step(0)
    outbox.step(0)
    assert outbox.figures.behind_count == 99
    until_empty(outbox)
    assert outbox.figures.behind_count == 0
    assert [len(batch.events) for batch in hub.batches] == [MAX_EVENTS, 99]
    assert outbox.step(0) == IDLE_NS
    writer.record([event(seq, "b") for seq in range(1, 4)])
    until_empty(outbox)
    assert (hub.batches[-1].boot_id, hub.batches[-1].after_seq) == ("b", 0)
    assert outbox.figures.sent_count == MAX_EVENTS + 102
    assert (outbox.figures.missing_count, outbox.figures.failure_count) == (0, 0)


def test_another_outbox_goes_on_where_the_hub_stands(line: tuple[SqliteWriter, SqliteReader]) -> None:
    writer, reader = line
    hub = MemoryHub()
    for boot_id in "abc":
        writer.record([event(seq, boot_id) for seq in range(1, 11)])
    until_empty(Outbox("north", reader, hub, seed=1))
    writer.record([event(11, "c")])
    again = Outbox("north", reader, hub, seed=2)
    until_empty(again)
    assert again.figures.sent_count == 1


def test_a_hub_that_was_put_back_gets_what_it_lost_though_nothing_new_is_written(
    line: tuple[SqliteWriter, SqliteReader],
) -> None:
    writer, reader = line
    writer.record([event(seq, boot_id) for boot_id in "abc" for seq in range(1, 11)])
    hub = MemoryHub()
    outbox = Outbox("north", reader, hub, seed=1)
    now_ns = until_empty(outbox)
    hub.events = [one for one in hub.events if one.boot_id != "b"]
    while now_ns <= ASK_AGAIN_NS + 3 * IDLE_NS:
        now_ns = max(outbox.step(now_ns), now_ns + 1)
    assert len(hub.events) == 30


def test_events_of_another_line_in_the_store_stay_there(line: tuple[SqliteWriter, SqliteReader]) -> None:
    """A line that was renamed keeps its store; what it was before is the other name's."""
    writer, reader = line
    writer.record([event(seq, "old", "south") for seq in range(1, MAX_EVENTS + 10)])
    writer.record([event(1)])
    hub = MemoryHub()
    until_empty(Outbox("north", reader, hub, seed=1))
    assert in_order(hub.events) == [("a", 1)]


def test_one_event_that_no_hub_takes_holds_up_no_other(line: tuple[SqliteWriter, SqliteReader]) -> None:
    writer, reader = line
    events = [event(seq, detail="poison" if seq == 5 else "") for seq in range(1, 41)]
    writer.record(events)
    hub = MemoryHub()
    outbox = Outbox("north", reader, hub, seed=1)
    until_empty(outbox)
    assert in_order(hub.events) == in_order([one for one in events if one.seq != 5])
    assert outbox.figures.refused_count == 1


def test_what_takes_no_batch_however_small_is_waited_for_and_nothing_is_passed_over(
    line: tuple[SqliteWriter, SqliteReader],
) -> None:
    class Narrow(MemoryHub):
        is_wide = False

        def send(self, batch: Batch) -> int | Failure:
            return super().send(batch) if self.is_wide else Failure(Trouble.TOO_LARGE, "413 from some proxy")

    writer, reader = line
    writer.record([event(seq) for seq in range(1, 30)])
    hub = Narrow()
    outbox, now_ns = Outbox("north", reader, hub, seed=1), 0
    for _ in range(30):
        now_ns = outbox.step(now_ns)
    assert outbox.state is OutboxState.WAITING
    hub.is_wide = True
    until_empty(outbox, now_ns)
    assert len(hub.events) == 29


def test_days_without_a_hub_cost_few_tries_and_an_answer_ends_the_waiting(
    line: tuple[SqliteWriter, SqliteReader],
) -> None:
    writer, reader = line
    writer.record([event(1)])
    three_days_ns = 72 * 3600 * 1000 * NS_PER_MS
    outbox, now_ns = Outbox("north", reader, MemoryHub(itertools.repeat("lost", 10**6)), seed=1), 0  # type: ignore[arg-type]
    while now_ns < three_days_ns:
        now_ns = outbox.step(now_ns)
    tries = outbox.figures.failure_count
    assert outbox.figures.behind_count == 1
    assert three_days_ns / NS_PER_MS / LONGEST_MS <= tries <= 2.2 * three_days_ns / NS_PER_MS / LONGEST_MS


def test_events_that_the_line_no_longer_had_are_counted(line: tuple[SqliteWriter, SqliteReader]) -> None:
    writer, reader = line
    writer.record([event(seq) for seq in (4, 5, 9)])
    outbox = Outbox("north", reader, MemoryHub(), seed=1)
    until_empty(outbox)
    assert outbox.figures.missing_count == 6


def test_memory_does_not_grow_with_what_waits(tmp_path: Path) -> None:
    def peak_bytes(event_count: int) -> int:
        path = tmp_path / f"{event_count}.sqlite"
        writer = SqliteWriter(path)
        writer.record([event(seq, detail="x" * 100) for seq in range(1, event_count + 1)])
        reader = SqliteReader(path)
        outbox = Outbox("north", reader, ForgetfulHub(), seed=1)
        tracemalloc.start()
        until_empty(outbox)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert outbox.figures.sent_count == event_count
        reader.close()
        writer.close()
        return peak

    assert peak_bytes(5 * MAX_EVENTS) < 1.3 * peak_bytes(2 * MAX_EVENTS)
