"""Stage times at the end of a run."""

from sorter.model.stage_times import StageReport, StageTimes
from sorter.model.units import NS_PER_MS
from sorter.stages_table import stage_figures, stages_table


def reports() -> list[StageReport]:
    times = StageTimes()
    for duration_ms in (10, 10, 10, 40):
        times.note("detect", duration_ms * NS_PER_MS)
    times.note("track", NS_PER_MS)
    return [StageReport("vision", times.distributions())]


def test_each_stage_has_its_count_mean_and_percentiles() -> None:
    figures = stage_figures(reports())["vision"]
    assert list(figures) == ["detect", "track"]
    assert figures["detect"]["count"] == 4
    assert figures["detect"]["mean_ms"] == 17.5
    assert 10.0 <= figures["detect"]["p50_ms"] <= 12.6
    assert figures["track"]["p99_ms"] == 1.0


def test_the_table_has_one_row_a_stage() -> None:
    header, *rows = stages_table(reports()).splitlines()
    assert header.split() == ["process", "stage", "count", "mean", "p50", "p95", "p99", "ms"]
    assert [row.split()[:4] for row in rows] == [
        ["vision", "detect", "4", "17.50"],
        ["vision", "track", "1", "1.00"],
    ]
