"""How well the equipment was used: missed windows, availability, performance, quality, and their product, OEE.

After ISO 22400-2:2014, with what a line knows of itself:

- availability: time in Execute ÷ time for which it was meant to sort, that is all time but Idle, Stopped and the way
  there and out of it, which an operator chooses; Held, Suspended and Aborted are losses;
- performance: items ÷ (minutes in Execute × nominal items a minute);
- quality: targets in all ejected streams ÷ items in them;
- OEE: availability × performance × quality.
"""

from sorter.figures.audit_correction import DEFAULT_SHIFT_SD
from sorter.figures.figure import Figure, Reliability, no_data
from sorter.figures.period_record import PeriodRecord
from sorter.figures.purity import purity
from sorter.model.condition import Mode
from sorter.model.ejection import AckStatus
from sorter.model.rollups import CountName
from sorter.model.scorecard import MISSED_WINDOW_UM, wilson_interval
from sorter.model.units import UM_PER_MM

_SOURCE = "ISO 22400-2:2014"
_MS_PER_MIN = 60_000
_NOT_PLANNED = frozenset({Mode.IDLE, Mode.STOPPED, Mode.STOPPING, Mode.RESETTING, Mode.CLEARING})


def missed_windows(record: PeriodRecord, station_id: str) -> Figure:
    """Commands refused, failed, or opened more than 15 mm off ÷ commands; Wilson interval (Wilson 1927)."""
    acks = {status: record.counts(CountName.ACK).get(f"{station_id}/{status.value}", 0) for status in AckStatus}
    total = sum(acks.values())
    if total == 0:
        return no_data("missed_windows", "1", record.coverage_ratio, "nothing was commanded", station_id)
    missed = total - acks[AckStatus.FIRED] + record.counts(CountName.MISPLACED).get(station_id, 0)
    share = wilson_interval(missed, total)
    limit_mm = MISSED_WINDOW_UM / UM_PER_MM
    return Figure(
        "missed_windows", "1", share.value, float(missed), float(total), share.low, share.high, record.coverage_ratio,
        f"commands refused, failed or opened more than {limit_mm:.0f} mm off ÷ commands", "Wilson 1927", station_id,
        record.model_ids,
    )  # fmt: skip


def availability(record: PeriodRecord) -> Figure:
    """Time in Execute ÷ time for which the line was meant to sort."""
    planned_ms = sum(
        duration_ms for mode, duration_ms in record.counts(CountName.MODE_MS).items() if Mode(mode) not in _NOT_PLANNED
    )
    if planned_ms == 0:
        return no_data("availability", "1", record.coverage_ratio, "the line was not meant to sort")
    return Figure(
        "availability", "1", record.executing_ms / planned_ms, record.executing_ms / _MS_PER_MIN,
        planned_ms / _MS_PER_MIN, None, None, record.coverage_ratio,
        "minutes in Execute ÷ minutes not Idle or Stopped; no interval, times are counted", _SOURCE,
    )  # fmt: skip


def performance(record: PeriodRecord, nominal_items_per_min: float | None) -> Figure:
    """Items ÷ what the line is meant to sort within the time for which it sorted."""
    if nominal_items_per_min is None or record.executing_ms == 0:
        reason = "the line did not sort" if nominal_items_per_min else "figures.nominal_items_per_min is not configured"
        return no_data("performance", "1", record.coverage_ratio, reason)
    count, meant = record.item_count(), nominal_items_per_min * record.executing_ms / _MS_PER_MIN
    return Figure(
        "performance", "1", count / meant, float(count), meant, None, None, record.coverage_ratio,
        "items ÷ (minutes in Execute × nominal items a minute); no interval, items are counted", _SOURCE,
        model_ids=record.model_ids,
    )  # fmt: skip


def quality(record: PeriodRecord, shift_sd: float = DEFAULT_SHIFT_SD) -> Figure:
    """Targets in all ejected streams ÷ items in them; ends of the interval as if all stations erred alike."""
    pure = [purity(record, station_id, shift_sd) for station_id in record.station_ids()]
    known = [figure for figure in pure if figure.value is not None]
    total = sum(figure.denominator or 0.0 for figure in known)
    if total == 0.0:
        return no_data("quality", "1", record.coverage_ratio, "nothing was ejected")
    low, high = (sum((end or 0.0) * (one.denominator or 0.0) for end, one in ends) / total for ends in _ends(known))
    numerator = sum(figure.numerator or 0.0 for figure in known)
    is_reliable = all(figure.reliability is Reliability.RELIABLE for figure in known)
    return Figure(
        "quality", "1", numerator / total, numerator, total, low, high, record.coverage_ratio,
        "purity of all stations together", known[0].source, model_ids=record.model_ids,
        audit_count=sum(figure.audit_count for figure in known),
        reliability=Reliability.RELIABLE if is_reliable else Reliability.UNRELIABLE,
        reason="" if is_reliable else "a recipe of the period is not known",
    )  # fmt: skip


def oee(record: PeriodRecord, nominal_items_per_min: float | None, shift_sd: float = DEFAULT_SHIFT_SD) -> Figure:
    """Availability × performance × quality; the interval is quality's, since times and items are counted."""
    available, performed = availability(record), performance(record, nominal_items_per_min)
    good = quality(record, shift_sd)
    for part in (available, performed, good):
        if part.value is None:
            return no_data("oee", "1", record.coverage_ratio, f"no {part.name}: {part.reason}")
    share = (available.value or 0.0) * (performed.value or 0.0)
    return Figure(
        "oee", "1", share * (good.value or 0.0), None, None, share * (good.low or 0.0), share * (good.high or 0.0),
        record.coverage_ratio, "availability × performance × quality", _SOURCE, model_ids=record.model_ids,
        audit_count=good.audit_count, reliability=good.reliability, reason=good.reason,
    )  # fmt: skip


def _ends(figures: list[Figure]) -> tuple[list[tuple[float | None, Figure]], list[tuple[float | None, Figure]]]:
    return [(one.low, one) for one in figures], [(one.high, one) for one in figures]
