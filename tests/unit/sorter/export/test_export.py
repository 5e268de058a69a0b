"""farz export: what others' tools read is what was recorded, every column is described, and no person is named."""

import contextlib
import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from sorter.errors import BadInputError
from sorter.export.export_command import export
from sorter.export.rows import ExportRow
from sorter.export.writing import data_dictionary, described_columns, export_period
from sorter.model.condition import Mode
from sorter.model.ejection import AckStatus, DecisionReason
from sorter.model.events import AnyEvent, AuditTaken, EnergyUsed, FaultNoted, ItemDecided, ModeChanged
from sorter.model.rollups import Period
from sorter.store.sqlite_reader import SqliteReader
from sorter.store.sqlite_writer import SqliteWriter

duckdb = pytest.importorskip("duckdb")
pytest.importorskip("pyarrow")

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
BEGIN_MS = 1_774_742_400_000
PERSON, PLACE = "Fatima Zahra", "/home/fatima"
LINES = ("north", "خط ١/2")
MAIN_TABLES = ("items", "mode_changes", "faults", "energy", "audits", "hours")


def events_of(line: str) -> Iterator[AnyEvent]:
    def place(seq: int, at_ms: int) -> dict[str, Any]:
        return {"device_id": line, "boot_id": "a", "seq": seq, "at_ms": at_ms}

    yield ModeChanged(**place(1, BEGIN_MS), mode=Mode.EXECUTE, reason=f"start by {PERSON}", recipe_hash="r")
    yield FaultNoted(**place(2, BEGIN_MS), process="vision", code="no_camera", detail=PLACE, is_cleared=False)
    yield EnergyUsed(
        **place(3, BEGIN_MS), duration_ms=1000, source="rapl", energy_mj=2500, air_ul=500_000, shot_count=2
    )
    yield AuditTaken(
        **place(4, BEGIN_MS),
        audit_id="x",
        revision=1,
        station_id=None,
        from_ms=BEGIN_MS - HOUR_MS,
        to_ms=BEGIN_MS,
        class_counts={"can": 3, "other": 1},
        taken_by=PERSON,
        note=PERSON,
    )
    for number in range(50):
        yield ItemDecided(
            **place(10 + number, BEGIN_MS + number * HOUR_MS),
            track_id=number,
            decision_id=number,
            class_name="can" if number % 2 else "carton",
            probability=0.9,
            class_probabilities={"can": 0.9, "carton": 0.1},
            view_count=3,
            x_um=1500,
            belt_um=2_000_000,
            width_um=80_500,
            length_um=100_000,
            overlap_ratio=0.0,
            mass_g=16.0,
            mass_sd_g=4.0,
            reason=DecisionReason.EJECT,
            station_id="can",
            ack_status=AckStatus.FIRED,
            refusal=None,
            placement_error_um=None if number else -250,
            frame_to_command_ms=40.0,
            model_id="farz-n",
            recipe_hash="r",
        )


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[SqliteReader]:
    writer = SqliteWriter(tmp_path / "events.sqlite")
    for line in LINES:
        writer.record(list(events_of(line)))
    reader = SqliteReader(tmp_path / "events.sqlite")
    yield reader
    reader.close()
    writer.close()


@pytest.fixture
def folder(reader: SqliteReader, tmp_path: Path) -> Path:
    export_period(reader, Period(BEGIN_MS, BEGIN_MS + 10 * DAY_MS), tmp_path / "records")
    return tmp_path / "records"


def ask(folder: Path, table: str, what: str, rest: str = "") -> list[tuple[Any, ...]]:
    source = f"read_parquet('{folder}/{table}/**/*.parquet', hive_partitioning=true)"
    found: list[tuple[Any, ...]] = duckdb.sql(f"SELECT {what} FROM {source} {rest}").fetchall()
    return found


def test_duckdb_finds_every_item_of_every_line_once(folder: Path) -> None:
    found = ask(folder, "items", "line, count(*), count(DISTINCT seq), sum(mass_g)", "GROUP BY line ORDER BY line")
    assert found == [(line, 50, 50, 800.0) for line in sorted(LINES)]


def test_days_are_partitions_and_times_are_utc(folder: Path) -> None:
    found = ask(folder, "items", "CAST(date AS VARCHAR), count(*)", "WHERE line = 'north' GROUP BY 1 ORDER BY 1")
    assert found == [("2026-03-29", 24), ("2026-03-30", 24), ("2026-03-31", 2)]
    ((first,),) = ask(folder, "items", "epoch_ms(min(time))")
    assert first == BEGIN_MS


def test_units_and_codes_are_harmonised(folder: Path) -> None:
    what = "width_mm, waste_code, sorted_fraction_code, placement_error_mm, class_probabilities['carton']"
    assert ask(folder, "items", what, "WHERE line = 'north' ORDER BY seq LIMIT 2") == [
        (80.5, "15 01 05", "19 12 12", -0.25, 0.1),
        (80.5, "15 01 04", None, None, 0.1),
    ]
    assert ask(folder, "energy", "energy_j, air_l", "LIMIT 1") == [(2.5, 0.5)]
    assert ask(folder, "audits", "class_counts['can'], station", "LIMIT 1") == [(3, None)]


def test_hours_add_up_to_the_items(folder: Path) -> None:
    assert ask(folder, "hours", "sum(item_count), round(sum(mass_kg), 6)") == [(100, 1.6)]


