"""Is a store whole? The file itself, and whether sums are those of the events that are still kept."""

from collections.abc import Callable, Iterator

import msgspec

from sorter.model.events import AnyEvent, Event, ModeTime
from sorter.model.rollups import CountName, Period, Resolution, RollUp, rolled_up
from sorter.store.protocol import EventCursor
from sorter.store.schema import EVENT_TABLES
from sorter.store.sqlite_reader import SqliteReader

_PAGE_COUNT = 5_000
_SHOWN_COUNT = 5


class CheckReport(msgspec.Struct, frozen=True):
    """What a check has found; `faults` are sentences, none if all is well."""

    event_count: int
    day_count: int
    faults: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


def check_store(reader: SqliteReader, show_progress: Callable[[float], None] = lambda _share: None) -> CheckReport:
    """Check a store, day by day; `show_progress` is told the share done, 0..1."""
    faults = [f"file: {fault}" for fault in reader.integrity_faults()[:_SHOWN_COUNT]]
    event_count, days = 0, list(_days(reader))
    for number, day in enumerate(days, start=1):
        events = [event for kind in EVENT_TABLES for event in _events_of(reader, kind, day)]
        event_count += len(events)
        faults += _unequal(rolled_up(events), reader.series(day, Resolution.MINUTE), day)
        show_progress(number / len(days))
    return CheckReport(event_count, len(days), tuple(faults))


def _days(reader: SqliteReader) -> Iterator[Period]:
    """Days of UTC for which single events are kept, the first one from the minute on at which keeping begins."""
    span = reader.span()
    if span.first_ms is None or span.last_ms is None:
        return
    begin_ms = max(span.first_ms, reader.forgotten_before_ms())
    while begin_ms < span.last_ms:
        end_ms = begin_ms - begin_ms % Resolution.DAY.value + Resolution.DAY.value
        yield Period(begin_ms, end_ms)
        begin_ms = end_ms


def _events_of(reader: SqliteReader, kind: type[Event], day: Period) -> Iterator[AnyEvent]:
    # a stretch of time belongs to the day that it ends in, which may be at midnight
    shift_ms = 1 if kind is ModeTime else 0
    period, after = Period(day.from_ms + shift_ms, day.to_ms + shift_ms), None
    while page := reader.events(kind, period, after=after, limit=_PAGE_COUNT):
        yield from page
        last = page[-1]
        after = EventCursor(last.at_ms, last.device_id, last.boot_id, last.seq)


def _unequal(counted: RollUp, stored: RollUp, day: Period) -> list[str]:
    """Sums that differ; those of a minute with events that are not kept singly are rightly more than its events'."""
    incomplete = {(key.start_ms, key.device_id) for key in stored.counts if key.name == CountName.UNSTORED}
    wrong = [
        key
        for sums, others in ((counted.items, stored.items), (counted.counts, stored.counts))
        for key in sorted({*sums, *others})
        if sums.get(key) != others.get(key) and (key.start_ms, key.device_id) not in incomplete
    ]
    if not wrong:
        return []
    return [f"day from {day.from_ms} ms: {len(wrong)} sums differ from their events, the first is {wrong[0]}"]
