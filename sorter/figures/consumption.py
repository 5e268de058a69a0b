"""What sorting takes: energy for a tonne and air for an ejection."""

from sorter.figures.figure import Figure, Reliability, no_data
from sorter.figures.flow import mass_reliability, mass_t_of
from sorter.figures.period_record import PeriodRecord
from sorter.model.ejection import AckStatus
from sorter.model.rollups import CountName
from sorter.model.units import UL_PER_L

_MJ_PER_KWH = 3.6e9
_Z_95 = 1.959963984540054
_CONFIGURED, _UNKNOWN = "configured", "unknown"
_SOURCES = {
    "rapl": "processor packages (RAPL)",
    "hwmon": "the computer's board (INA3221)",
    _CONFIGURED: "configured power while the line sorts",
}


def energy_per_tonne(record: PeriodRecord) -> Figure:
    """Electrical energy ÷ estimated mass that passed, kWh/t; the interval is that of the mass."""
    name, unit = "energy_per_tonne", "kWh/t"
    used_mj = {source: mj for source, mj in record.counts(CountName.ENERGY_MJ).items() if source != _UNKNOWN}
    mass_t, sd_t = mass_t_of(record)
    energy_kwh = sum(used_mj.values()) / _MJ_PER_KWH
    if energy_kwh == 0.0 or mass_t == 0.0:
        reason = "nothing was weighed" if energy_kwh else "no sensor tells the energy, and no power is configured"
        return no_data(name, unit, record.coverage_ratio, reason)
    reliability, reason = mass_reliability(record)
    if _CONFIGURED not in used_mj:
        reliability, reason = Reliability.UNRELIABLE, "the computer alone: figures.power_w does not say what else takes"
    most_t, least_t = mass_t + _Z_95 * sd_t, mass_t - _Z_95 * sd_t
    return Figure(
        name, unit, energy_kwh / mass_t, energy_kwh, mass_t, energy_kwh / most_t,
        energy_kwh / least_t if least_t > 0.0 else None, energy_coverage(record),
        f"energy by {', '.join(_SOURCES[source] for source in sorted(used_mj))} ÷ estimated mass",
        model_ids=record.model_ids, reliability=reliability, reason=reason,
    )  # fmt: skip


def energy_coverage(record: PeriodRecord) -> float:
    """Share of the period, of all its devices, for which energy is known, in 0..1."""
    known_ms = max((ms for source, ms in record.counts(CountName.ENERGY_MS).items() if source != _UNKNOWN), default=0)
    whole_ms = record.period.duration_ms * max(1, record.device_count)
    return min(1.0, known_ms / whole_ms) if whole_ms else 0.0


def air_per_ejection(record: PeriodRecord) -> Figure:
    """Air through the nozzles ÷ commands that fired, litres; no interval, both are counted."""
    fired = sum(
        count for label, count in record.counts(CountName.ACK).items() if label.endswith(f"/{AckStatus.FIRED.value}")
    )
    air_l = sum(record.counts(CountName.AIR_UL).values()) / UL_PER_L
    if fired == 0:
        return no_data("air_per_ejection", "l", record.coverage_ratio, "nothing was ejected")
    return Figure(
        "air_per_ejection", "l", air_l / fired, air_l, float(fired), None, None, record.coverage_ratio,
        "open time of nozzles × configured flow ÷ commands that fired",
    )  # fmt: skip
