"""The figures of a bundle's forms side by side, as a table for a terminal."""

from collections.abc import Iterable

from training.release.quantise_run import FormReport, QuantisationReport


def quantisation_table(report: QuantisationReport) -> str:
    """Classes as rows, forms as columns; a drop is in points of average precision, positive where something is lost."""
    reference = report.forms[0]
    width = max(len(name) for name in (*reference.worth.ap50, "ms a picture")) + 1
    rows = [
        _row(width, "AP50", "labels", (_title(one) for one in report.forms)),
        *(
            _row(width, name, str(count), (_class_cell(one, name) for one in report.forms))
            for name, count in reference.worth.label_counts.items()
        ),
        _row(width, "mAP50", "", map(_mean_cell, report.forms)),
        _row(width, "ms a picture", "", (f"{one.milliseconds:.1f}" for one in report.forms)),
        _row(width, "MB", "", (f"{one.byte_count / 1e6:.1f}" for one in report.forms)),
    ]
    head = (
        f"{report.model_id} on {report.picture_count} pictures of {report.judged_on}, calibrated with "
        f"{report.calibration_picture_count} others, {report.seconds:.0f} s"
    )
    return "\n".join([head, *rows, *(_verdict(one) for one in report.forms[1:])])


def _row(width: int, name: str, labels: str, cells: Iterable[str]) -> str:
    return f"{name:<{width}}{labels:>7}" + "".join(f"{cell:>32}" for cell in cells)


def _title(form: FormReport) -> str:
    return f"{form.form} ({form.runtime} {form.precision})" if form.drop is None else f"{form.form} ({form.precision})"


def _class_cell(form: FormReport, name: str) -> str:
    return _cell(form.worth.ap50[name], None if form.drop is None else form.drop.ap50[name])


def _mean_cell(form: FormReport) -> str:
    return _cell(form.worth.map50, None if form.drop is None else form.drop.map50)


def _cell(value: float, drop: float | None) -> str:
    return f"{value:.4f}" if drop is None else f"{value:.4f} (drop {100 * drop:+.2f})"


def _verdict(form: FormReport) -> str:
    if form.is_accepted:
        return f"{form.form}: written; {form.floats}"
    share = 0.0 if form.drop is None else form.drop.share_of_limit
    return f"{form.form}: NOT written, {share:.1f} times the largest drop allowed even with {form.floats}"
