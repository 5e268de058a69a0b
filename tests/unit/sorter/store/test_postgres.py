"""What only PostgreSQL has to get right: months, writers at once, lost connections, and texts with a zero in."""

import contextlib
import threading
from typing import Any

import psycopg
import pytest

from sorter.errors import StoreError, StoreRefusedError
from sorter.model.condition import Mode
from sorter.model.events import AnyEvent, FaultNoted, ModeTime
from sorter.model.rollups import Period, Resolution, RollUp, rolled_up
from sorter.store.postgres_forgetting import forget_before
from sorter.store.postgres_reader import PostgresReader
from sorter.store.postgres_schema import SPLIT_BY, months_of
from sorter.store.postgres_writer import PostgresWriter
from sorter.store.protocol import Position

NOVEMBER_MS = 1_793_491_200_000  # 2026-11-01
MINUTE_MS = 60_000
ALL_TIME = Period(-(2**61), 2**61)


def fault(seq: int, at_ms: int = NOVEMBER_MS, device_id: str = "north", **changes: Any) -> FaultNoted:
    values = {"process": "vision", "code": "dark", "detail": "", "is_cleared": False, **changes}
    return FaultNoted(device_id=device_id, boot_id="a", seq=seq, at_ms=at_ms, **values)


def parts(dsn: str, table: str = "faults") -> set[str]:
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", (table,)
        )
        return {name for (name,) in rows}


def test_each_month_has_a_part_and_clocks_far_off_have_one_each(postgres_dsn: str) -> None:
    writer = PostgresWriter(postgres_dsn)
    instants = [0, NOVEMBER_MS - 1, NOVEMBER_MS, NOVEMBER_MS + 31 * 86_400_000, 2**45]
    events: list[AnyEvent] = [fault(seq, at_ms) for seq, at_ms in enumerate(instants, start=1)]
    writer.record(events)
    months = {"faults_y2026m10", "faults_y2026m11", "faults_y2026m12"}
    assert parts(postgres_dsn) == {"faults_early", "faults_late", *months}
    for table in SPLIT_BY:
        assert f"{table}_y2026m11" in parts(postgres_dsn, table)
    reader = PostgresReader(postgres_dsn)
    assert reader.events(FaultNoted, ALL_TIME) == events
    assert reader.series(ALL_TIME, Resolution.MINUTE) == rolled_up(events)
    reader.close()
    writer.close()


def test_a_stretch_that_ends_with_the_month_lies_in_the_month_before(postgres_dsn: str) -> None:
    writer = PostgresWriter(postgres_dsn)
    stretch = ModeTime(device_id="north", boot_id="a", seq=1, at_ms=NOVEMBER_MS, mode=Mode.EXECUTE, duration_ms=1000)
    assert writer.record([stretch]).stored_count == 1
    assert "counts_by_minute_y2026m10" in parts(postgres_dsn, "counts_by_minute")
    writer.close()


def test_months_are_cut_by_utc() -> None:
    assert months_of([NOVEMBER_MS - 1, NOVEMBER_MS, NOVEMBER_MS + 1, 0]) == [(2026, 10), (2026, 11)]


