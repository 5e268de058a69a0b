"""`farz bench`: that every bench runs and its figures are numbers; how fast things are is not tested."""

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from training.benchmarks.bench_command import BENCHES, bench, run_benches
from training.benchmarks.figure import BARS
from training.benchmarks.own_postgres import postgres_programs
from training.benchmarks.peers import ULTRALYTICS, is_installed
from training.benchmarks.stock_trackers import STOCK_TRACKERS
from vision.cuda.host_build import host_compiler
from vision.cuda.nvcc import ARCHITECTURES, known_architectures

NEEDS_ULTRALYTICS = {
    "pipeline.overhead_gain_ratio",
    "pipeline.speedup_over_ultralytics_ratio",
    "pipeline.overhead_ultralytics_ms",
    "import.memory_ratio",
    "import.time_ratio",
}
NEEDS_CYCLICTEST = {"fire.cyclictest_p99_ms", "fire.ratio_to_cyclictest"}
NEEDS_A_COMPILER = {"kernels.grey_level_error", "kernels.box_error_px"}
NEEDS_NVCC = {f"kernels.{one}_spilled_bytes" for one in ARCHITECTURES if one not in known_architectures()}
NEEDS_A_STOCK_TRACKER = {"tracker.speedup_over_bytetrack_ratio"}


def bars_of(name: str) -> set[str]:
    return {key for key in BARS if key.partition(".")[0] == name}


def run_json(name: str) -> dict[str, Any]:
    ran = CliRunner().invoke(bench, [name, "--quick", "--json"])
    assert ran.exit_code == 0, ran.output
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


@pytest.mark.parametrize("name", BENCHES)
@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning", "ignore:.*:FutureWarning", "ignore:.*:UserWarning")
def test_every_bench_runs_and_every_figure_of_it_is_a_finite_number(name: str) -> None:
    found = run_json(name)
    assert bars_of(name) <= set(found)
    assert set(found["is_met"]) == bars_of(name)
    figures = {key: value for key, value in found.items() if key.startswith(f"{name}.")}
    absent = {key for key, value in figures.items() if value is None}
    excused = set() if is_installed(ULTRALYTICS) else NEEDS_ULTRALYTICS | NEEDS_A_STOCK_TRACKER
    excused |= NEEDS_NVCC | (set() if host_compiler() else NEEDS_A_COMPILER)
    excused |= set() if shutil.which("cyclictest") else NEEDS_CYCLICTEST
    assert absent <= excused or (name == "hub" and postgres_programs() is None)
    assert all(math.isfinite(value) for value in figures.values() if value is not None)
    assert all(value >= 0.0 for key, value in figures.items() if key.endswith("ratio") and value is not None)
    assert found["machine"]["cpu"]
    assert found["is_quick"] is True


def test_missing_peers_are_named_and_their_figures_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.benchmarks.tracker_bench.peers_python", lambda: Path("/nowhere/python"))
    monkeypatch.setattr("training.benchmarks.stock_trackers.is_installed", lambda _packages: False)
    monkeypatch.setattr(
        "training.benchmarks.stock_trackers.peer_state", lambda packages: f"not installed: {packages[0]}"
    )
    report = run_benches(["tracker"], is_quick=True)
    assert report.figures["tracker.speedup_over_bytetrack_ratio"] is None
    assert report.figures["tracker.p50_ms"] is not None
    assert set(report.peers) == {*STOCK_TRACKERS, "norfair"}
    assert all(state.startswith("not installed: ") for state in report.peers.values())


def test_without_a_name_the_benches_are_listed() -> None:
    ran = CliRunner().invoke(bench, [])
    assert ran.exit_code == 0
    assert [line.split()[0] for line in ran.stdout.splitlines()] == [*BENCHES, "all"]


def test_an_unknown_name_is_bad_input() -> None:
    ran = CliRunner().invoke(bench, ["speed"])
    assert ran.exit_code == 2
    assert "'speed' is not one of 'pipeline'" in ran.stderr


def test_a_table_is_printed_where_no_json_is_asked_for() -> None:
    ran = CliRunner().invoke(bench, ["decide", "--quick"])
    assert ran.stdout.splitlines()[0].split() == ["figure", "measured", "bar", "verdict"]


def test_a_busy_machine_is_said_to_be_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getloadavg", lambda: (3.5, 1.0, 1.0))
    ran = CliRunner().invoke(bench, ["decide", "--quick", "--json"])
    assert "busy (load 3.5)" in ran.stderr
    assert json.loads(ran.stdout)["machine"]["load_average"] == 3.5
