"""An evaluation as one HTML file to look at: no script, nothing loaded from elsewhere, light and dark, fit to print."""

from collections.abc import Mapping
from html import escape
from pathlib import Path

from sorter.errors import BadInputError
from training.evaluation.breakdown import GroupFigures
from training.evaluation.comparison_part import comparison_part
from training.evaluation.confusion_part import confusion_part
from training.evaluation.curve_chart import precision_recall_chart, reliability_chart, sorting_chart
from training.evaluation.evaluation_report import EvaluationReport
from training.evaluation.interval import Interval
from training.evaluation.methods import METHODS
from training.evaluation.page_parts import PairRow, Row, bar_rows, card, facts, pair_rows, section, shown, tile
from training.evaluation.picture_gallery import Crop, Gallery
from training.evaluation.strip_part import strip_part, strip_tiles

_FEW_PICTURES = 30
_STYLE = Path(__file__).with_name("report.css")


def write_page(report: EvaluationReport, gallery: Gallery | None, path: Path) -> None:
    """Write the page, whole or not at all.

    Raises:
        BadInputError: if it cannot be written there.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_text(page(report, gallery), encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise BadInputError(f"--report {path}: cannot be written: {error.strerror}") from error


def page(report: EvaluationReport, gallery: Gallery | None) -> str:
    """The page as text."""
    parts = [
        _head(report),
        "<main>",
        _tiles(report),
        comparison_part(report),
        _classes_part(report),
        _curves_part(report),
        _sorting_part(report),
        strip_part(report),
        confusion_part(report.confusion),
        _trust_and_groups(report),
        _gallery_part(gallery),
        _facts_part(report),
        "</main>",
        f"<footer>Measured {escape(report.measured_at)} by farz {escape(report.versions['farz'])}.</footer>",
    ]
    title = f"{report.model_id} on {', '.join(report.data.sources)}"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE.read_text(encoding='utf-8')}</style></head>"
        f"<body>{''.join(parts)}</body></html>\n"
    )


def _head(report: EvaluationReport) -> str:
    data = report.data
    return (
        f'<header class="top"><h1>{escape(report.model_id)}</h1><p class="lead">How good it is on '
        f"<b>{data.picture_count} pictures</b> with <b>{data.label_count} labelled items</b> of "
        f"{len(data.judged_classes)} classes from <b>{escape(', '.join(data.sources))}</b>, "
        f"run by <b>{escape(report.runtime)}</b> in <b>{escape(report.precision)}</b>.{_warning(report)}</p></header>"
    )


def _warning(report: EvaluationReport) -> str:
    if report.picture_count >= _FEW_PICTURES:
        return ""
    return (
        f" <b>With fewer than {_FEW_PICTURES} pictures the intervals are too short: they show only what was seen.</b>"
    )


def _tiles(report: EvaluationReport) -> str:
    tiles = [
        tile("map50", "mAP50", report.map50, "Items found and rightly named; 1 is perfect."),
        tile("map50_95", "mAP50-95", report.map50_95, "The same, and boxes that fit closely."),
    ]
    if report.ece is not None:
        tiles.append(tile("ece", "ECE", report.ece, "How far its probabilities are off; 0 is perfect."))
    return f'<div class="tiles">{"".join(tiles)}{strip_tiles(report)}</div>'


def _classes_part(report: EvaluationReport) -> str:
    bars = [
        Row(name, f"{one.label_count} labels", one.ap50, *_ends(one.ap50_interval), _others(report, name))
        for name, one in report.per_class.items()
    ]
    pairs = [
        PairRow(name, "", _triple(one.precision_interval), _triple(one.recall_interval))
        for name, one in report.per_class.items()
    ]
    names = [escape(one.name) for one in report.comparisons[:1]]
    compared = "".join(f'<p class="key"><b class="b">◇</b> {name}</p>' for name in names)
    key = '<p class="key"><b class="a">● precision</b> above, <b class="b">● recall</b> below</p>'
    note = "A short line is a certain figure; a class with few labels has a long one."
    left = card("Average precision at an overlap of one half", bar_rows(bars), compared)
    right = card("Precision and recall at a probability of 0.5", pair_rows(pairs), key)
    return section("Class by class", note, f'<div class="grid">{left}{right}</div>')


def _curves_part(report: EvaluationReport) -> str:
    charts = [
        _figure(
            name, f"AP50 {shown(one.ap50)}", precision_recall_chart(report.curves[name], (one.recall, one.precision))
        )
        for name, one in report.per_class.items()
    ]
    note = "What is given up in precision for finding more. The dot is a probability of 0.5, calibrated."
    return section("Precision and recall", note, f'<div class="charts">{"".join(charts)}</div>')


def _sorting_part(report: EvaluationReport) -> str:
    charts = [
        _figure(name, f"recovers {shown(one.recovery.value if one.recovery else None)}", sorting_chart(one))
        for name, one in report.sorting.items()
    ]
    note = (
        "The same in the plant's words, were each class blown off the belt: how pure and how complete its stream would "
        "be. The band reaches down to the purity if every shot at nothing labelled had taken an impurity. The cross is "
        "a probability of 0.5, with its intervals."
    )
    return section("Purity and recovery", note, f'<div class="charts">{"".join(charts)}</div>')


def _trust_and_groups(report: EvaluationReport) -> str:
    groups = report.breakdown
    small_px, large_px = groups.size_limits_px
    limits = f'<p class="key">√area: small below {small_px:g} px, large from {large_px:g} px</p>'
    cards = [
        card("By size of the item", _group_rows(groups.size), limits),
        card("By camera", _group_rows(groups.camera)),
    ]
    if len(groups.source) > 1:
        cards.append(card("By source", _group_rows(groups.source)))
    trust = section(
        "Can its probabilities be trusted",
        "Each dot is a bin of equally many detections. On the line, nine in ten means nine in ten; below it, the model "
        "promises too much.",
        f'<div class="grid">{_reliability_cards(report)}</div>',
    )
    note = "mAP50 of parts of the pictures: where a new camera or a small item would hurt."
    return trust + section("Where it is good and where not", note, f'<div class="grid">{"".join(cards)}</div>')


def _reliability_cards(report: EvaluationReport) -> str:
    if report.reliability is None:
        return card("Reliability", "<p>Nothing was detected.</p>")
    rows = [
        Row(name, "", one.ece.value, one.ece.low, one.ece.high)
        for name, one in report.per_class.items()
        if one.ece is not None
    ]
    chart = f'<div class="large">{reliability_chart(report.reliability)}</div>'
    title = f"{report.reliability.detection_count} detections of all judged classes"
    return card(title, chart) + card("Calibration error by class (shorter is better)", bar_rows(rows))


def _group_rows(groups: Mapping[str, GroupFigures]) -> str:
    return bar_rows(
        Row(
            name, f"{one.label_count} labels, {one.class_count} classes", one.map50.value, one.map50.low, one.map50.high
        )
        for name, one in groups.items()
    )


def _gallery_part(gallery: Gallery | None) -> str:
    if gallery is None:
        return ""
    note = "The largest items that it passed over, and the things it was surest of that are not there."
    parts = [_crops("Worst misses", gallery.misses), _crops("Worst false alarms", gallery.false_alarms)]
    return section("Worth a look", note, f'<div class="grid">{"".join(parts)}</div>')


def _crops(title: str, crops: list[Crop]) -> str:
    figures = "".join(
        f'<figure><img alt="" src="data:image/jpeg;base64,{one.jpeg_base64}">'
        f"<figcaption>{escape(one.caption)}</figcaption></figure>"
        for one in crops
    )
    return card(title, f'<div class="crops">{figures}</div>' if crops else "<p>None.</p>")


def _facts_part(report: EvaluationReport) -> str:
    model, data = report.model, report.data
    of_model = [
        ("id", report.model_id),
        ("licence", model.licence),
        ("network", f"SHA-256 {model.network_sha256[:16]}…, {model.input_px[0]} × {model.input_px[1]} px"),
        ("runtime", f"{report.runtime}, true precision {report.precision}"),
        ("speed here", f"{1000 * report.seconds / max(1, report.picture_count):.1f} ms a picture"),
        ("classes", ", ".join(model.classes)),
        *(("" if index else "learned from", line) for index, line in enumerate(model.data_sheet)),
    ]
    of_data = [
        ("folders", ", ".join(data.sources)),
        ("pictures", str(data.picture_count)),
        ("labels", str(data.label_count)),
        ("judged", ", ".join(data.judged_classes)),
        ("measured", report.measured_at),
        ("seed", str(report.seed)),
        *report.versions.items(),
    ]
    cards = card("Model", facts(of_model)) + card("Data and tools", facts(of_data))
    methods = f'<div class="card methods">{facts(METHODS.items())}</div>'
    return section("What was measured", "", f'<div class="grid">{cards}</div>') + section("How", "", methods)


def _figure(title: str, note: str, chart: str) -> str:
    return f"<figure><figcaption>{escape(title)}<small>{escape(note)}</small></figcaption>{chart}</figure>"


def _others(report: EvaluationReport, name: str) -> tuple[float, ...]:
    return tuple(one.per_class_ap50[name] for one in report.comparisons[:1] if name in one.per_class_ap50)


def _ends(one: Interval | None) -> tuple[float, float]:
    return (0.0, 0.0) if one is None else (one.low, one.high)


def _triple(one: Interval | None) -> tuple[float, float, float] | None:
    return None if one is None else (one.value, one.low, one.high)
