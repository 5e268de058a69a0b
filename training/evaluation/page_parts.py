"""Pieces of the evaluation's page: figures with their intervals as tiles and bars; text is escaped here."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Protocol

import msgspec


class Measured(Protocol):
    """A figure with the ends of its 95 % interval."""

    @property
    def value(self) -> float | None:
        """The figure; None where there was nothing to measure."""
        ...

    @property
    def low(self) -> float:
        """Lower end."""
        ...

    @property
    def high(self) -> float:
        """Upper end."""
        ...


class Row(msgspec.Struct, frozen=True):
    """One line of a bar chart: the figure, and where others have it."""

    label: str
    note: str
    value: float | None
    low: float
    high: float
    others: tuple[float, ...] = ()


class PairRow(msgspec.Struct, frozen=True):
    """Two figures of one thing, each as (value, low, high); None where there was nothing to measure."""

    label: str
    note: str
    upper: tuple[float, float, float] | None
    lower: tuple[float, float, float] | None


def section(title: str, note: str, *parts: str) -> str:
    """A part of the page under its heading."""
    return f'<section><h2>{escape(title)}</h2><p class="note">{escape(note)}</p>{"".join(parts)}</section>'


def card(title: str, *parts: str) -> str:
    """A framed piece of the page."""
    return f'<div class="card"><h3>{escape(title)}</h3>{"".join(parts)}</div>'


def tile(key: str, name: str, one: Measured, meaning: str) -> str:
    """A headline figure: big, with its interval in words and as a strip from 0 to 1."""
    return (
        f'<div class="tile"><span class="name">{escape(name)}</span>'
        f'<data class="big" id="{escape(key)}" value="{number(one.value)}">{shown(one.value)}</data>'
        f'<span class="range">{shown(one.low)} – {shown(one.high)}</span>'
        f'<div class="track thin">{_span(one.low, one.high)}{_dot(one.value)}</div>'
        f"<small>{escape(meaning)}</small></div>"
    )


def bar_rows(rows: Iterable[Row]) -> str:
    """Bars with intervals on a scale from 0 to 1."""
    return _rows([_bar_row(row) for row in rows], ("0", "0.25", "0.5", "0.75", "1"))


def pair_rows(rows: Iterable[PairRow]) -> str:
    """Two dots with intervals to a line, on a scale from 0 to 1."""
    return _rows([_pair_row(row) for row in rows], ("0", "0.25", "0.5", "0.75", "1"))


def difference_rows(rows: Sequence[Row]) -> str:
    """Differences with intervals round zero; what is not clear of zero is drawn faintly."""
    reach = max(0.05, *(max(abs(row.low), abs(row.high)) for row in rows))
    ends = (f"−{reach:.2f}", "0", f"+{reach:.2f}")
    return _rows([_difference_row(row, reach) for row in rows], ends)


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Names and what they are."""
    return "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in pairs) + "</dl>"


def shown(value: float | None) -> str:
    """A share as people read it."""
    return "–" if value is None else f"{value:.2f}"


def signed(value: float) -> str:
    """A difference as people read it."""
    return f"{value:+.3f}".replace("-", "−")


def number(value: float | None) -> str:
    """A figure to the last digit, for whoever reads the page by program."""
    return "" if value is None else repr(value)


def _rows(rows: Sequence[str], ends: Sequence[str]) -> str:
    axis = "".join(f"<span>{escape(one)}</span>" for one in ends)
    return f'<div class="rows">{"".join(rows)}<div class="axis">{axis}</div></div>'


def _bar_row(row: Row) -> str:
    bar = "" if row.value is None else f'<div class="bar" style="width:{_percent(row.value)}"></div>'
    others = "".join(f'<div class="diamond" style="left:{_percent(one)}"></div>' for one in row.others)
    value = f'<data value="{number(row.value)}">{shown(row.value)}</data>'
    return (
        f'{_label(row.label, row.note)}<div class="track">{bar}{_span(row.low, row.high)}{others}</div>'
        f'<div class="value">{value}<small>{shown(row.low)} – {shown(row.high)}</small></div>'
    )


def _pair_row(row: PairRow) -> str:
    places = ((row.upper, "upper"), (row.lower, "lower second"))
    marks = "".join("" if one is None else _span(one[1], one[2], place) + _dot(one[0], place) for one, place in places)
    values = [shown(one and one[0]) for one, _ in places]
    return (
        f'{_label(row.label, row.note)}<div class="track double">{marks}</div>'
        f'<div class="value">{values[0]}<br>{values[1]}</div>'
    )


def _difference_row(row: Row, reach: float) -> str:
    low, high, value = (0.5 + one / (2 * reach) for one in (row.low, row.high, row.value or 0.0))
    is_clear = row.low > 0 or row.high < 0
    return (
        f'{_label(row.label, row.note)}<div class="track"><div class="zero"></div>'
        f'<div class="{"" if is_clear else "unclear"}">{_span(low, high)}{_dot(value)}</div></div>'
        f'<div class="value"><data value="{number(row.value)}">{signed(row.value or 0.0)}</data>'
        f"<small>{signed(row.low)} to {signed(row.high)}</small></div>"
    )


def _label(label: str, note: str) -> str:
    return f'<div class="label">{escape(label)}<small>{escape(note)}</small></div>'


def _span(low: float, high: float, place: str = "") -> str:
    return f'<div class="span {place}" style="left:{_percent(low)};width:{_percent(high - low)}"></div>'


def _dot(value: float | None, place: str = "") -> str:
    return "" if value is None else f'<div class="dot {place}" style="left:{_percent(value)}"></div>'


def _percent(share: float) -> str:
    return f"{100 * min(max(share, 0.0), 1.0):.2f}%"
