"""`farz eval`: how good a model bundle is on labelled pictures, as figures, as JSON, and as a page."""

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import click
import msgspec

from sorter.runtime.bundle import default_bundle_folder
from training.evaluation.evaluation_report import EvaluationReport
from training.evaluation.evaluation_table import evaluation_table
from training.evaluation.examination import examine_bundle, report_on
from training.evaluation.examined_picture import source_of
from training.evaluation.kept_matches import OtherEvaluation, as_other, kept_matches, read_other, set_beside
from training.evaluation.model_under_test import PRECISIONS, RUNTIMES
from training.evaluation.picture_gallery import Gallery, gallery_of
from training.evaluation.strip_score import strip_score
from training.evaluation.unsigned_models import say_if_unsigned

_PATH = click.Path(path_type=Path)


class Request(msgspec.Struct, frozen=True):
    """What to measure, and what to set beside it."""

    model: Path
    data: tuple[Path, ...]
    runtime: str = "openvino"
    precision: str = "f32"
    compared: tuple[Path, ...] = ()
    compared_models: tuple[Path, ...] = ()
    keeps_results: bool = False
    runs_strip: bool = False
    shows_pictures: bool = False
    seed: int = 0


@click.command(name="eval")
@click.option("--model", type=_PATH, default=None, help="Bundle folder; else the shipped one.")
@click.option("--data", type=_PATH, required=True, multiple=True, help="Folder with images/ and labels/; repeatable.")
@click.option("--runtime", type=click.Choice(RUNTIMES), default="openvino", show_default=True)
@click.option("--precision", type=click.Choice(PRECISIONS), default="f32", show_default=True)
@click.option("--report", type=_PATH, help="Write a page of plots (HTML, one file) there.")
@click.option("--strip", is_flag=True, help="Score the closed loop on the belt that each folder becomes.")
@click.option("--pictures", is_flag=True, help="Show the worst misses and false alarms on the page, as small crops.")
@click.option("--compare", type=_PATH, multiple=True, help="JSON of another evaluation to set beside; repeatable.")
@click.option("--compare-model", type=_PATH, multiple=True, help="Bundle to measure on the same pictures; repeatable.")
@click.option("--keep-results", is_flag=True, help="Keep results by picture in the JSON, for paired comparisons.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the resampling behind the intervals.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def evaluate(
    model: Path | None, data: tuple[Path, ...], runtime: str, precision: str, report: Path | None, strip: bool,
    pictures: bool, compare: tuple[Path, ...], compare_model: tuple[Path, ...], keep_results: bool, seed: int,
    as_json: bool,
) -> None:  # fmt: skip
    r"""Measure a model on labelled pictures.

    Mean average precision, precision and recall of each class, calibration error, confusions, purity and recovery, and
    all of it by source, camera and size of the item; with 95 % intervals from resampled pictures.

    \b
    farz eval --data ../shared/data/warp/val
    farz eval --data ../shared/data/warp/val --report report.html --strip
    farz eval --data DIR --model NEW --compare-model OLD        is the new one better, and how surely
    farz eval --data DIR --json --keep-results > champion.json  to be given to --compare later
    """
    request = Request(
        model or default_bundle_folder(), data, runtime, precision, compare, compare_model, keep_results, strip,
        pictures, seed,
    )  # fmt: skip
    say_if_unsigned(request.model)
    found, gallery = measure(request)
    if report is not None:
        from training.evaluation.report_page import write_page

        write_page(found, gallery, report)
    click.echo(msgspec.json.encode(found).decode() if as_json else evaluation_table(found))


def measure(request: Request) -> tuple[EvaluationReport, Gallery | None]:
    """Evaluate a bundle on labelled folders; the gallery is None unless pictures are asked for.

    Only classes that a folder labels exhaustively, and that occur in it, count.

    Raises:
        BundleError: if a model cannot be used.
        DataFolderError: if a folder cannot be read or labels nothing exhaustively.
        ConfigurationError: if the runtime cannot do the precision.
        BadInputError: if an evaluation to compare with cannot be read.
    """
    others = [read_other(path) for path in request.compared]
    examination = examine_bundle(request.model, request.data, request.runtime, request.precision)
    report, found = report_on(examination, _now(), request.seed)
    others += [_measured_too(model, request) for model in request.compared_models]
    names = examination.picture_names
    report = msgspec.structs.replace(
        report,
        comparisons=[set_beside(names, found.matches, other, request.seed) for other in others],
        strips=_strips(request) if request.runs_strip else {},
        picture_results=kept_matches(names, found.matches) if request.keeps_results else msgspec.UNSET,
    )
    return report, gallery_of(examination, found) if request.shows_pictures else None


def _measured_too(model: Path, request: Request) -> OtherEvaluation:
    examination = examine_bundle(model, request.data, request.runtime, request.precision)
    report, found = report_on(examination, _now(), request.seed)
    return as_other(report, examination.picture_names, found.matches)


def _strips(request: Request) -> dict[str, dict[str, Any]]:
    return {
        source_of(folder): strip_score(request.model, folder, request.runtime, request.precision)
        for folder in request.data
    }


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
