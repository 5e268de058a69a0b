"""The operations that answer with figures of a period: composition, throughput, quality, energy, impact, indicators."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from sorter.figures.bulletin import station_figures
from sorter.figures.consumption import air_per_ejection, energy_per_tonne
from sorter.figures.effectiveness import availability, oee, performance, quality
from sorter.figures.figure import Figure
from sorter.figures.flow import Basis, composition, items_per_minute, tonnes_per_hour
from sorter.figures.impact import co2e_avoided, mass_sorted, value_sorted
from sorter.figures.period_record import PeriodRecord
from sorter.model.reporting_codes import reporting_codes
from ui.api.access import institution_count
from ui.api.answers import (
    CompositionAnswer,
    CompositionRow,
    FigureRow,
    FiguresAnswer,
    IndicatorsAnswer,
    composition_row,
    figure_row,
)
from ui.api.line_operations import published_models, recorded_ms
from ui.api.operation import Asking
from ui.api.records import AskedFigures, asked_figures, require_line, stretch_records

# a station's purity and recovery take milliseconds each to integrate
_QUALITY_STRETCHES_AT_MOST = 100
# three shares of every class, half a kilobyte each: a year of days is some megabytes
_COMPOSITION_STRETCHES_AT_MOST = 400


def answer_composition(asking: Asking) -> CompositionAnswer:
    """What was on the belt, by count, area and mass, with the codes to report it by."""
    figures = asked_figures(asking, _COMPOSITION_STRETCHES_AT_MOST)
    return CompositionAnswer(**_heading(asking, figures), data=tuple(_composition_rows(asking, figures)))


def answer_throughput(asking: Asking) -> FiguresAnswer:
    """How much passed."""
    return _answer(asking, asked_figures(asking), lambda record: [items_per_minute(record), tonnes_per_hour(record)])


def answer_quality(asking: Asking) -> FiguresAnswer:
    """How well it was sorted, station by station, and how well the equipment was used."""
    return _answer(asking, asked_figures(asking, _QUALITY_STRETCHES_AT_MOST), partial(_quality, asking))


def answer_energy(asking: Asking) -> FiguresAnswer:
    """What sorting took: energy for a tonne, air for an ejection."""
    return _answer(asking, asked_figures(asking), lambda record: [energy_per_tonne(record), air_per_ejection(record)])


def answer_impact(asking: Asking) -> FiguresAnswer:
    """Mass sorted, what it is worth and what it avoids; only with factors that name source and year."""
    return _answer(asking, asked_figures(asking, _QUALITY_STRETCHES_AT_MOST), partial(_impact, asking))


def answer_indicators(asking: Asking) -> IndicatorsAnswer:
    """What a regional programme asks: open models with cards, lines and institutions connected, resources saved."""
    figures = asked_figures(asking)
    with asking.link.reader() as reader:
        lines = require_line(reader, None)
        reporting = recorded_ms(reader, figures.asked.period)
    return IndicatorsAnswer(
        period_from=figures.asked.told(figures.asked.period.from_ms),
        period_to=figures.asked.told(figures.asked.period.to_ms),
        models=published_models(asking.settings),
        line_count=len(lines),
        reporting_line_count=sum(1 for line in lines if reporting.get(line)),
        institution_count=institution_count(asking.settings.api),
        resources=tuple(figure_rows(asking, figures, partial(_impact, asking))),
    )


def figure_rows(
    asking: Asking, figures: AskedFigures, make: Callable[[PeriodRecord], Sequence[Figure]]
) -> Iterator[FigureRow]:
    """Figures of each stretch as rows."""
    line = asking.query.line
    with asking.link.reader() as reader:
        for stretch in stretch_records(reader, figures, line):
            for figure in make(stretch.record):
                yield figure_row(figure, stretch.period, figures.asked, line)


def _answer(asking: Asking, figures: AskedFigures, make: Callable[[PeriodRecord], Sequence[Figure]]) -> FiguresAnswer:
    return FiguresAnswer(**_heading(asking, figures), data=tuple(figure_rows(asking, figures, make)))


def _quality(asking: Asking, record: PeriodRecord) -> list[Figure]:
    settings = asking.settings.figures
    shift_sd, nominal = settings.calibration_shift_sd, settings.nominal_items_per_min
    used = [availability(record), performance(record, nominal), quality(record, shift_sd)]
    return [*station_figures(record, settings), *used, oee(record, nominal, shift_sd)]


def _impact(asking: Asking, record: PeriodRecord) -> list[Figure]:
    settings = asking.settings.figures
    shift_sd = settings.calibration_shift_sd
    return [
        mass_sorted(record),
        value_sorted(record, settings.value_per_t, settings.currency, shift_sd),
        co2e_avoided(record, settings.co2e_avoided_kg_per_t, shift_sd),
    ]


def _composition_rows(asking: Asking, figures: AskedFigures) -> Iterator[CompositionRow]:
    line, language = asking.query.line, asking.query.lang
    with asking.link.reader() as reader:
        for stretch in stretch_records(reader, figures, line):
            for basis in Basis:
                for name, figure in composition(stretch.record, basis).items():
                    codes = reporting_codes(name)
                    yield composition_row(figure, stretch.period, figures.asked, line, codes, language)


def _heading(asking: Asking, figures: AskedFigures) -> dict[str, Any]:
    asked = figures.asked
    return {
        "period_from": asked.told(asked.period.from_ms),
        "period_to": asked.told(asked.period.to_ms),
        "tz": asking.query.tz,
        "resolution": asking.query.resolution,
        "as_of": None if figures.as_of_ms is None else asked.told(figures.as_of_ms),
        "publisher": asking.settings.api.publisher or asking.settings.line_name,
        "licence_url": asking.settings.api.licence_url,
    }
