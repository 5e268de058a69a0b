"""The bench of firing: its reading of cyclictest, and that a quick run gives every figure."""

import shutil

import pytest

from training.benchmarks.fire_bench import bench_fire, histogram_values


def test_a_histogram_is_read_as_values() -> None:
    said = "# /dev/cpu_dma_latency set to 0us\n# Histogram\n000000 000000\n000003 000002\n000011\t000001\n# Total: 3\n"
    assert histogram_values(said).tolist() == [3, 3, 11]
    assert histogram_values("").size == 0


def test_a_quick_run_gives_every_figure() -> None:
    figures = bench_fire(is_quick=True).figures
    assert figures["fire.shot_count"] > 50
    assert 0 < figures["fire.p50_ms"] <= figures["fire.p99_ms"] <= figures["fire.max_ms"]
    assert figures["fire.placement_p99_mm"] == pytest.approx(figures["fire.p99_ms"] * 3.0)
    assert figures["fire.gil_busy_p50_ms"] > 0
    has_cyclictest = shutil.which("cyclictest") is not None
    assert (figures["fire.ratio_to_cyclictest"] is not None) == has_cyclictest
