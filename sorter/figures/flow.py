"""How much passed: throughput by items and mass, and what it was made of."""

import enum
import math

from sorter.figures.figure import Figure, Reliability, no_data
from sorter.figures.period_record import PeriodRecord
from sorter.model.rollups import PPM, ItemsSum
from sorter.model.scorecard import wilson_interval

_MS_PER_MIN = 60_000
_MS_PER_H = 3_600_000
_MG_PER_T = 1e9
_Z_95 = 1.959963984540054
# of a class as a whole: how far the mean mass of a site's items may be from the prior's, as a standard deviation
MASS_PRIOR_SD_RATIO = 0.25
# where boxes cover each other by more than this, areas and counts are no longer those of single items
MAX_OVERLAP_RATIO = 0.2
_MASS_METHOD = "class, area and height prior; a share of the mass of each class is uncertain in common"


class Basis(enum.Enum):
    """What a composition is measured in."""

    COUNT = "count"
    AREA = "area"
    MASS = "mass"


def items_per_minute(record: PeriodRecord) -> Figure:
    """Items seen ÷ minutes in Execute; the interval is that of a Poisson count (normal approximation)."""
    name, unit, coverage = "throughput_items", "1/min", record.coverage_ratio
    if record.executing_ms == 0:
        return no_data(name, unit, coverage, "the line did not sort")
    count, minutes = record.item_count(), record.executing_ms / _MS_PER_MIN
    half = _Z_95 * math.sqrt(max(count, 1)) / minutes
    value = count / minutes
    return Figure(
        name, unit, value, float(count), minutes, max(0.0, value - half), value + half, coverage,
        "items ÷ minutes in Execute; Poisson interval", model_ids=record.model_ids,
    )  # fmt: skip


def tonnes_per_hour(record: PeriodRecord) -> Figure:
    """Estimated mass ÷ hours in Execute."""
    name, unit, coverage = "throughput_mass", "t/h", record.coverage_ratio
    if record.executing_ms == 0:
        return no_data(name, unit, coverage, "the line did not sort")
    hours = record.executing_ms / _MS_PER_H
    mass_t, sd_t = mass_t_of(record)
    reliability, reason = mass_reliability(record)
    return Figure(
        name, unit, mass_t / hours, mass_t, hours, max(0.0, mass_t - _Z_95 * sd_t) / hours,
        (mass_t + _Z_95 * sd_t) / hours, coverage, f"estimated mass ÷ hours in Execute; {_MASS_METHOD}",
        model_ids=record.model_ids, reliability=reliability, reason=reason,
    )  # fmt: skip


def mass_t_of(record: PeriodRecord, station_id: str | None = None) -> tuple[float, float]:
    """Mass in tonnes with its standard deviation: items' own errors average out, those of a class do not."""
    classes = sums_by_class(record, station_id).values()
    variance_mg2 = sum(sums.mass_variance_mg2 + (MASS_PRIOR_SD_RATIO * sums.mass_mg) ** 2 for sums in classes)
    return sum(sums.mass_mg for sums in classes) / _MG_PER_T, math.sqrt(variance_mg2) / _MG_PER_T


def mass_reliability(record: PeriodRecord) -> tuple[Reliability, str]:
    """Whether masses of the period may be quoted."""
    count = record.item_count()
    overlap_ratio = sum(sums.overlap_ppm for _, sums in record.items()) / PPM / count if count else 0.0
    if overlap_ratio <= MAX_OVERLAP_RATIO:
        return Reliability.RELIABLE, ""
    return Reliability.UNRELIABLE, f"items lie on each other: {overlap_ratio:.0%} of their boxes is covered by others"


def composition(record: PeriodRecord, basis: Basis = Basis.COUNT, station_id: str | None = None) -> dict[str, Figure]:
    """Share of each class among the items of a stream ("" is what stayed, None is all)."""
    classes = sums_by_class(record, station_id)
    total = sum(_amount(sums, basis) for sums in classes.values())
    if total == 0.0:
        return {}
    return {name: _share(record, basis, name, classes, total) for name in sorted(classes)}


def sums_by_class(record: PeriodRecord, station_id: str | None = None) -> dict[str, ItemsSum]:
    """Sums over all models, recipes and moments of a stream, by class."""
    classes: dict[str, ItemsSum] = {}
    for key, sums in record.items(station_id):
        classes.setdefault(key.class_name, ItemsSum()).add(sums)
    return classes


def _share(record: PeriodRecord, basis: Basis, name: str, classes: dict[str, ItemsSum], total: float) -> Figure:
    amount = _amount(classes[name], basis)
    share = amount / total
    low, high = _share_interval(basis, name, classes, total)
    reliability, reason = (Reliability.RELIABLE, "") if basis is Basis.COUNT else mass_reliability(record)
    return Figure(
        f"composition_{basis.value}", "1", share, amount, total, low, high,
        record.coverage_ratio, _METHODS[basis], subject=name, model_ids=record.model_ids, reliability=reliability,
        reason=reason,
    )  # fmt: skip


_METHODS = {
    Basis.COUNT: "sum of calibrated probabilities ÷ the same of all classes",
    Basis.AREA: "area of the boxes of items decided to be of the class ÷ all",
    Basis.MASS: f"mass of items decided to be of the class ÷ all; {_MASS_METHOD}",
}


def _amount(sums: ItemsSum, basis: Basis) -> float:
    if basis is Basis.COUNT:
        return sums.expected_ppm / PPM
    return float(sums.area_mm2 if basis is Basis.AREA else sums.mass_mg)


def _share_interval(basis: Basis, name: str, classes: dict[str, ItemsSum], total: float) -> tuple[float, float]:
    """Ends of a share's interval: Wilson's in the number of items, and for masses the classes' common error."""
    share = _amount(classes[name], basis) / total
    count = max(1, sum(sums.item_count for sums in classes.values()))
    if basis is not Basis.MASS:
        interval = wilson_interval(share * count, count)
        return interval.low, interval.high
    variance = share * (1.0 - share) / count
    # d share / d mass of class c is (1 − share) ÷ total for the class itself, −share ÷ total for each other
    for other, sums in classes.items():
        slope = ((1.0 - share) if other == name else -share) / total
        variance += slope**2 * (sums.mass_variance_mg2 + (MASS_PRIOR_SD_RATIO * sums.mass_mg) ** 2)
    half = _Z_95 * math.sqrt(variance)
    return max(0.0, share - half), min(1.0, share + half)
