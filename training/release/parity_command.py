"""`farz train parity`: whether all forms of a bundle's network see the same, on real pictures."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec
import numpy as np

from sorter.model.settings import DetectorSettings
from sorter.runtime.bundle import (
    ONNX_F16_FORM,
    ONNX_QDQ_FORM,
    OPENVINO_INT8_FORM,
    Bundle,
    ClassCalibration,
    load_bundle,
)
from sorter.runtime.labelled_folder import LabelledPicture, read_labelled_folder
from training.evaluation.evaluate import OPERATING_PROBABILITY, detect_by
from training.progress import progress
from training.release.parity import TOLERANCES, Difference, Pairs, Seen, difference_of, pairs_of, seen_in
from training.synthesis.pixels import Picture, read_picture
from vision.detectors import Detector
from vision.detectors.forms import MAIN_FORM, form_named

_PATH = click.Path(path_type=Path)
_EXCESS_EXIT_CODE = 1
# Partners may be fainter than what counts as sure, but not faint enough to be chance.
_FAINTEST_SCORE = 0.05


class ParityRow(msgspec.Struct, frozen=True):
    """One form on one runtime against the reference; `precision` is what the runtime really calculates in."""

    form: str
    runtime: str
    precision: str
    difference: Difference


class ParityReport(msgspec.Struct, frozen=True):
    """What `farz train parity` prints."""

    model_id: str
    reference: str
    data: str
    picture_count: int
    operating_probability: float
    rows: tuple[ParityRow, ...]

    @property
    def is_within(self) -> bool:
        """Whether every form is within its tolerance."""
        return not any(row.difference.excess for row in self.rows)


@click.command(name="parity")
@click.argument("bundle", type=_PATH)
@click.option("--data", required=True, type=_PATH, help="Labelled folder; its pictures are used, its labels are not.")
@click.option("--pictures", type=click.IntRange(min=1), default=200, show_default=True, help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
def parity(bundle: Path, data: Path, pictures: int, as_json: bool) -> None:
    r"""Compare all forms of a bundle's network, on every runtime that is here, picture by picture.

    The reference is ONNX Runtime in true float32. Sure detections (a calibrated probability of 0.5 or more) are matched
    by overlap; the differences of matched boxes and of their probabilities, and the share of sure detections that only
    one of the two has found, are held against a tolerance for the numbers that the form really calculates in. The exit
    code is 1 if one is above.

    \b
    farz train parity models/site --data data/site-test
    """
    report = measure_parity(load_bundle(bundle), data, pictures)
    click.echo(msgspec.json.encode(report).decode() if as_json else parity_table(report))
    if not report.is_within:
        sys.exit(_EXCESS_EXIT_CODE)


def measure_parity(bundle: Bundle, data: Path, most_pictures: int) -> ParityReport:
    """Run every form on the same pictures.

    Raises:
        DataFolderError: if the folder cannot be read.
        BundleError: if a form cannot be run.
    """
    labelled = read_labelled_folder(data, bundle.manifest.classes).pictures
    chosen = labelled[:: max(1, -(-len(labelled) // most_pictures))]
    reference, others = reference_detector(bundle), other_detectors(bundle)
    pairs = _compare(bundle, reference, [detector for _, detector in others], chosen)
    rows = tuple(
        ParityRow(
            form, detector.runtime, detector.precision,
            difference_of(found, bundle.manifest.classes, TOLERANCES[detector.precision]),
        )
        for (form, detector), found in zip(others, pairs, strict=True)
    )  # fmt: skip
    name = f"{MAIN_FORM}, {reference.runtime} {reference.precision}"
    return ParityReport(bundle.model_id, name, str(data), len(chosen), OPERATING_PROBABILITY, rows)


def reference_detector(bundle: Bundle) -> Detector:
    """The network itself on ONNX Runtime, which calculates in float32 alone."""
    from vision.detectors.onnxruntime_detector import OnnxRuntimeDetector

    settings = DetectorSettings(runtime="onnxruntime", score_threshold=_FAINTEST_SCORE)
    return OnnxRuntimeDetector(bundle, settings, form_named(bundle, MAIN_FORM))


def other_detectors(bundle: Bundle) -> list[tuple[str, Detector]]:
    """Every other way to run the bundle here: the network in f32, in bf16 if this machine can, and its INT8 forms."""
    from vision.detectors.onnxruntime_detector import OnnxRuntimeDetector
    from vision.detectors.openvino_detector import OpenVinoDetector
    from vision.detectors.openvino_network import known_precisions

    line = DetectorSettings(score_threshold=_FAINTEST_SCORE)
    half, small = (msgspec.structs.replace(line, precision=precision) for precision in ("bf16", "int8"))
    main = form_named(bundle, MAIN_FORM)
    found: list[tuple[str, Detector]] = [(MAIN_FORM, OpenVinoDetector(bundle, line, main))]
    if half.precision in known_precisions():
        found.append((MAIN_FORM, OpenVinoDetector(bundle, half, main)))
    if OPENVINO_INT8_FORM in bundle.manifest.forms:
        form = form_named(bundle, OPENVINO_INT8_FORM)
        found.append((OPENVINO_INT8_FORM, OpenVinoDetector(bundle, small, form)))
    if ONNX_QDQ_FORM in bundle.manifest.forms:
        form = form_named(bundle, ONNX_QDQ_FORM)
        found.append((ONNX_QDQ_FORM, OnnxRuntimeDetector(bundle, small, form)))
    if ONNX_F16_FORM in bundle.manifest.forms:
        form = form_named(bundle, ONNX_F16_FORM)
        found.append((ONNX_F16_FORM, OnnxRuntimeDetector(bundle, small, form)))
    return found


def parity_table(report: ParityReport) -> str:
    """The differences for people."""
    head = (
        f"{report.model_id} on {report.picture_count} pictures of {report.data}, against {report.reference}; "
        f"sure means a probability of {report.operating_probability:g} or more"
    )
    columns = (
        f"{'form':<16}{'runtime':<13}{'precision':<15}{'box px p50':>11}{'p99':>8}{'max':>8}"
        f"{'prob. p50':>11}{'p99':>8}{'max':>8}{'alone':>8}{'sure':>7}"
    )
    return "\n".join([head, columns, *(line for row in report.rows for line in _lines(row))])


def _lines(row: ParityRow) -> list[str]:
    one = row.difference
    figures = (
        f"{row.form:<16}{row.runtime:<13}{row.precision:<15}{one.box_px.p50:>11.3f}{one.box_px.p99:>8.2f}"
        f"{one.box_px.largest:>8.2f}{one.probability.p50:>11.4f}{one.probability.p99:>8.4f}"
        f"{one.probability.largest:>8.4f}{one.alone_ratio:>8.2%}{one.sure_count:>7}"
    )
    classes = ", ".join(f"{name} {spread.p99:.3f}" for name, spread in one.class_probability.items())
    verdict = "; ".join(one.excess) if one.excess else "within its tolerance"
    return [figures, f"    probability p99 by class: {classes or 'nothing was sure'}", f"    {verdict}"]


def _compare(
    bundle: Bundle, reference: Detector, others: Sequence[Detector], pictures: Sequence[LabelledPicture]
) -> list[list[Pairs]]:
    pairs: list[list[Pairs]] = [[] for _ in others]
    with progress(pictures, len(pictures), "comparing") as shown:
        for labelled in shown:
            picture = read_picture(labelled.path)
            expected = _seen(bundle, reference, picture)
            for place, detector in enumerate(others):
                pairs[place].append(pairs_of(expected, _seen(bundle, detector, picture), OPERATING_PROBABILITY))
    return pairs


def _seen(bundle: Bundle, detector: Detector, picture: Picture) -> Seen:
    manifest = bundle.manifest
    calibrations = [manifest.calibration.get(name, ClassCalibration()) for name in manifest.classes]
    slopes, offsets = (np.array([getattr(one, part) for one in calibrations]) for part in ("slope", "offset"))
    return seen_in(detect_by(detector)(picture), slopes, offsets)
