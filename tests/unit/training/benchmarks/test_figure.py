"""Bars, and what a table and a JSON object make of figures."""

import math

import pytest

from training.benchmarks.bench_command import BENCHES, bench_report
from training.benchmarks.bench_table import bench_table, shown, verdict
from training.benchmarks.figure import BARS, Bar, Report, at_least, at_most


@pytest.mark.parametrize(
    ("bar", "value", "is_met", "missed_by"),
    [
        (at_least(2.0), 2.0, True, 0.0),
        (at_least(2.0), 1.5, False, 0.5),
        (at_most(2.0), 2.0, True, 0.0),
        (at_most(2.0), 2.25, False, 0.25),
    ],
)
def test_a_bar_is_met_by_its_own_limit_and_missed_by_the_rest(
    bar: Bar, value: float, is_met: bool, missed_by: float
) -> None:
    assert bar.is_met(value) is is_met
    assert bar.missed_by(value) == pytest.approx(missed_by)


def test_what_was_not_measured_is_neither_met_nor_missed() -> None:
    bar = at_least(1.6)
    assert verdict(None, bar) == "not measured"
    assert verdict(1.6, bar) == "met"
    assert verdict(1.1, bar) == "missed by 0.5"
    assert verdict(1.1, None) == ""


def test_the_table_judges_first_and_names_machine_conditions_and_peers() -> None:
    report = Report(
        {"tracker.told_ms": 3.0, "tracker.p50_ms": 0.5, "tracker.speedup_over_bytetrack_ratio": None},
        {"tracker.items": 30.0},
        {"trackers bytetrack": "not installed: pip install 'farz[bench]'"},
    )
    lines = bench_table(report, {"cpu": "Abacus"}).splitlines()
    assert [line.split()[0] for line in lines[1:4]] == [
        "tracker.speedup_over_bytetrack_ratio",
        "tracker.p50_ms",
        "tracker.told_ms",
    ]
    assert "not measured" in lines[1]
    assert "≤ 0.35" in lines[2]
    assert lines[2].endswith("missed by 0.15")
    assert lines[3].split() == ["tracker.told_ms", "3"]
    assert lines[5:] == [
        "cpu: Abacus",
        "tracker.items: 30",
        "trackers bytetrack: not installed: pip install 'farz[bench]'",
    ]


def test_json_has_each_figure_by_its_name_and_says_which_bars_are_met() -> None:
    report = Report({"tracker.p50_ms": 0.2, "import.time_ratio": None, "decide.frame_ms": 1.0}, {}, {})
    found = bench_report(report, {"cpu": "Abacus"}, is_quick=True)
    assert found["tracker.p50_ms"] == 0.2
    assert found["bars"] == {"tracker.p50_ms": {"at_most": 0.35}, "import.time_ratio": {"at_most": 1 / 3}}
    assert found["is_met"] == {"tracker.p50_ms": True, "import.time_ratio": None}
    assert found["is_quick"] is True


def test_every_bar_has_a_limit_and_a_bench() -> None:
    assert all(math.isfinite(bar.limit) for bar in BARS.values())
    assert {key.partition(".")[0] for key in BARS} == set(BENCHES) - {"decide", "hub"}


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0.0, "0"), (0.1234, "0.123"), (12.345, "12.3"), (345.67, "345.7"), (12345.6, "12346")],
)
def test_values_are_shown_to_about_three_digits(value: float | None, text: str) -> None:
    assert shown(value) == text
