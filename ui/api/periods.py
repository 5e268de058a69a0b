"""From the words of a query to instants: periods, stretches that begin with the local hour, day, week or month.

Days are cut by the calendar of a time zone, so a day may have 23 or 25 hours; weeks begin on Monday (ISO 8601).
"""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from http import HTTPStatus
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import msgspec

from sorter.model.rollups import Period
from ui.api.problem import ProblemError
from ui.api.query import PeriodQuery, ResolutionName

UTC = ZoneInfo("UTC")
_MIN_MS = 60_000
_DAY_MS = 86_400_000
# before the first line ran, and after the last one of today's will
_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=timezone.utc), datetime(2100, 1, 1, tzinfo=timezone.utc)
_STRETCHES_AT_MOST: dict[ResolutionName, int] = {
    "total": 1,
    "minute": 1500,
    "hour": 800,
    "day": 750,
    "week": 540,
    "month": 360,
}
_SHORT: dict[ResolutionName, int] = {"minute": _MIN_MS, "hour": 60 * _MIN_MS}


class Asked(msgspec.Struct, frozen=True):
    """A period and the time zone to tell it in."""

    period: Period
    zone: ZoneInfo

    def told(self, at_ms: int) -> datetime:
        """An instant in the time zone asked for."""
        return told(at_ms, self.zone)


def told(at_ms: int, zone: ZoneInfo) -> datetime:
    """Milliseconds since 1970 UTC as an instant in a time zone."""
    return datetime.fromtimestamp(at_ms / 1000, zone)


def asked_period(query: PeriodQuery, now_ms: int) -> Asked:
    """The period of a query; without an end it goes to `now_ms`, which callers round as they need it.

    Raises:
        ProblemError: 422 for a time zone or a day that does not exist, an end before its begin, or years far off.
    """
    zone = _zone(query.tz)
    to_ms = now_ms if query.to is None else instant_ms(query.to, zone, "to")
    from_ms = to_ms - _DAY_MS if query.from_ is None else instant_ms(query.from_, zone, "from")
    if from_ms >= to_ms:
        raise _refusal(f"from = {query.from_} must lie before to = {query.to or 'now'}")
    # records are summed by the minute, so a period is of whole minutes, and says so
    return Asked(Period(from_ms - from_ms % _MIN_MS, to_ms + -to_ms % _MIN_MS), zone)


def last_whole_minute(now_ms: int) -> int:
    """So far figures go by default: they stay the same for a minute, and so does their tag."""
    return now_ms - now_ms % _MIN_MS


def instant_ms(text: str, zone: ZoneInfo, name: str) -> int:
    """Milliseconds since 1970 UTC of a day's begin, or of an instant with its offset.

    Raises:
        ProblemError: 422 if there is no such day or instant, or it lies outside 2000 to 2100.
    """
    try:
        at = _instant(text, zone)
        is_near = _EARLIEST <= at < _LATEST
    except (ValueError, OverflowError) as error:
        raise _refusal(f"{name} = {text!r} does not exist") from error
    if not is_near:
        raise _refusal(f"{name} = {text!r} lies outside 2000 to 2100")
    return round(at.timestamp() * 1000)


def stretches_of(asked: Asked, resolution: ResolutionName) -> tuple[Period, ...]:
    """A period cut into stretches; the first and the last may be cut short.

    Raises:
        ProblemError: 422 if there were too many of them.
    """
    most = _STRETCHES_AT_MOST[resolution]
    cut: list[Period] = []
    for stretch in _cut(asked, resolution):
        if len(cut) == most:
            raise _refusal(f"resolution = {resolution!r} cuts this period into more than {most} stretches")
        cut.append(stretch)
    return tuple(cut)


def _cut(asked: Asked, resolution: ResolutionName) -> Iterator[Period]:
    at_ms, end_ms = asked.period.from_ms, asked.period.to_ms
    while at_ms < end_ms:
        next_ms = min(end_ms, _next_ms(asked, at_ms, resolution))
        yield Period(at_ms, next_ms)
        at_ms = next_ms


def _next_ms(asked: Asked, at_ms: int, resolution: ResolutionName) -> int:
    if resolution == "total":
        return asked.period.to_ms
    local = asked.told(at_ms)
    if resolution in _SHORT:
        # offsets of time zones are whole minutes today, but not whole hours everywhere
        length_ms, offset_ms = _SHORT[resolution], int((local.utcoffset() or timedelta()).total_seconds() * 1000)
        return at_ms + length_ms - (at_ms + offset_ms) % length_ms
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    following = _following_day(midnight, resolution)
    return max(at_ms + _MIN_MS, int(following.timestamp() * 1000))


def _following_day(midnight: datetime, resolution: ResolutionName) -> datetime:
    if resolution == "day":
        return midnight + timedelta(days=1)
    if resolution == "week":
        return midnight + timedelta(days=7 - midnight.weekday())
    return (midnight.replace(day=1) + timedelta(days=32)).replace(day=1)


def _instant(text: str, zone: ZoneInfo) -> datetime:
    if "T" not in text:
        day: Any = msgspec.convert(f"{text}T00:00:00", datetime)
        return datetime(day.year, day.month, day.day, tzinfo=zone)
    # an instant may leave its seconds out, which RFC 3339 does not allow
    clock, offset = (text[:-1], "Z") if text.endswith("Z") else (text[:-6], text[-6:])
    full = f"{clock}:00{offset}" if clock.count(":") == 1 else text
    return msgspec.convert(full, datetime)


def _zone(name: str) -> ZoneInfo:
    if name not in _zone_names():
        raise _refusal(f"tz = {name!r} is no time zone of the IANA database, such as Africa/Casablanca")
    return ZoneInfo(name)


@lru_cache(maxsize=1)
def _zone_names() -> frozenset[str]:
    return frozenset(available_timezones())


def _refusal(detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, detail)
