"""Keeping a record: no trouble of a disk stops anything, loses a sum, or stays unsaid."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sorter.errors import StoreError, StoreFullError
from sorter.model.condition import Mode
from sorter.model.ejection import DecisionReason
from sorter.model.events import AnyEvent, ItemDecided, ModeTime
from sorter.model.rollups import CountName, Period, Resolution, rolled_up
from sorter.model.settings import StoreSettings
from sorter.store.check import check_store
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


def busy_items(count: int) -> Iterator[ItemDecided]:
    for seq in range(2, count + 2):
        yield ItemDecided(
            device_id="n", boot_id="a", seq=seq, at_ms=NOW_MS - 10**7 + seq * 100, track_id=seq, decision_id=seq,
            class_name="can", probability=0.9, class_probabilities={"can": 0.9}, view_count=3, x_um=1, belt_um=2,
            width_um=3, length_um=4, overlap_ratio=0.0, mass_g=16.0, mass_sd_g=5.0, reason=DecisionReason.NO_STATION,
            station_id=None, ack_status=None, refusal=None, placement_error_um=None, frame_to_command_ms=None,
            model_id="m", recipe_hash="r",
        )  # fmt: skip


class Disk:
    """A disk whose free space and faults are settable."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.free_bytes = 1000 * MIB
        self.error: StoreError | None = None
        self.error_after: StoreError | None = None
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
                if disk.error_after is not None:
                    raise disk.error_after

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


@pytest.mark.parametrize("is_written", [True, False])
def test_sums_whose_writing_ended_in_an_error_are_there_once(disk: Disk, is_written: bool) -> None:
    keeping = disk.keeping()
    disk.free_bytes = 0
    error = StoreError("the disk did not confirm")
    disk.error, disk.error_after = (None, error) if is_written else (error, None)
    for at_s in range(3):
        keeping.put(second(at_s + 1))
        keeping.step(at_s * S_NS, NOW_MS)
    disk.error = disk.error_after = None
    keeping.step(11 * S_NS, NOW_MS)
    keeping.step(12 * S_NS, NOW_MS)
    assert disk.counts() == {CountName.MODE_MS: 3000, CountName.UNSTORED: 3}
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


def test_a_clock_that_was_set_forward_makes_nothing_forgotten(disk: Disk) -> None:
    keeping = disk.keeping()
    keeping.put(second(1))
    keeping.step(0, NOW_MS)
    for at_s in (70, 140):
        keeping.step(at_s * S_NS, NOW_MS + 3650 * DAY_MS)
    assert len(disk.stored()) == 1
    keeping.close()
    later = disk.keeping()
    later.step(0, NOW_MS + 3650 * DAY_MS)
    assert disk.stored() == []
    later.close()


def test_a_file_that_may_grow_no_more_is_a_full_disk_to_sqlite_itself(disk: Disk) -> None:
    writers: list[SqliteWriter] = []

    def open_cramped(path: Path) -> SqliteWriter:
        writers.append(SqliteWriter(path))
        connection = writers[0]._connection
        connection.pragma("max_page_count", int(connection.pragma("page_count")) + 4)
        return writers[0]

    keeping = Keeping(disk.path, SETTINGS, open_writer=open_cramped, free_bytes=lambda _folder: disk.free_bytes)
    events = [second(seq, NOW_MS + seq * 20_000) for seq in range(1, 2001)]
    for event in events:
        keeping.put(event)
        if event.seq % 100 == 0:
            keeping.step(0, NOW_MS)
    assert keeping.trouble is not None
    assert keeping.trouble.code == "store_full"
    assert 0 < len(disk.stored()) < len(events)
    writers[0]._connection.pragma("max_page_count", 10_000)
    keeping.step(S_NS, NOW_MS)
    assert keeping.trouble is None
    keeping.close()
    reader = SqliteReader(disk.path)
    assert check_store(reader).is_whole
    reader.close()
    assert disk.counts()[CountName.MODE_MS] == len(events) * 1000


def test_a_file_that_has_grown_too_large_forgets_its_oldest_events(disk: Disk) -> None:
    keeping = disk.keeping()
    keeping.put(second(1))
    keeping.step(0, NOW_MS)
    writer = keeping._writer
    assert writer is not None
    items = list(busy_items(25_000))
    for first in range(0, len(items), 5000):
        writer.record(items[first : first + 5000])
    settings = msgspec.structs.replace(SETTINGS, max_file_mib=1)
    keeping.close()
    keeping = disk.keeping(settings)
    for at_s in range(1, 30):
        keeping.step(at_s * S_NS, NOW_MS)
    keeping.close()
    left = [event for event in disk.stored() if isinstance(event, ItemDecided)]
    assert left[-1] == items[-1]
    assert 1000 < len(left) <= 20_000
    reader = SqliteReader(disk.path)
    assert check_store(reader).is_whole
    reader.close()
    assert disk.counts()[CountName.DECISION] == len(items)
