"""`farz train quantise`: smaller, faster forms of a bundle's network, written only if they lose little enough."""

import sys
from pathlib import Path

import click
import msgspec

from sorter.runtime.bundle import MANIFEST_NAME, load_bundle
from sorter.runtime.bundle_trust import SIGNATURE_SUFFIX
from sorter.runtime.clock import SystemClock
from training.release.quantise_limits import Limits

_PATH = click.Path(path_type=Path)
_USUAL_FORMS = ("openvino-int8", "onnx-qdq")
_FORMS = (*_USUAL_FORMS, "onnx-f16")
_NOT_ACCEPTED_EXIT_CODE = 1


@click.command(name="quantise")
@click.argument("bundle", type=_PATH)
@click.option("--data", multiple=True, required=True, type=_PATH, help="Labelled folder that the model learned from.")
@click.option("--validate", type=_PATH, help="Labelled folder to measure on; else captures kept out of --data.")
@click.option(
    "--form", "forms", multiple=True, type=click.Choice(_FORMS), help="Make this form only; else the first two."
)
@click.option("--max-drop", type=click.FloatRange(0, 1), default=0.01, show_default=True, help="Largest loss of mAP50.")
@click.option(
    "--max-class-drop",
    type=click.FloatRange(0, 1),
    default=0.03,
    show_default=True,
    help="Largest loss of AP50 of a class with ten labels or more.",
)
@click.option("--pictures", type=click.IntRange(1, 2000), default=200, show_default=True, help="To calibrate with.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Which pictures those are.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
def quantise(
    bundle: Path, data: tuple[Path, ...], validate: Path | None, forms: tuple[str, ...], max_drop: float,
    max_class_drop: float, pictures: int, seed: int, as_json: bool,
) -> None:  # fmt: skip
    r"""Add forms in smaller numbers to a model bundle, and measure what they lose.

    \b
    openvino-int8   for x86 and Arm processors: detector.precision = "int8"
    onnx-qdq        Q/DQ ONNX, laid out for TensorRT; checked against its rules and in ONNX Runtime, not in TensorRT
    onnx-f16        16-bit floats in the graph, for TensorRT from version 11 on: detector.precision = "f16"

    Box decoding and stem stay in floats; further layers are given theirs back until the loss is within the limits. A
    form that stays beyond them is not written, and the exit code is 1. What everything is measured against is true
    float32, and the speeds are medians of forms taking turns on the same pictures, on this machine.

    The manifest changes: a bundle that was signed must be signed again.

    \b
    farz train quantise models/site --data data/site --validate data/site-test
    """
    # NNCF and OpenVINO take seconds to load; the help does not need them.
    from training.release.quantise_pictures import read_quantisation_set
    from training.release.quantise_run import quantise_bundle
    from training.release.quantise_table import quantisation_table

    opened = load_bundle(bundle)
    chosen = read_quantisation_set(opened, data, validate, pictures, seed)
    limits = Limits(max_drop, max_class_drop)
    report = quantise_bundle(opened, chosen, forms or _USUAL_FORMS, limits, SystemClock())
    click.echo(msgspec.json.encode(report).decode() if as_json else quantisation_table(report))
    if report.is_written and (bundle / f"{MANIFEST_NAME}{SIGNATURE_SUFFIX}").is_file():
        click.echo(f"{bundle}: its signature was made for the manifest before this; sign it again", err=True)
    if not report.is_complete:
        sys.exit(_NOT_ACCEPTED_EXIT_CODE)