def test_materials_join_the_items(folder: Path) -> None:
    materials = f"read_parquet('{folder}/materials.parquet')"
    rest = f"JOIN {materials} m USING (class_name) WHERE m.label_fr = 'Brique alimentaire'"
    assert ask(folder, "items", "count(*)", rest) == [(50,)]


def test_every_column_is_described_in_the_dictionary_and_in_the_file(folder: Path) -> None:
    with (folder / "data_dictionary.csv").open(encoding="utf-8") as file:
        described = {(row["table_name"], row["column_name"]): row for row in csv.DictReader(file)}
    assert all(row["description"] and row["arrow_type"] for row in described.values())
    for table in MAIN_TABLES:
        columns = {name for (name, *_) in duckdb.sql(
            f"DESCRIBE SELECT * FROM read_parquet('{folder}/{table}/**/*.parquet', hive_partitioning=false)"
        ).fetchall()}  # fmt: skip
        assert columns == {column for name, column in described if name == table}


@pytest.mark.parametrize("row_type", ExportRow.__subclasses__(), ids=lambda kind: kind.__name__)
def test_names_with_a_unit_have_it_and_everything_has_a_meaning(row_type: type[ExportRow]) -> None:
    suffixes = {"_mm": "mm", "_g": "g", "_ratio": "1", "_ms": "ms", "_j": "J", "_l": "L", "_m2": "m2", "_kg": "kg"}
    for column in described_columns(row_type):
        assert column.description
        ending = next((unit for suffix, unit in suffixes.items() if column.name.endswith(suffix)), None)
        assert ending is None or column.unit == ending


@pytest.mark.parametrize("table", MAIN_TABLES)
def test_every_column_is_selected_by_its_bare_name(folder: Path, table: str) -> None:
    names = [row.column_name for row in data_dictionary() if row.table_name == table]
    assert ask(folder, table, ", ".join([*names, "line", "date"]))


def test_no_person_and_no_place_is_in_any_file(folder: Path) -> None:
    for path in folder.rglob("*.*"):
        content = path.read_bytes()
        assert PERSON.encode() not in content
        assert PLACE.encode() not in content
    for table in MAIN_TABLES:
        assert PERSON not in str(ask(folder, table, "*"))


def test_a_folder_that_exists_is_left_alone_and_nothing_half_written_stays(
    reader: SqliteReader, folder: Path, tmp_path: Path
) -> None:
    before = sorted(folder.rglob("*"))
    with pytest.raises(BadInputError, match="is there already"):
        export_period(reader, Period(BEGIN_MS, BEGIN_MS + DAY_MS), folder)
    assert sorted(folder.rglob("*")) == before
    assert not (tmp_path / "records.part").exists()


def test_parts_and_days_of_any_size_hold_the_same_rows(
    reader: SqliteReader, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sorter.export.writing._PART_COUNT", 7)
    monkeypatch.setattr("sorter.export.writing._PAGE_COUNT", 3)
    told: list[float] = []
    export_period(reader, Period(BEGIN_MS, BEGIN_MS + 10 * DAY_MS), tmp_path / "small", told.append)
    what, rest = "line, date, * EXCLUDE (line, date)", "ORDER BY line, seq"
    assert ask(tmp_path / "small", "items", what, rest) == ask(folder, "items", what, rest)
    assert len(list((tmp_path / "small" / "items").rglob("*.parquet"))) > len(
        list((folder / "items").rglob("*.parquet"))
    )
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_the_command_writes_a_month_and_says_how_much(reader: SqliteReader, tmp_path: Path) -> None:
    arguments = [str(tmp_path / "out"), "--store", str(reader.path), "--from", "2026-03-30", "--to", "2026-04-01"]
    done = CliRunner().invoke(export, [*arguments, "--json"], catch_exceptions=False)
    assert json.loads(done.stdout)["row_counts"]["items"] == 52
    empty = CliRunner().invoke(
        export, [str(tmp_path / "none"), "--store", str(reader.path), "--from", "2030-01-01", "--to", "2029-01-01"]
    )
    assert isinstance(empty.exception, BadInputError)


def test_the_dictionary_describes_itself() -> None:
    assert {"table_name", "column_name", "unit"} <= {
        row.column_name for row in data_dictionary() if row.table_name == "data_dictionary"
    }


def test_what_a_hub_holds_is_exported_alike(tmp_path: Path, reader: SqliteReader, postgres_dsn: str) -> None:
    from sorter.store.postgres_writer import PostgresWriter

    with contextlib.closing(PostgresWriter(postgres_dsn)) as writer:
        for line in LINES:
            writer.record(list(events_of(line)))
    config = tmp_path / "hub.toml"
    config.write_text(f"[hub]\ndatabase = {json.dumps(postgres_dsn)}\n")
    counts = []
    for name, options in (("line", ["--store", str(reader.path)]), ("hub", ["--hub", "--config", str(config)])):
        said = CliRunner().invoke(export, [str(tmp_path / name), *options, "--json"], catch_exceptions=False)
        counts.append(json.loads(said.output)["row_counts"])
    assert counts[0] == counts[1]
    assert counts[1]["items"] == 50 * len(LINES)


def test_one_store_is_exported_at_a_time(tmp_path: Path) -> None:
    said = CliRunner().invoke(export, [str(tmp_path / "out"), "--hub", "--store", "x"])
    assert said.exit_code == 2
    assert "one of them" in said.output
