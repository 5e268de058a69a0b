"""What sorted material is worth, and the CO₂e that recycling it avoids: only with factors that name source and year.

    amount = Σ over stations and target classes: mass decided and fired at × purity of the station × factor

No factor is built in: prices and avoided emissions differ by place and time. Published values for mixed glass, for
instance, run from 201 to 762 kg CO₂e a tonne, 309 being that of the US EPA (collected by Turner, Williams and Kemp,
2015, appendix D). What was sorted is not yet recycled: the figure says what is avoided if it is.
"""

from collections.abc import Mapping

from sorter.figures.audit_correction import DEFAULT_SHIFT_SD
from sorter.figures.figure import Figure, no_data
from sorter.figures.flow import MASS_PRIOR_SD_RATIO, mass_reliability, mass_t_of
from sorter.figures.period_record import PeriodRecord
from sorter.figures.purity import purity
from sorter.model.settings import FactorSettings

_MG_PER_T = 1e9
_Z_95 = 1.959963984540054
_METHOD = "mass of targets ejected × purity × factor; low and high are the factors' ends with those of mass and purity"


def mass_sorted(record: PeriodRecord) -> Figure:
    """Estimated mass of what valves fired at, all stations together; the interval as `mass_t_of` has it."""
    name, unit = "mass_sorted", "t"
    stations = sorted({key.station_id for key, _ in record.items()} - {""})
    masses = [mass_t_of(record, station) for station in stations]
    if not masses:
        return no_data(name, unit, record.coverage_ratio, "nothing was ejected")
    # the error of a class is common to all stations, so standard deviations add up
    mass_t, sd_t = sum(mass for mass, _ in masses), sum(sd for _, sd in masses)
    reliability, reason = mass_reliability(record)
    return Figure(
        name, unit, mass_t, mass_t, None, max(0.0, mass_t - _Z_95 * sd_t), mass_t + _Z_95 * sd_t,
        record.coverage_ratio, "masses of ejected items, impurities included; class, area and height prior",
        model_ids=record.model_ids, reliability=reliability, reason=reason,
    )  # fmt: skip


def value_sorted(
    record: PeriodRecord,
    factors: Mapping[str, FactorSettings],
    currency: str,
    shift_sd: float = DEFAULT_SHIFT_SD,
) -> Figure:
    """Money that the sorted targets would fetch."""
    return _impact("value", currency, record, factors, shift_sd)


def co2e_avoided(
    record: PeriodRecord, factors: Mapping[str, FactorSettings], shift_sd: float = DEFAULT_SHIFT_SD
) -> Figure:
    """Kilograms of CO₂e avoided if the sorted targets are recycled."""
    return _impact("co2e_avoided_if_recycled", "kg CO2e", record, factors, shift_sd)


def _impact(
    name: str, unit: str, record: PeriodRecord, factors: Mapping[str, FactorSettings], shift_sd: float
) -> Figure:
    masses = _target_masses_t(record)
    used = {key: mass_t for key, mass_t in masses.items() if key[1] in factors}
    if not used:
        reason = "nothing was ejected" if not masses else "no factor with a source is configured for what was ejected"
        return no_data(name, unit, record.coverage_ratio, reason)
    low = central = high = 0.0
    for (station_id, class_name), mass_t in used.items():
        ends = _ends(mass_t, purity(record, station_id, shift_sd), factors[class_name])
        low, central, high = low + ends[0], central + ends[1], high + ends[2]
    left_out = sorted({class_name for _, class_name in masses} - set(factors))
    reliability, reason = mass_reliability(record)
    return Figure(
        name, unit, central, central, None, low, high, record.coverage_ratio,
        _METHOD + (f"; without {', '.join(left_out)}, for which there is no factor" if left_out else ""),
        _sources({class_name: factors[class_name] for _, class_name in used}), model_ids=record.model_ids,
        reliability=reliability, reason=reason,
    )  # fmt: skip


def _target_masses_t(record: PeriodRecord) -> dict[tuple[str, str], float]:
    """Tonnes by station and target class, of what the station's valves fired at."""
    masses: dict[tuple[str, str], float] = {}
    for key, sums in record.items():
        targets = record.targets(key.recipe_hash, key.station_id) if key.station_id else None
        if key.class_name in (targets or ()) and sums.mass_mg > 0:
            place = (key.station_id, key.class_name)
            masses[place] = masses.get(place, 0.0) + sums.mass_mg / _MG_PER_T
    return masses


def _ends(mass_t: float, pure: Figure, factor: FactorSettings) -> tuple[float, float, float]:
    """Low, central and high; a factor below zero costs most where there is most of it."""
    spread = _Z_95 * MASS_PRIOR_SD_RATIO
    amounts_t = (mass_t * (1.0 - spread) * (pure.low or 0.0), mass_t * (1.0 + spread) * (pure.high or 0.0))
    corners = [amount_t * each for amount_t in amounts_t for each in (factor.low, factor.high)]
    return min(corners), mass_t * (pure.value or 0.0) * factor.central, max(corners)


def _sources(factors: Mapping[str, FactorSettings]) -> str:
    return "; ".join(f"{name}: {factor.source} ({factor.year})" for name, factor in sorted(factors.items()))
