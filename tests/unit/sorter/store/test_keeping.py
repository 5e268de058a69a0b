"""Keeping a record: no trouble of a disk stops anything, loses a sum, or stays unsaid."""

from pathlib import Path
from typing import Any

import pytest

from sorter.errors import StoreError, StoreFullError
from sorter.model.condition import Mode
from sorter.model.events import AnyEvent, ModeTime
from sorter.model.rollups import CountName, Period, Resolution, rolled_up
from sorter.model.settings import StoreSettings
from sorter.store.keeping import MAX_WAITING_COUNT, Keeping
from sorter.store.protocol import Position, Recorded
from sorter.store.sqlite_reader import SqliteReader
from sorter.store.sqlite_writer import SqliteWriter

S_NS = 1_000_000_000
MIB = 1024 * 1024
DAY_MS = Resolution.DAY.value
NOW_MS = 1_780_000_000_000
ALL_TIME = Period(0, 2 * NOW_MS)
SETTINGS = StoreSettings(keep_days=30, min_free_mib=100, max_file_mib=16)


def second(seq: int, at_ms: int = NOW_MS) -> ModeTime:
    return ModeTime(device_id="n", boot_id="a", seq=seq, at_ms=at_ms, mode=Mode.EXECUTE, duration_ms=1000)


class Disk:
    """A disk whose free space and faults are settable."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.free_bytes = 1000 * MIB
        self.error: StoreError | None = None
        self.opened_count = 0

    def open_writer(self, path: Path) -> SqliteWriter:
        self.opened_count += 1
        disk = self

        class FailingWriter(SqliteWriter):
            def record(self, events: Any) -> Recorded:
                if disk.error is not None:
                    raise disk.error
                return super().record(events)

            def add_sums(self, sums: Any) -> None:
                if disk.error is not None:
                    raise disk.error
                super().add_sums(sums)

        return FailingWriter(path)

    def keeping(self, settings: StoreSettings = SETTINGS) -> Keeping:
        return Keeping(self.path, settings, open_writer=self.open_writer, free_bytes=lambda _folder: self.free_bytes)

    def stored(self) -> list[AnyEvent]:
        reader = SqliteReader(self.path)
        found = [written.event for written in reader.written_after(Position(), 10**6)]
        reader.close()
        return found

    def counts(self) -> dict[str, int]:
        reader = SqliteReader(self.path)
        totals = reader.totals(ALL_TIME)
        reader.close()
        found: dict[str, int] = {}
        for key, value in totals.counts.items():
            found[key.name] = found.get(key.name, 0) + value
        return found


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path / "events.sqlite")


def test_what_is_put_is_durable_after_a_step(disk: Disk) -> None:
    keeping = disk.keeping()
    for seq in (1, 2, 3):
        keeping.put(second(seq))
    assert keeping.waiting_count == 3
    keeping.step(0, NOW_MS)
    assert keeping.waiting_count == 0
    assert [event.seq for event in disk.stored()] == [1, 2, 3]
    assert keeping.trouble is None
    keeping.close()


def test_a_disk_that_is_nearly_full_gets_sums_alone_and_this_is_said_and_counted(disk: Disk) -> None:
    keeping = disk.keeping()
    keeping.put(second(1))
    keeping.step(0, NOW_MS)
    disk.free_bytes = 99 * MIB
    keeping.put(second(2))
    keeping.step(S_NS, NOW_MS)
    assert keeping.trouble is not None
    assert keeping.trouble.code == "store_full"
    assert [event.seq for event in disk.stored()] == [1]
    assert disk.counts() == {CountName.MODE_MS: 2000, CountName.UNSTORED: 1}
    disk.free_bytes = 200 * MIB
    keeping.put(second(3))
    keeping.step(2 * S_NS, NOW_MS)
    assert keeping.trouble is None
    assert [event.seq for event in disk.stored()] == [1, 3]
    keeping.close()


def test_a_disk_with_no_room_at_all_leaves_sums_in_memory_until_there_is_room(disk: Disk) -> None:
    keeping = disk.keeping()
    disk.error = StoreFullError("no room")
    for at_s in range(5):
        keeping.put(second(at_s + 1))
        keeping.step(at_s * S_NS, NOW_MS)
        assert keeping.trouble is not None
        assert keeping.trouble.code == "store_full"
    disk.error = None
    keeping.step(9 * S_NS, NOW_MS)
    assert keeping.trouble is None
    assert disk.stored() == []
    assert disk.counts() == {CountName.MODE_MS: 5000, CountName.UNSTORED: 5}
    assert keeping.summed_only_count == 5
    keeping.close()


def test_a_disk_that_fails_is_tried_again_after_a_while_and_nothing_is_lost(disk: Disk) -> None:
    keeping = disk.keeping()
    disk.error = StoreError("input/output error")
    for at_s in range(5):
        keeping.put(second(at_s + 1))
        keeping.step(at_s * S_NS, NOW_MS)
    assert keeping.trouble is not None
    assert keeping.trouble.code == "store_fault"
    assert disk.opened_count == 1
    disk.error = None
    keeping.step(11 * S_NS, NOW_MS)
    assert [event.seq for event in disk.stored()] == [1, 2, 3, 4, 5]
    assert disk.opened_count == 2
    assert keeping.trouble is None
    keeping.close()


def test_a_store_in_use_by_another_line_is_said_and_taken_once_it_is_free(disk: Disk) -> None:
    other = SqliteWriter(disk.path)
    keeping = disk.keeping()
    keeping.put(second(1))
    keeping.step(0, NOW_MS)
    assert keeping.trouble is not None
    assert "another line writes to it" in keeping.trouble.detail
    other.close()
    keeping.step(11 * S_NS, NOW_MS)
    assert len(disk.stored()) == 1
    keeping.close()


def test_memory_is_bounded_and_what_no_longer_waits_singly_is_in_the_sums(disk: Disk) -> None:
    keeping = disk.keeping()
    disk.error = StoreError("gone")
    total_count = MAX_WAITING_COUNT + 20_000
    for seq in range(1, total_count + 1):
        keeping.put(second(seq))
    keeping.step(0, NOW_MS)
    assert keeping.waiting_count <= MAX_WAITING_COUNT + 5_000
    disk.error = None
    for at_s in range(11, 40):
        keeping.step(at_s * S_NS, NOW_MS)
    assert keeping.waiting_count == 0
    counts = disk.counts()
    assert counts[CountName.MODE_MS] == total_count * 1000
    assert counts[CountName.UNSTORED] + len(disk.stored()) == total_count
    keeping.close()


def test_old_events_are_forgotten_their_sums_stay(disk: Disk) -> None:
    keeping = disk.keeping()
    events = [second(seq, NOW_MS - seq * DAY_MS) for seq in range(1, 61)]
    for event in events:
        keeping.put(event)
    keeping.step(0, NOW_MS)
    assert [event.seq for event in disk.stored()] == list(range(1, 31))
    reader = SqliteReader(disk.path)
    assert reader.series(ALL_TIME, Resolution.MINUTE) == rolled_up(events)
    assert reader.forgotten_before_ms() == NOW_MS - 30 * DAY_MS - NOW_MS % 60_000
    reader.close()
    keeping.close()
