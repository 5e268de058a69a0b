"""A line that runs remembers: what it sorted is in its store, also after a kill, and figures come from there."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from free_ports import free_port

from sorter.errors import StoreError
from sorter.figures.bulletin import all_figures
from sorter.figures.figure import Reliability
from sorter.model.condition import Mode
from sorter.model.events import FaultNoted, ItemDecided, ModeChanged
from sorter.model.rollups import Period
from sorter.model.settings import FiguresSettings
from sorter.store.reading import period_record
from sorter.store.sqlite_reader import SqliteReader
from sorter.store_command import check

FARZ = [sys.executable, "-c", "import sys; sys.argv[0] = 'farz'; from sorter.cli import main; main()"]
ALL_TIME = Period(0, 2**62)


def write_config(folder: Path, store: str) -> Path:
    path = folder / "line.toml"
    path.write_text(f'[detector]\nruntime = "oracle"\n[ui]\nport = {free_port()}\n[store]\n{store}\n')
    return path


@contextmanager
def running(config: Path, tmp_path: Path, *options: str) -> Iterator["subprocess.Popen[str]"]:
    (tmp_path / "run").mkdir(exist_ok=True)
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path / "run")}
    with subprocess.Popen(
        [*FARZ, "run", "--config", str(config), *options],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as line:
        try:
            yield line
        finally:
            if line.poll() is None:
                line.send_signal(signal.SIGINT)


def check_json(path: Path) -> dict[str, Any]:
    ran = CliRunner().invoke(check, ["--file", str(path), "--json"])
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def wait_for(condition: Any, what: str, timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def items_in(path: Path) -> list[ItemDecided]:
    try:
        reader = SqliteReader(path)
    except StoreError:
        # not made yet
        return []
    found = [event for event in reader.events(ItemDecided, ALL_TIME, limit=10**6) if isinstance(event, ItemDecided)]
    reader.close()
    return found


def test_what_a_run_says_at_its_end_is_what_it_remembers(tmp_path: Path) -> None:
    config = write_config(tmp_path, f'folder = "{tmp_path / "store"}"')
    with running(config, tmp_path, "--for", "5s", "--json") as line:
        said = json.loads(line.communicate(timeout=90)[0])
    path = tmp_path / "store" / "events.sqlite"
    assert check_json(path)["is_whole"]
    items = items_in(path)
    fired = sum(item.is_ejected for item in items)
    # the line counts from the first item that came into view while it sorted; its record has what lay there before, too
    assert said["acks"]["fired"] <= fired <= said["acks"]["fired"] + 20
    assert sum(said["class_counts"].values()) <= sum(item.is_item for item in items)
    reader = SqliteReader(path)
    modes = [event.mode for event in reader.events(ModeChanged, ALL_TIME) if isinstance(event, ModeChanged)]
    span = reader.span()
    record = period_record(reader, Period(span.first_ms or 0, span.last_ms or 0))
    reader.close()
    assert modes[-1] is Mode.EXECUTE
    figures = {f"{one.name} {one.subject}": one for one in all_figures(record, FiguresSettings())}
    assert (figures["purity pet"].value or 0.0) > 0.9
    assert figures["throughput_items "].reliability is Reliability.RELIABLE
    assert 3.0 < record.executing_ms / 1000 < 15.0


def test_a_killed_sorter_loses_nothing_that_was_written_and_its_next_life_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "store" / "events.sqlite"
    config = write_config(tmp_path, f'folder = "{path.parent}"')
    with running(config, tmp_path) as line:
        wait_for(lambda: len(items_in(path)) > 5, "no items in the store")
        children = Path(f"/proc/{line.pid}/task/{line.pid}/children").read_text().split()
        sorter = next(int(one) for one in children if b"sorter\0--run" in Path(f"/proc/{one}/cmdline").read_bytes())
        before = items_in(path)
        os.kill(sorter, signal.SIGKILL)
        wait_for(lambda: len({item.boot_id for item in items_in(path)}) > 1, "the next life writes nothing")
    after = items_in(path)
    assert after[: len(before)] == before
    assert check_json(path)["is_whole"]


def test_a_store_that_cannot_be_is_a_fault_to_see_and_the_line_sorts(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    config = write_config(tmp_path, f'folder = "{tmp_path / "file" / "store"}"')
    with running(config, tmp_path, "--for", "4s", "--json") as line:
        said = json.loads(line.communicate(timeout=90)[0])
    assert said["counted_count"] > 0


def test_a_full_disk_is_remembered_as_sums_and_as_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "store" / "events.sqlite"
    config = write_config(tmp_path, f'folder = "{path.parent}"\nmin_free_mib = 1000000')
    with running(config, tmp_path, "--for", "4s", "--json") as line:
        said = json.loads(line.communicate(timeout=90)[0])
    assert said["counted_count"] > 0
    assert items_in(path) == []
    reader = SqliteReader(path)
    totals = reader.totals(ALL_TIME)
    assert reader.events(FaultNoted, ALL_TIME) == []
    reader.close()
    assert sum(sums.item_count for sums in totals.items.values()) >= said["counted_count"]
    assert sum(value for key, value in totals.counts.items() if key.label == "sorter/store_full") == 1