def test_writers_that_write_the_same_at_once_store_it_once(postgres_dsn: str) -> None:
    events: list[AnyEvent] = [fault(seq, NOVEMBER_MS + seq) for seq in range(1, 101)]
    writers = [PostgresWriter(postgres_dsn) for _ in range(4)]
    stored: list[int] = []
    gate = threading.Barrier(len(writers))

    def write(writer: PostgresWriter) -> None:
        gate.wait()
        stored.extend(writer.record(events[begin : begin + 40]).stored_count for begin in range(0, 100, 20))
        writer.close()

    threads = [threading.Thread(target=write, args=(writer,)) for writer in writers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    reader = PostgresReader(postgres_dsn)
    assert sum(stored) == 100
    assert [one.event for one in reader.written_after(Position())] == events
    assert reader.series(ALL_TIME, Resolution.MINUTE) == rolled_up(events)
    reader.close()


def test_writers_of_different_lines_get_places_of_their_own(postgres_dsn: str) -> None:
    names = [f"line{number}" for number in range(8)]
    writers = {name: PostgresWriter(postgres_dsn) for name in names}
    gate = threading.Barrier(len(names))

    def write(name: str) -> None:
        gate.wait()
        writers[name].record([fault(seq, device_id=name) for seq in range(1, 20)])
        writers[name].close()

    threads = [threading.Thread(target=write, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    reader = PostgresReader(postgres_dsn)
    assert [life.ordinal for life in reader.lives()] == list(range(1, 9))
    assert {life.device_id for life in reader.lives()} == set(names)
    reader.close()


def test_a_lost_connection_is_an_error_once_and_made_anew(postgres_dsn: str) -> None:
    writer = PostgresWriter(postgres_dsn)
    writer.record([fault(1)])
    with psycopg.connect(postgres_dsn, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    with pytest.raises(StoreError, match="test_"):
        writer.record([fault(2)])
    assert writer.record([fault(1), fault(2)]).stored_count == 1
    writer.close()


def test_a_text_with_a_zero_in_is_kept_without_it(postgres_dsn: str) -> None:
    writer = PostgresWriter(postgres_dsn)
    writer.record([fault(1, detail="a\0b", code="\0")])
    reader = PostgresReader(postgres_dsn)
    (kept,) = reader.events(FaultNoted, ALL_TIME)
    assert isinstance(kept, FaultNoted)
    assert kept.detail == "a\N{REPLACEMENT CHARACTER}b"
    # two names that become one add up
    writer.record([fault(2, code="\0"), fault(3, code="\N{REPLACEMENT CHARACTER}"), fault(4, code="\\u0000")])
    counts = reader.series(ALL_TIME, Resolution.DAY).counts
    assert {key.label: value for key, value in counts.items()} == {
        "vision/\N{REPLACEMENT CHARACTER}": 3,
        "vision/\\u0000": 1,
    }
    reader.close()
    writer.close()


def test_a_value_that_no_column_holds_is_told_apart_from_trouble(postgres_dsn: str) -> None:
    writer = PostgresWriter(postgres_dsn)
    with pytest.raises(StoreRefusedError):
        writer.record([fault(1, at_ms=2**63)])
    assert writer.record([fault(1)]).stored_count == 1
    writer.close()


def test_room_is_told_for_each_table_with_all_its_parts(postgres_dsn: str) -> None:
    writer, reader = PostgresWriter(postgres_dsn), PostgresReader(postgres_dsn)
    before = reader.used_bytes()
    writer.record([fault(seq, NOVEMBER_MS + seq * 86_400_000, detail="x" * 500) for seq in range(1, 400)])
    after = reader.used_bytes()
    assert after["faults"] - before["faults"] > 400 * 500
    assert after["items"] >= before["items"]
    assert not any("_y2026" in table for table in after)
    reader.close()
    writer.close()


OCTOBER_MS, DAY_MS = NOVEMBER_MS - 31 * 86_400_000, 86_400_000


def test_whole_months_are_forgotten_and_their_sums_stay(postgres_dsn: str) -> None:
    writer, reader = PostgresWriter(postgres_dsn), PostgresReader(postgres_dsn)
    old: list[AnyEvent] = [fault(seq, OCTOBER_MS + seq * DAY_MS) for seq in range(1, 21)]
    new: list[AnyEvent] = [fault(seq, NOVEMBER_MS + seq) for seq in range(21, 31)]
    writer.record([*old, *new])
    sums = reader.series(ALL_TIME, Resolution.MINUTE)
    assert forget_before(postgres_dsn, NOVEMBER_MS - 1) == []
    assert forget_before(postgres_dsn, NOVEMBER_MS + DAY_MS) == ["2026-10"]
    assert reader.events(FaultNoted, ALL_TIME) == new
    assert reader.series(ALL_TIME, Resolution.MINUTE) == sums == rolled_up([*old, *new])
    assert reader.forgotten_before_ms() == NOVEMBER_MS
    # a replay of what was forgotten counts no second time; what is late and new counts, though it is as old
    assert writer.record([*old, *new]).stored_count == 0
    late: list[AnyEvent] = [fault(seq, OCTOBER_MS + DAY_MS) for seq in (31, 32)]
    with contextlib.suppress(StoreError):
        writer.record(late)
    writer.record(late)
    assert reader.series(ALL_TIME, Resolution.MINUTE) == rolled_up([*old, *new, *late])
    assert forget_before(postgres_dsn, NOVEMBER_MS) == ["2026-10"]
    reader.close()
    writer.close()


def test_audits_and_recipes_are_not_forgotten(postgres_dsn: str) -> None:
    writer = PostgresWriter(postgres_dsn)
    writer.record([fault(1, OCTOBER_MS + 1)])
    forget_before(postgres_dsn, NOVEMBER_MS)
    assert "audits_y2026m10" in parts(postgres_dsn, "audits")
    assert "items_y2026m10" not in parts(postgres_dsn, "items")
    writer.close()


def test_who_reads_what_is_to_be_forgotten_is_not_waited_for(postgres_dsn: str) -> None:
    writer = PostgresWriter(postgres_dsn)
    writer.record([fault(1, OCTOBER_MS + 1)])
    with psycopg.connect(postgres_dsn) as reading:
        reading.execute("SELECT count(*) FROM faults")
        with pytest.raises(StoreError, match="lock timeout"):
            forget_before(postgres_dsn, NOVEMBER_MS)
    assert forget_before(postgres_dsn, NOVEMBER_MS) == ["2026-10"]
    writer.close()


def test_another_schema_is_left_alone(postgres_dsn: str) -> None:
    PostgresWriter(postgres_dsn).close()
    with psycopg.connect(postgres_dsn, autocommit=True) as other:
        other.execute("UPDATE schema_version SET version = 99")
    for opened in (PostgresWriter, PostgresReader):
        with pytest.raises(StoreError, match="schema 99"):
            opened(postgres_dsn)


def test_an_empty_database_is_no_store_to_read(postgres_dsn: str) -> None:
    with pytest.raises(StoreError, match="schema_version"):
        PostgresReader(postgres_dsn)


def test_a_reader_cannot_write(postgres_dsn: str) -> None:
    PostgresWriter(postgres_dsn).close()
    reader = PostgresReader(postgres_dsn)
    with pytest.raises(StoreError, match="read-only"):
        reader._rows("DELETE FROM boots")
    assert reader.totals(ALL_TIME) == RollUp()
    reader.close()


def test_a_database_that_is_not_there_is_named_without_its_password() -> None:
    with pytest.raises(StoreError) as caught:
        PostgresWriter("host=127.0.0.1 port=1 dbname=plants user=farz password=hush-hush")
    assert "plants" in str(caught.value)
    assert "hush" not in str(caught.value)
    with pytest.raises(StoreError):
        PostgresWriter("no connection string, password=hush")
