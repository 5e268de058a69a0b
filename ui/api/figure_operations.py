"""The operations that answer with figures of a period: composition, throughput, quality."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sorter.figures.figure import Figure
from sorter.figures.flow import Basis, composition, items_per_minute, tonnes_per_hour
from sorter.figures.period_record import PeriodRecord
from sorter.figures.purity import contamination, purity, recovery
from sorter.model.reporting_codes import reporting_codes
from ui.api.answers import CompositionAnswer, CompositionRow, FigureRow, FiguresAnswer, composition_row, figure_row
from ui.api.operation import Asking
from ui.api.records import AskedFigures, asked_figures, stretch_records

# a station's purity and recovery take milliseconds each to integrate
_QUALITY_STRETCHES_AT_MOST = 100


def answer_composition(asking: Asking) -> CompositionAnswer:
    """What was on the belt, by count, area and mass, with the codes to report it by."""
    figures = asked_figures(asking)
    return CompositionAnswer(**_heading(asking, figures), data=tuple(_composition_rows(asking, figures)))


def answer_throughput(asking: Asking) -> FiguresAnswer:
    """How much passed."""
    return _answer(asking, asked_figures(asking), lambda record: [items_per_minute(record), tonnes_per_hour(record)])


def answer_quality(asking: Asking) -> FiguresAnswer:
    """How well it was sorted, station by station."""
    return _answer(asking, asked_figures(asking, _QUALITY_STRETCHES_AT_MOST), _quality)


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


def _quality(record: PeriodRecord) -> list[Figure]:
    return [make(record, station) for station in record.station_ids() for make in (purity, contamination, recovery)]


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
        "from_": asked.told(asked.period.from_ms),
        "to": asked.told(asked.period.to_ms),
        "tz": asking.query.tz,
        "resolution": asking.query.resolution,
        "as_of": None if figures.as_of_ms is None else asked.told(figures.as_of_ms),
        "publisher": asking.settings.api.publisher or asking.settings.line_name,
        "licence_url": asking.settings.api.licence_url,
    }
