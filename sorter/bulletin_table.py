"""Published figures as a table for a terminal: value, interval, coverage, and what is wrong with it."""

from collections.abc import Iterable

from sorter.figures.figure import Figure, Reliability

_NAME_WIDTH = 42
# what rounding leaves of a nought
_LEAST = 1e-12


def bulletin_table(figures: Iterable[Figure]) -> str:
    """One row a figure; one without a value says why."""
    head = f"{'figure':<{_NAME_WIDTH}}{'value':>10}  {'95 %':<20}{'coverage':>9}  {'unit':<9}remark"
    return "\n".join([head, *(_row(figure) for figure in figures)])


def _row(figure: Figure) -> str:
    name = f"{figure.name} {figure.subject}".strip()
    interval = f"[{_number(figure.low)}, {_number(figure.high)}]" if figure.low is not None else ""
    unit = "" if figure.unit == "1" else figure.unit
    return (
        f"{name:<{_NAME_WIDTH}}{_number(figure.value):>10}  {interval:<20}{figure.coverage_ratio:>9.1%}  "
        f"{unit:<9}{_remark(figure)}"
    ).rstrip()


def _remark(figure: Figure) -> str:
    if figure.reliability is Reliability.UNRELIABLE:
        return f"unreliable: {figure.reason}"
    if figure.reason:
        return figure.reason
    return f"{figure.audit_count} audits" if figure.audit_count else ""


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return "0" if abs(value) < _LEAST else f"{value:.4g}"
