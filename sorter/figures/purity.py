"""Purity, contamination and recovery of a station: what the model believes, corrected by audits.

- purity: targets in the station's ejected stream ÷ items in it, by count;
- contamination: 1 − purity;
- recovery: targets that the station ejected ÷ targets that passed it, whatever the line's mode was.

An item is in the ejected stream of a station if its valves fired at it. Audits of a station's stream correct what is
believed of that stream, audits of what stayed on the belt correct what is believed to have been missed.
"""

from collections.abc import Iterable

import msgspec
import numpy as np
from numpy.typing import NDArray

from sorter.figures.audit_correction import DEFAULT_SHIFT_SD, interval_95, target_draws
from sorter.figures.figure import Figure, Reliability, no_data
from sorter.figures.period_record import PeriodRecord
from sorter.model.events import AuditTaken

_SOURCE = "Cox 1958; Steyerberg 2019, ch. 15; Gelman et al. 2013, ch. 2"
_BELIEF = "sum of calibrated probabilities ÷ items"
_NO_AUDIT = "no audit: the interval is that of the prior on the model's calibration"


def purity(record: PeriodRecord, station_id: str, shift_sd: float = DEFAULT_SHIFT_SD) -> Figure:
    """Share of targets in what a station ejected; formula and sources in `audit_correction`."""
    count = record.item_count(station_id)
    coverage = record.coverage_ratio
    if count == 0:
        return no_data("purity", "1", coverage, "nothing was ejected", station_id)
    draws, audits = _draws(record, station_id, station_id, shift_sd)
    mean, low, high = interval_95(draws)
    return _figure(record, "purity", station_id, (mean / count, low / count, high / count), mean, count, audits)


def contamination(record: PeriodRecord, station_id: str, shift_sd: float = DEFAULT_SHIFT_SD) -> Figure:
    """Share of what does not belong in what a station ejected: 1 − purity."""
    pure = purity(record, station_id, shift_sd)
    if pure.value is None or pure.low is None or pure.high is None:
        return msgspec.structs.replace(pure, name="contamination")
    return msgspec.structs.replace(
        pure,
        name="contamination",
        value=1.0 - pure.value,
        low=1.0 - pure.high,
        high=1.0 - pure.low,
        numerator=(pure.denominator or 0.0) - (pure.numerator or 0.0),
    )


def recovery(record: PeriodRecord, station_id: str, shift_sd: float = DEFAULT_SHIFT_SD) -> Figure:
    """Share of a station's targets that it ejected: each stream's targets drawn from its own posterior."""
    coverage = record.coverage_ratio
    if record.item_count() == 0:
        return no_data("recovery", "1", coverage, "no item was seen", station_id)
    taken, audits = _draws(record, station_id, station_id, shift_sd)
    presented, used = taken.copy(), list(audits)
    for seed, stream in enumerate(sorted({key.station_id for key, _ in record.items()} - {station_id}), start=2):
        missed, more = _draws(record, station_id, stream, shift_sd, seed)
        presented, used = presented + missed, [*used, *more]
    shares = np.divide(taken, presented, out=np.zeros_like(taken), where=presented > 0)
    if presented.max() == 0.0:
        return no_data("recovery", "1", coverage, "no target was seen", station_id)
    ends = interval_95(shares)
    return _figure(record, "recovery", station_id, ends, float(taken.mean()), float(presented.mean()), used)


def _draws(
    record: PeriodRecord, station_id: str, stream: str, shift_sd: float, seed: int = 1
) -> tuple[NDArray[np.float64], list[AuditTaken]]:
    """Targets of a station in a stream, as draws, and the audits of that stream."""
    audits = [audit for audit in record.audits if (audit.station_id or "") == stream]
    targets = _targets(record, station_id)
    found = sum(count for audit in audits for name, count in audit.class_counts.items() if name in targets)
    total = sum(sum(audit.class_counts.values()) for audit in audits)
    expected, count = record.expected_targets(station_id, stream), record.item_count(stream)
    return target_draws(expected, count, found, total, shift_sd=shift_sd, seed=seed), audits


def _targets(record: PeriodRecord, station_id: str) -> set[str]:
    hashes = {key.recipe_hash for key, _ in record.items()}
    return {name for digest in hashes for name in record.targets(digest, station_id) or ()}


def _figure(
    record: PeriodRecord,
    name: str,
    station_id: str,
    ends: tuple[float, float, float],
    numerator: float,
    denominator: float,
    audits: Iterable[AuditTaken],
) -> Figure:
    audit_count = len(list(audits))
    is_known = all(record.targets(key.recipe_hash, station_id) is not None for key, _ in record.items())
    return Figure(
        name,
        "1",
        ends[0],
        numerator,
        denominator,
        ends[1],
        ends[2],
        record.coverage_ratio,
        f"{_BELIEF}, {f'corrected by {audit_count} audits' if audit_count else _NO_AUDIT}",
        _SOURCE,
        station_id,
        record.model_ids,
        audit_count,
        Reliability.RELIABLE if is_known else Reliability.UNRELIABLE,
        "" if is_known else "a recipe of the period is not known, or had no such station",
    )
