"""The part of the evaluation's page that sets other models beside this one."""

from html import escape

from training.evaluation.comparison import Comparison, Difference
from training.evaluation.evaluation_report import ComparedModel, EvaluationReport
from training.evaluation.page_parts import Row, bar_rows, card, difference_rows, section

_NOTE = (
    "This model minus the other, on the same pictures: right of zero it is better. What is not clear is drawn faintly."
)


def comparison_part(report: EvaluationReport) -> str:
    """Side by side, and the difference where there are pairs; nothing where nothing is compared."""
    if not report.comparisons:
        return ""
    cards = "".join(_side_by_side(report, one) + _difference_card(one) for one in report.comparisons)
    return section("Against other models", _NOTE, f'<div class="grid">{cards}</div>')


def _side_by_side(report: EvaluationReport, other: ComparedModel) -> str:
    rows = [
        Row("mAP50", "this model", report.map50.value, report.map50.low, report.map50.high),
        Row("mAP50", other.name, other.map50.value, other.map50.low, other.map50.high),
        Row("mAP50-95", "this model", report.map50_95.value, report.map50_95.low, report.map50_95.high),
        Row("mAP50-95", other.name, other.map50_95.value, other.map50_95.low, other.map50_95.high),
    ]
    return card(other.name, bar_rows(rows))


def _difference_card(other: ComparedModel) -> str:
    if other.difference is None:
        return card("Difference", f"<p>No paired difference: {escape(other.unpaired_because or '')}.</p>")
    return card(_verdict(other.difference.map50), difference_rows(_rows(other.difference)))


def _rows(difference: Comparison) -> list[Row]:
    named = {"mAP50": difference.map50, "mAP50-95": difference.map50_95, **difference.per_class}
    return [Row(name, "", one.value, one.low, one.high) for name, one in named.items()]


def _verdict(one: Difference) -> str:
    if not one.is_clear:
        return "No clear difference in mAP50"
    return f"{'Better' if one.value > 0 else 'Worse'} by {abs(one.value):.3f} in mAP50, and not by chance"
