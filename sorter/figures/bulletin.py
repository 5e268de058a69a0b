"""All figures of a period in one list: what screens, reports and the API publish."""

from sorter.figures.consumption import air_per_ejection, energy_per_tonne
from sorter.figures.effectiveness import availability, missed_windows, oee, performance, quality
from sorter.figures.figure import Figure
from sorter.figures.flow import Basis, composition, items_per_minute, tonnes_per_hour
from sorter.figures.impact import co2e_avoided, mass_sorted, value_sorted
from sorter.figures.period_record import PeriodRecord
from sorter.figures.purity import contamination, purity, recovery
from sorter.model.settings import FiguresSettings


def all_figures(record: PeriodRecord, settings: FiguresSettings) -> list[Figure]:
    """Every figure that there is, those without data included, so that what is missing is seen to be missing."""
    shift_sd = settings.calibration_shift_sd
    return [
        items_per_minute(record),
        tonnes_per_hour(record),
        *station_figures(record, settings),
        *(share for basis in Basis for share in composition(record, basis).values()),
        availability(record),
        performance(record, settings.nominal_items_per_min),
        quality(record, shift_sd),
        oee(record, settings.nominal_items_per_min, shift_sd),
        energy_per_tonne(record),
        air_per_ejection(record),
        mass_sorted(record),
        value_sorted(record, settings.value_per_t, settings.currency, shift_sd),
        co2e_avoided(record, settings.co2e_avoided_kg_per_t, shift_sd),
    ]


def station_figures(record: PeriodRecord, settings: FiguresSettings) -> list[Figure]:
    """Purity, contamination, recovery and missed windows of each station of the period's recipes."""
    shift_sd = settings.calibration_shift_sd
    found: list[Figure] = []
    for station_id in record.station_ids():
        found += [
            purity(record, station_id, shift_sd),
            contamination(record, station_id, shift_sd),
            recovery(record, station_id, shift_sd),
            missed_windows(record, station_id),
        ]
    return found
