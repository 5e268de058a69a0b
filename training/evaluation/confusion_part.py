"""The part of the evaluation's page that shows what was taken for what."""

from collections.abc import Sequence
from html import escape

from training.evaluation.confusion import MISSED, NOTHING_THERE, Confusion
from training.evaluation.page_parts import card, section

_NOTE = (
    "Rows say what an item is, columns what it was called; each row adds up to all items of the class. The last row "
    "counts what was called although nothing labelled is there."
)
_FULL_SHARE = 0.55


def confusion_part(confusion: Confusion) -> str:
    """The matrix as a table: blue on the diagonal, orange beside it, grey for what was missed."""
    head = "".join(f"<th scope='col'><span>{escape(name)}</span></th>" for name in confusion.columns)
    pairs = zip(confusion.rows, confusion.counts, strict=True)
    rows = "".join(_row(name, counts, confusion.columns) for name, counts in pairs)
    table = f'<table class="confusion"><thead><tr><th></th>{head}</tr></thead><tbody>{rows}</tbody></table>'
    return section("What it takes for what", _NOTE, card("Share of the items of a class (and their number)",
                   f'<div class="scroll">{table}</div>'))  # fmt: skip


def _row(name: str, counts: Sequence[int], columns: Sequence[str]) -> str:
    total = sum(counts)
    cells = "".join(
        _cell(count, total, _kind(name, column), is_share=name != NOTHING_THERE)
        for count, column in zip(counts, columns, strict=True)
    )
    apart = ' class="apart"' if name == NOTHING_THERE else ""
    return f'<tr{apart}><th scope="row">{escape(name)}</th>{cells}</tr>'


def _kind(row: str, column: str) -> str:
    if column == MISSED:
        return "missed"
    return "right" if row == column else "wrong"


def _cell(count: int, total: int, kind: str, *, is_share: bool) -> str:
    if not count:
        return '<td class="empty">·</td>'
    share = count / total
    full = " full" if share > _FULL_SHARE else ""
    text = f"{round(100 * share)}%<small>{count}</small>" if is_share else str(count)
    return f'<td class="{kind}{full}" style="--share:{round(100 * share)}%">{text}</td>'
