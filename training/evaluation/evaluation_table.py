"""An evaluation as a table for a terminal."""

from collections.abc import Mapping

from training.evaluation.breakdown import GroupFigures
from training.evaluation.evaluation_report import ComparedModel, EvaluationReport
from training.evaluation.interval import Interval

_COLUMNS = f"{'class':16s} {'AP50':>6s} {'AP50-95':>9s} {'precision':>10s} {'recall':>7s} {'ECE':>7s} {'labels':>7s}"


def evaluation_table(report: EvaluationReport) -> str:
    """The report for people who sit at a terminal."""
    head = f"{report.model_id} on {report.runtime} {report.precision}: {report.picture_count} pictures"
    overall = (
        ("mAP50", report.map50),
        ("mAP50-95", report.map50_95),
        ("one name", report.map50_one_name),
        ("ECE", report.ece),
    )
    lines = [head, *(_with_interval(label, one) for label, one in overall if one is not None), _COLUMNS]
    lines += [
        f"{name:16s} {one.ap50:6.3f} {one.ap50_95:9.3f} {_shown(one.precision):>10s} {one.recall:7.3f} "
        f"{_ece(one.ece):>7s} {one.label_count:7d}"
        for name, one in report.per_class.items()
    ]
    groups = report.breakdown
    for kind, group in (("source", groups.source), ("camera", groups.camera), ("size", groups.size)):
        lines += _groups(kind, group)
    return "\n".join([*lines, *_strips(report), *(line for one in report.comparisons for line in _compared(one))])


def _groups(kind: str, groups: Mapping[str, GroupFigures]) -> list[str]:
    if len(groups) < 2:
        return []
    rows = [
        f"{name:24s} {one.map50.value:6.3f}  ({one.map50.low:.3f} to {one.map50.high:.3f}) {one.label_count:6d} labels"
        for name, one in groups.items()
    ]
    return [f"mAP50 by {kind}", *rows]


def _strips(report: EvaluationReport) -> list[str]:
    return [
        f"closed loop on {source}: recovery {_estimate(one['overall']['recovery'])}, "
        f"purity {_estimate(one['overall']['purity'])}"
        for source, one in report.strips.items()
    ]


def _compared(other: ComparedModel) -> list[str]:
    head = f"against {other.name}: mAP50 {other.map50.value:.3f}, mAP50-95 {other.map50_95.value:.3f}"
    if other.difference is None:
        return [head, f"  no paired difference: {other.unpaired_because}"]
    shown = {"mAP50": other.difference.map50, "mAP50-95": other.difference.map50_95, **other.difference.per_class}
    rows = [
        f"  {name:14s} {one.value:+.3f}  (95 % interval {one.low:+.3f} to {one.high:+.3f})"
        f"{'' if one.is_clear else '  not clear'}"
        for name, one in shown.items()
    ]
    return [head, *rows]


def _with_interval(label: str, one: Interval) -> str:
    return f"{label:9s} {one.value:.3f}  (95 % interval {one.low:.3f} to {one.high:.3f})"


def _estimate(one: Mapping[str, float | None]) -> str:
    return f"{_shown(one['value'])} [{one['low']:.3f}, {one['high']:.3f}]"


def _ece(one: Interval | None) -> str:
    return "–" if one is None else f"{one.value:.3f}"


def _shown(ratio: float | None) -> str:
    return "none found" if ratio is None else f"{ratio:.3f}"
