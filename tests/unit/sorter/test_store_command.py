"""`farz store`: what is whole is said to be, what is not is found, and copies are whole stores."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import apsw
import pytest
from click.testing import CliRunner

from sorter.errors import ConfigurationError, StoreError
from sorter.model.condition import Mode
from sorter.model.events import FaultNoted, ModeTime
from sorter.model.rollups import CountName, Resolution, summed_only
from sorter.runtime.clock import wall_ms
from sorter.store.sqlite_reader import SqliteReader
from sorter.store.sqlite_writer import SqliteWriter
from sorter.store_command import backup, check, figures, info, restore

DAY_MS = Resolution.DAY.value
MIDNIGHT_MS = 20_000 * DAY_MS


def second(seq: int, at_ms: int) -> ModeTime:
    return ModeTime(device_id="n", boot_id="a", seq=seq, at_ms=at_ms, mode=Mode.EXECUTE, duration_ms=1000)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "events.sqlite"
    writer = SqliteWriter(path)
    # one that ends at midnight, and belongs to the day that is over
    writer.record([second(seq, MIDNIGHT_MS + seq * DAY_MS // 4) for seq in range(10)])
    fault = FaultNoted(
        device_id="n", boot_id="a", seq=11, at_ms=MIDNIGHT_MS, process="p", code="c", detail="", is_cleared=False
    )
    writer.record([fault])
    writer.close()
    return path


def run_json(command: Any, path: Path, exit_code: int = 0) -> dict[str, Any]:
    ran = CliRunner().invoke(command, ["--file", str(path), "--json"])
    assert ran.exit_code == exit_code, ran.output
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def test_a_store_says_what_it_holds(path: Path) -> None:
    found = run_json(info, path)
    assert found["devices"] == ["n"]
    assert found["first"] == "2024-10-03T23:59:00+00:00"
    assert found["item_count"] == 0


def test_a_whole_store_is_whole(path: Path) -> None:
    assert run_json(check, path) == {"is_whole": True, "event_count": 11, "faults": []}


def test_a_sum_that_is_not_that_of_its_events_is_found(path: Path) -> None:
    connection = apsw.Connection(str(path))
    connection.execute("UPDATE counts_by_minute SET value = value + 1 WHERE name = ?", (CountName.FAULT,))
    connection.close()
    found = run_json(check, path, exit_code=1)
    assert not found["is_whole"]
    assert "1 sums differ" in found["faults"][0]


def test_an_event_that_is_missing_is_found(path: Path) -> None:
    connection = apsw.Connection(str(path))
    connection.execute("DELETE FROM mode_times WHERE seq = 4")
    connection.close()
    assert not run_json(check, path, exit_code=1)["is_whole"]


def test_a_broken_page_is_found(path: Path) -> None:
    SqliteWriter(path).close()
    data = bytearray(path.read_bytes())
    for page in range(2, len(data) // 8192):
        data[page * 8192 : page * 8192 + 64] = bytes(64)
    path.write_bytes(bytes(data))
    ran = CliRunner().invoke(check, ["--file", str(path), "--json"])
    assert ran.exit_code == 1


def test_what_was_forgotten_or_never_kept_singly_is_no_fault(path: Path) -> None:
    writer = SqliteWriter(path)
    writer.forget_before(MIDNIGHT_MS + DAY_MS + 12_345)
    writer.add_sums(summed_only([second(99, MIDNIGHT_MS + 2 * DAY_MS)]))
    writer.close()
    found = run_json(check, path)
    assert found["is_whole"]
    assert found["event_count"] == 5


def test_a_backup_is_a_whole_store_and_is_made_while_the_line_writes(path: Path, tmp_path: Path) -> None:
    writer = SqliteWriter(path)
    writer.record([second(20, MIDNIGHT_MS + 5)])
    ran = CliRunner().invoke(backup, [str(tmp_path / "copy.sqlite"), "--file", str(path)])
    assert ran.exit_code == 0, ran.output
    assert "whole: 12 events" in ran.stdout
    writer.record([second(21, MIDNIGHT_MS + 6)])
    writer.close()
    copy = SqliteReader(tmp_path / "copy.sqlite")
    assert copy.span().devices == ("n",)
    copy.close()
    again = CliRunner().invoke(backup, [str(tmp_path / "copy.sqlite"), "--file", str(path)])
    assert isinstance(again.exception, StoreError)
    assert "is there already" in str(again.exception)


def test_figures_say_what_is_missing_and_how_much_of_the_period_has_data(path: Path) -> None:
    writer = SqliteWriter(path)
    writer.record([second(seq, wall_ms() - seq * 60_000) for seq in range(100, 130)])
    writer.close()
    ran = CliRunner().invoke(figures, ["--file", str(path), "--last", "300min"])
    assert ran.exit_code == 0, ran.output
    rows = {line.split()[0]: line for line in ran.stdout.splitlines()}
    assert "0.2%" in rows["availability"]
    assert "nominal_items_per_min is not configured" in rows["oee"]
    ran = CliRunner().invoke(figures, ["--file", str(path), "--last", "300min", "--json"])
    found = {one["name"]: one for one in json.loads(ran.stdout)["figures"]}
    assert found["availability"]["value"] == 1.0
    assert found["oee"]["reliability"] == "no_data"


@pytest.mark.parametrize("text", ["0h", "yesterday", "8", "-1d", "123456d"])
def test_a_period_that_is_none_is_bad_input(path: Path, text: str) -> None:
    ran = CliRunner().invoke(figures, ["--file", str(path), "--last", text])
    assert isinstance(ran.exception, ConfigurationError)
    assert "8h, 30d or 90min" in str(ran.exception)


def run_restore(backup_path: Path, path: Path) -> Any:
    return CliRunner().invoke(restore, [str(backup_path), "--file", str(path)])


def test_a_backup_is_restored_whole_though_a_killed_writer_left_its_log(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite"
    assert CliRunner().invoke(backup, [str(copy), "--file", str(path)]).exit_code == 0
    killed = (
        "import os, sys, pathlib\n"
        "from sorter.model.condition import Mode\n"
        "from sorter.model.events import ModeTime\n"
        "from sorter.store.sqlite_writer import SqliteWriter\n"
        "writer = SqliteWriter(pathlib.Path(sys.argv[1]))\n"
        "values = dict(device_id='n', boot_id='b', at_ms=10**12, mode=Mode.IDLE, duration_ms=1)\n"
        "writer.record([ModeTime(seq=seq, **values) for seq in range(1, 400)])\n"
        "os._exit(9)\n"
    )
    assert subprocess.run([sys.executable, "-c", killed, str(path)], timeout=60).returncode == 9
    assert path.with_name("events.sqlite-wal").stat().st_size > 0
    assert run_restore(copy, path).exit_code == 0
    assert run_json(check, path) == {"is_whole": True, "event_count": 11, "faults": []}
    assert run_json(check, path.with_name("events.sqlite.replaced"))["event_count"] == 11 + 399


def test_nothing_is_restored_under_a_line_that_runs_or_over_what_was_replaced_before(
    path: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.sqlite"
    CliRunner().invoke(backup, [str(copy), "--file", str(path)])
    writer = SqliteWriter(path)
    assert "another line writes to it" in str(run_restore(copy, path).exception)
    writer.close()
    assert run_restore(copy, path).exit_code == 0
    assert "move it away first" in str(run_restore(copy, path).exception)
    assert isinstance(run_restore(tmp_path / "nothing.sqlite", path).exception, StoreError)


def test_a_backup_is_restored_where_nothing_was(path: Path, tmp_path: Path) -> None:
    ran = run_restore(path, tmp_path / "new" / "events.sqlite")
    assert ran.exit_code == 0, ran.output
    assert run_json(check, tmp_path / "new" / "events.sqlite")["is_whole"]
