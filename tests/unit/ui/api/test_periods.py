"""Periods and their stretches: whatever is asked, they join without gap and begin where the zone's calendar says."""

from datetime import datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.api.periods import Asked, asked_period, stretches_of, told
from ui.api.problem import ProblemError
from ui.api.query import FiguresQuery, ResolutionName

ZONES = (
    "UTC",
    "Africa/Casablanca",
    "Europe/Paris",
    "Asia/Kathmandu",
    "America/St_Johns",
    "Pacific/Apia",
    "Asia/Beirut",
)
FIRST_MS, LAST_MS = 946_684_800_000, 4_102_444_800_000
LENGTHS_MS = {"minute": 60_000, "hour": 3_600_000, "day": 86_400_000, "week": 7 * 86_400_000, "month": 31 * 86_400_000}


@st.composite
def periods(draw: st.DrawFn) -> tuple[Asked, ResolutionName]:
    resolution: ResolutionName = draw(st.sampled_from(["minute", "hour", "day", "week", "month", "total"]))
    longest_ms = 300 * LENGTHS_MS.get(resolution, 86_400_000)
    from_ms = draw(st.integers(FIRST_MS, LAST_MS - longest_ms - 1))
    length_ms = draw(st.integers(1, longest_ms))
    begin, end = (told(ms, ZoneInfo("UTC")).isoformat() for ms in (from_ms, from_ms + length_ms))
    query = FiguresQuery(from_=begin, to=end, tz=draw(st.sampled_from(ZONES)))
    return asked_period(query, 0), resolution


@given(asked_and_resolution=periods())
def test_stretches_of_any_period_join_without_gap(asked_and_resolution: tuple[Asked, ResolutionName]) -> None:
    asked, resolution = asked_and_resolution
    stretches = stretches_of(asked, resolution)
    assert stretches[0].from_ms == asked.period.from_ms
    assert stretches[-1].to_ms == asked.period.to_ms
    assert all(before.to_ms == after.from_ms for before, after in pairwise(stretches))
    assert all(stretch.duration_ms > 0 for stretch in stretches)
    # records are summed by the minute
    assert all(stretch.from_ms % 60_000 == 0 for stretch in stretches)


@given(asked_and_resolution=periods())
def test_every_stretch_but_the_first_begins_with_its_hour_day_week_or_month(
    asked_and_resolution: tuple[Asked, ResolutionName],
) -> None:
    asked, resolution = asked_and_resolution
    for stretch in stretches_of(asked, resolution)[1:]:
        before, at = asked.told(stretch.from_ms - 1), asked.told(stretch.from_ms)
        match resolution:
            case "hour":
                assert at.minute == 0 or before.utcoffset() != at.utcoffset()
            case "day":
                assert at.date() != before.date()
            case "week":
                assert at.date() != before.date()
                assert at.isocalendar()[:2] != before.isocalendar()[:2]
            case "month":
                assert (at.year, at.month) != (before.year, before.month)


def test_a_day_that_a_zone_skipped_does_not_stop_the_calendar() -> None:
    """Samoa had no 30 December 2011."""
    query = FiguresQuery(from_="2011-12-29", to="2012-01-01", tz="Pacific/Apia")
    days = [told(stretch.from_ms, ZoneInfo("Pacific/Apia")).date().day for stretch in stretches_of(
        asked_period(query, 0), "day"
    )]  # fmt: skip
    assert days == [29, 31]


@pytest.mark.parametrize("text", ["2026-03-01T10:00+01:00", "2026-03-01T10:00:00+01:00", "2026-03-01T09:00Z"])
def test_an_instant_may_leave_its_seconds_out(text: str) -> None:
    asked = asked_period(FiguresQuery(from_=text, to="2026-03-02"), 0)
    assert told(asked.period.from_ms, ZoneInfo("UTC")) == datetime(2026, 3, 1, 9, tzinfo=timezone.utc)


def test_without_a_period_the_last_24_hours_are_meant() -> None:
    now = datetime(2026, 3, 29, 10, tzinfo=timezone.utc)
    asked = asked_period(FiguresQuery(tz="Europe/Paris"), round(now.timestamp() * 1000))
    assert asked.told(asked.period.to_ms) == now
    assert asked.told(asked.period.from_ms) == now - timedelta(hours=24)


@given(text=st.text(max_size=30).filter(lambda text: not text[:1].isdigit()))
def test_no_text_but_a_day_or_an_instant_is_taken(text: str) -> None:
    with pytest.raises(ProblemError, match="does not exist"):
        asked_period(FiguresQuery(from_=text), LAST_MS - 1)
