"""From a store to the record of each stretch of a period, as it was known at an instant."""

from collections.abc import Iterator, Sequence
from http import HTTPStatus

import msgspec

from sorter.figures.period_record import PeriodRecord
from sorter.model.events import AuditTaken, newest_audits
from sorter.model.rollups import CountKey, ItemsKey, Period, Resolution, RollUp
from sorter.store.protocol import StoreReader
from ui.api.operation import Asking
from ui.api.periods import Asked, asked_period, instant_ms, last_whole_minute, stretches_of
from ui.api.problem import ProblemError
from ui.api.query import FiguresQuery


class Stretch(msgspec.Struct, frozen=True):
    """A stretch of time and all that is known of it."""

    period: Period
    record: PeriodRecord


class AskedFigures(msgspec.Struct, frozen=True):
    """What figures are asked of: the period, cut, and the instant of knowledge; None: all that is known now."""

    asked: Asked
    stretches: tuple[Period, ...]
    as_of_ms: int | None


def asked_figures(asking: Asking, max_stretch_count: int | None = None) -> AskedFigures:
    """What a query asks figures of.

    Raises:
        ProblemError: 422 for periods that do not exist, or are cut into too many stretches.
    """
    query: FiguresQuery = asking.query
    asked = asked_period(query, last_whole_minute(asking.link.now_ms()))
    stretches = stretches_of(asked, query.resolution)
    if max_stretch_count is not None and len(stretches) > max_stretch_count:
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"resolution = {query.resolution!r} cuts this period into {len(stretches)} stretches; "
            f"this takes {max_stretch_count} at most",
        )
    as_of_ms = None if query.as_of is None else instant_ms(query.as_of, asked.zone, "as_of")
    return AskedFigures(asked, stretches, as_of_ms)


def require_line(reader: StoreReader, line: str | None) -> tuple[str, ...]:
    """The lines that are asked of.

    Raises:
        ProblemError: 404 if there is no such line.
    """
    devices = reader.span().devices
    if line is None:
        return devices
    if line not in devices:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"there is no line {line!r}; /api/v1/lines lists them")
    return (line,)


def stretch_records(reader: StoreReader, figures: AskedFigures, line: str | None) -> Iterator[Stretch]:
    """The record of each stretch.

    Audits that were entered after the instant of knowledge are left out, so an earlier revision counts again: that is
    what was published then. Sums are of events, which are never corrected.
    """
    lines = require_line(reader, line)
    entered = [
        audit
        for audit in reader.audits(figures.asked.period, line)
        if figures.as_of_ms is None or audit.at_ms <= figures.as_of_ms
    ]
    audits, recipes = newest_audits(entered), reader.recipes()
    for stretch, sums in _sums(reader, figures.stretches, line):
        of_stretch = tuple(audit for audit in audits if _overlaps(audit, stretch))
        yield Stretch(stretch, PeriodRecord(stretch, sums, of_stretch, recipes, len(lines)))


def _sums(reader: StoreReader, stretches: Sequence[Period], line: str | None) -> Iterator[tuple[Period, RollUp]]:
    resolution = _common_resolution(stretches)
    if resolution is None:
        for stretch in stretches:
            yield stretch, reader.totals(stretch, line)
        return
    whole = Period(stretches[0].from_ms, stretches[-1].to_ms)
    parts = _by_start(reader.series(whole, resolution, line))
    for stretch in stretches:
        yield stretch, parts.get(stretch.from_ms) or RollUp({}, {})


def _common_resolution(stretches: Sequence[Period]) -> Resolution | None:
    """The store's own stretches, where those asked for are just these; many of them are read in one go."""
    for resolution in Resolution:
        if len(stretches) > 1 and all(
            stretch.from_ms % resolution.value == 0 and stretch.duration_ms == resolution.value for stretch in stretches
        ):
            return resolution
    return None


def _by_start(sums: RollUp) -> dict[int, RollUp]:
    parts: dict[int, RollUp] = {}
    key: ItemsKey | CountKey
    for key, items in sums.items.items():
        parts.setdefault(key.start_ms, RollUp({}, {})).items[key] = items
    for key, count in sums.counts.items():
        parts.setdefault(key.start_ms, RollUp({}, {})).counts[key] = count
    return parts


def _overlaps(audit: AuditTaken, stretch: Period) -> bool:
    return audit.from_ms < stretch.to_ms and audit.to_ms > stretch.from_ms
