"""`farz train reference`: a plain Ultralytics model measured just as `farz eval` measures a bundle."""

from datetime import datetime, timezone
from pathlib import Path

import click
import msgspec

from training.evaluation.evaluation_table import evaluation_table

_PATH = click.Path(path_type=Path)


@click.command(name="reference")
@click.option("--weights", type=_PATH, required=True, help="Model of `yolo train` (.pt), or its export (.onnx).")
@click.option("--data", type=_PATH, required=True, multiple=True, help="Folder with images/ and labels/; repeatable.")
@click.option(
    "--size-px", type=click.IntRange(min=32), help="Side of the pictures it is given; else as it was trained."
)
@click.option("--report", type=_PATH, help="Write a page of plots (HTML, one file) there.")
@click.option("--as-line", is_flag=True, help="Thin its boxes as the line does: one name an item, not one a class.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the resampling behind the intervals.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, with results by picture.")
def reference(
    weights: Path, data: tuple[Path, ...], size_px: int | None, report: Path | None, as_line: bool, seed: int,
    as_json: bool,
) -> None:  # fmt: skip
    r"""Measure a plain Ultralytics model, to set it beside a bundle.

    Its classes are material classes by name, or what each folder's class_map.toml makes of them. Opening a .pt file
    runs what is pickled in it: give only files that you trust. To compare networks rather than ways of thinning
    boxes, use --as-line: average precision rewards the second names that Ultralytics keeps and a line cannot use.

    \b
    farz train reference --weights best.pt --data ../shared/data/warp/val --json > plain.json
    farz eval --data ../shared/data/warp/val --compare plain.json --report report.html
    """
    from training.evaluation.reference import evaluate_ultralytics

    measured_at = datetime.now(timezone.utc).isoformat(timespec="seconds")
    found = evaluate_ultralytics(weights, data, measured_at, size_px, seed, thins_as_line=as_line)
    if report is not None:
        from training.evaluation.report_page import write_page

        write_page(found, None, report)
    click.echo(msgspec.json.encode(found).decode() if as_json else evaluation_table(found))
