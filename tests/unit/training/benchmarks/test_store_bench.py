"""The bench of the store: its made-up year is one, and its size is read as people type it."""

import json

import pytest
from click.testing import CliRunner

from sorter.model.events import ItemDecided
from sorter.model.rollups import Resolution
from training.benchmarks.bench_command import bench
from training.benchmarks.store_bench_size import event_count
from training.benchmarks.store_history import BEGIN_MS, DAY_COUNT, busy_minutes, year_of


@pytest.mark.parametrize("count", [999, 1000, 2500])
def test_a_year_has_so_many_events_in_order_spread_over_all_of_it(count: int) -> None:
    events = [event for batch in year_of(count, 500, seed=1) for event in batch]
    assert [event.seq for event in events] == list(range(1, count + 1))
    times_ms = [event.at_ms for event in events]
    assert times_ms == sorted(times_ms)
    assert times_ms[0] == BEGIN_MS
    assert times_ms[-1] // Resolution.DAY.value in {
        BEGIN_MS // Resolution.DAY.value + DAY_COUNT - 1 + day for day in (0, 1)
    }
    assert any(isinstance(event, ItemDecided) and event.is_ejected for event in events)


def test_busy_minutes_have_the_rate_that_is_asked_for() -> None:
    events = [event for batch in busy_minutes(1201, 400, 1, 60.0) for event in batch]
    assert events[-1].at_ms - events[1].at_ms == pytest.approx(1199 * 1000 / 60, abs=2)


@pytest.mark.parametrize(("text", "count"), [("20M", 20_000_000), ("500k", 500_000), ("1000", 1000), (None, None)])
def test_sizes_are_read_as_people_type_them(text: str | None, count: int | None) -> None:
    assert event_count(None, None, text) == count  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["0", "many", "-5", "1.5M", "20G"])
def test_other_sizes_are_bad_input(text: str) -> None:
    ran = CliRunner().invoke(bench, ["store", "--quick", "--events", text])
    assert ran.exit_code == 2
    assert "20M, 500k or 1000" in ran.stderr


def test_the_size_is_that_which_was_asked_for_unless_the_run_is_quick() -> None:
    ran = CliRunner().invoke(bench, ["store", "--quick", "--json", "--events", "30k"])
    assert json.loads(ran.stdout)["conditions"]["store.large_event_count"] == 2000.0
