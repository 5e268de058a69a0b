"""Figures of a minute: what counters grew by in it, whoever began anew meanwhile and whatever the clocks did."""

from hypothesis import given
from hypothesis import strategies as st

from sorter.model.condition import Mode, ModeState, ValveReport
from sorter.model.scorecard import Scorecard
from sorter.model.settings import Settings
from sorter.model.statistics import LineStatistics
from sorter.model.units import NS_PER_S
from sorter.plant.minute_figures import MinuteFigures

FIGURES = Scorecard(Settings().recipe, 0).figures()


def statistics(can_count: int) -> LineStatistics:
    return LineStatistics(1, False, {"can": can_count}, FIGURES, None, "model", "oracle", "exact")


def test_a_minute_is_told_once_it_is_over_with_what_was_counted_in_it() -> None:
    minutes = MinuteFigures()
    minutes.take(ModeState(Mode.EXECUTE, 0, "", ""))
    # a process that joins later counts from what it finds
    minutes.take(statistics(100))
    minutes.take(ValveReport(1, (), 5.0, 0))
    assert minutes.step(0, "2026-03-01T10:00:10+00:00") is None
    minutes.take(statistics(107))
    minutes.take(ValveReport(1, (), 5.25, 0))
    assert minutes.step(20 * NS_PER_S, "2026-03-01T10:00:30+00:00") is None
    minutes.take(ModeState(Mode.HELD, 0, "", ""))
    told = minutes.step(50 * NS_PER_S, "2026-03-01T10:01:00+00:00")
    assert told is not None
    assert told["minute"] == "2026-03-01T10:00:00+00:00"
    assert (told["observed_s"], told["executing_s"]) == (50.0, 20.0)
    assert (told["items"], told["air_l"]) == ({"can": 7}, 0.25)
    later = minutes.step(110 * NS_PER_S, "2026-03-01T10:02:00+00:00")
    assert later is not None
    assert (later["items"], later["observed_s"]) == ({}, 60.0)


def test_a_clock_set_back_ends_the_minute_and_loses_nothing() -> None:
    minutes = MinuteFigures()
    minutes.take(statistics(0))
    minutes.step(0, "2026-03-01T10:00:00+00:00")
    minutes.take(statistics(3))
    told = minutes.step(5 * NS_PER_S, "2026-03-01T08:59:00+00:00")
    assert told is not None
    assert (told["minute"], told["items"], told["observed_s"]) == ("2026-03-01T10:00:00+00:00", {"can": 3}, 5.0)


@given(lives=st.lists(st.lists(st.integers(0, 50), max_size=5), min_size=1, max_size=5))
def test_counters_that_begin_anew_lose_nothing(lives: list[list[int]]) -> None:
    minutes, expected, last = MinuteFigures(), 0, 0
    minutes.take(statistics(0))
    minutes.step(0, "2026-03-01T10:00:00+00:00")
    for life in lives:
        minutes.take(statistics(0))
        last = 0
        for grown in life:
            last += grown
            expected += grown
            minutes.take(statistics(last))
    told = minutes.step(NS_PER_S, "2026-03-01T10:01:00+00:00")
    assert told is not None
    items = told["items"]
    assert isinstance(items, dict)
    assert items.get("can", 0) == expected
