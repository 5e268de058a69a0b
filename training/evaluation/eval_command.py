"""`farz eval`: how good a model bundle is on a labelled folder."""

from pathlib import Path

import click
import msgspec

from sorter.runtime.bundle import default_bundle_folder, load_bundle
from sorter.runtime.clock import SystemClock
from sorter.runtime.labelled_folder import read_labelled_folder
from training.evaluation.evaluate import EvaluationReport, detect_by, detect_folder, figures_of, judged_classes
from training.evaluation.model_under_test import Precision, Runtime, open_model


@click.command(name="eval")
@click.option("--model", type=click.Path(path_type=Path), default=None, help="Bundle folder; else the shipped one.")
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Folder with images/ and labels/.")
@click.option("--runtime", type=click.Choice(["openvino", "onnxruntime"]), default="openvino", show_default=True)
@click.option("--precision", type=click.Choice(["f32", "bf16"]), default="f32", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def evaluate(model: Path | None, data: Path, runtime: Runtime, precision: Precision, as_json: bool) -> None:
    """Measure a model on labelled pictures: mAP with 95 % intervals, and precision and recall of each class."""
    report = measure(model or default_bundle_folder(), data, runtime, precision)
    click.echo(msgspec.json.encode(report).decode() if as_json else as_table(report))


def measure(model: Path, data: Path, runtime: Runtime, precision: Precision) -> EvaluationReport:
    """Evaluate a bundle on a labelled folder.

    Only classes that the folder labels exhaustively, and that occur in it, count.

    Raises:
        BundleError: if the model cannot be used.
        DataFolderError: if the folder cannot be read or labels nothing exhaustively.
        ConfigurationError: if the runtime cannot do the precision.
    """
    manifest = load_bundle(model).manifest
    folder = read_labelled_folder(data, manifest.classes)
    judged = judged_classes(folder, manifest.classes)
    detector = open_model(model, runtime, precision)
    results, seconds = detect_folder(folder, detect_by(detector), SystemClock())
    figures = figures_of(results, judged, manifest.calibration)
    return EvaluationReport(
        model_id=detector.model_id,
        runtime=detector.runtime,
        precision=detector.precision,
        map50=figures.map50,
        map50_95=figures.map50_95,
        per_class=figures.per_class,
        picture_count=len(results),
        seconds=round(seconds, 3),
    )


def as_table(report: EvaluationReport) -> str:
    """The report for people."""
    head = f"{report.model_id} on {report.runtime} {report.precision}: {report.picture_count} pictures"
    overall = [
        f"{label:9s} {one.value:.3f}  (95 % interval {one.low:.3f} to {one.high:.3f})"
        for label, one in (("mAP50", report.map50), ("mAP50-95", report.map50_95))
    ]
    rows = [
        f"{name:16s} {one.ap50:6.3f} {one.ap50_95:9.3f} {_shown(one.precision):>10s} {one.recall:7.3f} "
        f"{one.label_count:7d}"
        for name, one in report.per_class.items()
    ]
    columns = f"{'class':16s} {'AP50':>6s} {'AP50-95':>9s} {'precision':>10s} {'recall':>7s} {'labels':>7s}"
    return "\n".join([head, *overall, columns, *rows])


def _shown(ratio: float | None) -> str:
    return "none found" if ratio is None else f"{ratio:.3f}"
