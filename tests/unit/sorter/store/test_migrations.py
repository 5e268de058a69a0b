"""Stores of every released schema come to the present one, whole; those of a later one are left alone."""

from pathlib import Path

import apsw
import pytest

from sorter.errors import StoreError
from sorter.model.rollups import Period, Resolution, rolled_up
from sorter.store import migrations
from sorter.store.protocol import Position
from sorter.store.schema import SCHEMA_VERSION
from sorter.store.sqlite_reader import SqliteReader
from sorter.store.sqlite_writer import SqliteWriter

RELEASED = sorted(Path(__file__).with_name("released").glob("v*.sql"))
ALL_TIME = Period(0, 4_000_000_000_000)


def store_of(dump: Path, folder: Path) -> Path:
    path = folder / "events.sqlite"
    connection = apsw.Connection(str(path))
    connection.execute(dump.read_text())
    connection.close()
    return path


def schema_of(path: Path) -> set[str]:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    found = {str(sql) for (sql,) in connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")}
    connection.close()
    return found


def test_there_is_a_store_of_every_released_schema() -> None:
    assert [path.stem for path in RELEASED] == [f"v{version}" for version in range(1, SCHEMA_VERSION + 1)]


@pytest.mark.parametrize("dump", RELEASED, ids=lambda dump: dump.stem)
def test_a_released_store_becomes_a_present_one_with_all_its_events(dump: Path, tmp_path: Path) -> None:
    path = store_of(dump, tmp_path)
    SqliteWriter(path).close()
    SqliteWriter(tmp_path / "fresh.sqlite").close()
    assert schema_of(path) == schema_of(tmp_path / "fresh.sqlite")
    reader = SqliteReader(path)
    events = [written.event for written in reader.written_after(Position(), 1000)]
    assert len(events) == 8
    assert reader.series(ALL_TIME, Resolution.MINUTE) == rolled_up(events)
    assert reader.integrity_faults() == []
    reader.close()


def test_steps_are_taken_in_order_and_all_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "events.sqlite"
    SqliteWriter(path).close()
    steps = {SCHEMA_VERSION: ("ALTER TABLE faults ADD COLUMN x TEXT",), SCHEMA_VERSION + 1: ("DROP TABLE nowhere",)}
    monkeypatch.setattr(migrations, "STEPS", {**migrations.STEPS, **steps})
    monkeypatch.setattr(migrations, "SCHEMA_VERSION", SCHEMA_VERSION + 2)
    before = schema_of(path)
    with pytest.raises(StoreError, match="nowhere"):
        SqliteWriter(path)
    assert schema_of(path) == before
    monkeypatch.setattr(migrations, "SCHEMA_VERSION", SCHEMA_VERSION + 1)
    SqliteWriter(path).close()
    assert schema_of(path) != before


def test_a_store_of_a_later_schema_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    SqliteWriter(path).close()
    connection = apsw.Connection(str(path))
    connection.pragma("user_version", SCHEMA_VERSION + 1)
    connection.close()
    for opened in (SqliteWriter, SqliteReader):
        with pytest.raises(StoreError, match=f"schema {SCHEMA_VERSION + 1}"):
            opened(path)


def test_what_is_no_store_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "events.sqlite"
    with pytest.raises(StoreError, match=r"events\.sqlite"):
        SqliteReader(path)
    path.write_text("not a database, though long enough to be read as one " * 20)
    for opened in (SqliteWriter, SqliteReader):
        with pytest.raises(StoreError, match="not a database"):
            opened(path)
