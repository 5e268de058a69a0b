"""CSV: what a spreadsheet would run is text, and what is text stays what it was."""

import csv
import io
from datetime import datetime, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.api.tables import csv_bytes


class Row(msgspec.Struct, frozen=True):
    """Anything that rows are made of."""

    name: str
    value: float | None = None
    counts: dict[str, int] = {}
    models: tuple[str, ...] = ()
    time: datetime | None = None


def cells(*rows: Row) -> list[list[str]]:
    return list(csv.reader(io.StringIO(csv_bytes(Row, rows).decode(), newline="")))[1:]


@pytest.mark.parametrize("name", ['=HYPERLINK("http://evil.example")', "+1", "-1", "@sum", "\tx", "\r=x"])
def test_a_formula_is_made_text(name: str) -> None:
    assert cells(Row(name))[0][0] == f"'{name}"


@given(name=st.text(st.characters(exclude_categories=["Cs"])).filter(lambda name: name[:1] not in "=+-@\t\r"))
def test_any_other_text_comes_back(name: str) -> None:
    assert cells(Row(name))[0][0] == name


def test_numbers_below_zero_stay_numbers_and_unknown_is_empty() -> None:
    at = datetime(2026, 3, 1, tzinfo=timezone.utc)
    assert cells(Row("a", -1.5, {"b": 1}, ("m",), at), Row("c")) == [
        ["a", "-1.5", '{"b": 1}', '["m"]', "2026-03-01T00:00:00Z"],
        ["c", "", "{}", "[]", ""],
    ]
