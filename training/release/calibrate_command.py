"""`farz train calibrate`: fit an existing bundle's probabilities to a site, without teaching the network anything."""

from pathlib import Path

import click
import numpy as np

from sorter.errors import DataFolderError
from sorter.runtime.bundle import Bundle, load_bundle
from sorter.runtime.clock import SystemClock
from sorter.runtime.labelled_folder import read_labelled_folder
from training.evaluation.average_precision import PictureResult, match_class
from training.evaluation.evaluate import detect_by, detect_folder
from training.evaluation.model_under_test import open_model
from training.release.bundle_writer import with_measurements
from training.release.calibrate import fit_calibrations, operating_curve
from training.release.held_out import expected_calibration_error, of_classes

_PATH = click.Path(path_type=Path)
_MARK = "calibrated on"


@click.command(name="calibrate")
@click.argument("bundle", type=_PATH)
@click.option("--data", multiple=True, required=True, type=_PATH, help="Labelled folder that training has not seen.")
def calibrate(bundle: Path, data: tuple[Path, ...]) -> None:
    """Fit the probabilities and operating curves of BUNDLE to labelled pictures, and write them into it.

    The network stays as it is: only what its scores mean is learned, for which some dozens of pictures are enough.
    A signature no longer holds afterwards; sign again with `farz bundle sign`.
    """
    written = calibrated_on(load_bundle(bundle), data)
    metrics = written.manifest.metrics
    before, after = metrics["site_ece_before"], metrics["site_ece"]
    click.echo(f"{written.model_id}: calibration error {before:.3f} before, {after:.3f} after, on these pictures")


def calibrated_on(bundle: Bundle, data: tuple[Path, ...]) -> Bundle:
    """The bundle with calibration and operating curves of these folders, written back.

    Classes that nothing is labelled of keep theirs.

    Raises:
        DataFolderError: if a folder cannot be read or nothing is labelled there.
        BundleError: if the bundle cannot be used.
    """
    manifest = bundle.manifest
    results = _results(bundle, data)
    by_class = {name: match_class(results, index) for index, name in enumerate(manifest.classes)}
    labelled = {name: matches for name, matches in by_class.items() if matches.label_counts.sum()}
    if not labelled:
        raise DataFolderError(f"{data[0]}: nothing is labelled there, so there is nothing to calibrate on")
    fitted = fit_calibrations(labelled, labelled)
    metrics = manifest.metrics | {
        "site_ece_before": round(expected_calibration_error(labelled, manifest.calibration), 4),
        "site_ece": round(expected_calibration_error(labelled, fitted), 4),
    }
    curves = {name: operating_curve(matches, fitted[name]) for name, matches in labelled.items()}
    names = ", ".join(f"{path.resolve().parent.name}/{path.resolve().name}" for path in data)
    kept = [line for line in manifest.data_sheet if not line.startswith(_MARK)]
    sheet = [*kept, f"{_MARK} {names}, {len(results)} pictures"]
    return with_measurements(
        bundle, {**manifest.calibration, **fitted}, {**manifest.operating_curve, **curves}, metrics, sheet
    )


def _results(bundle: Bundle, data: tuple[Path, ...]) -> list[PictureResult]:
    detect, classes = detect_by(open_model(bundle.folder)), bundle.manifest.classes
    results = []
    for path in data:
        folder = read_labelled_folder(path, classes)
        known = np.isin(classes, folder.complete_for)
        found, _ = detect_folder(folder, detect, SystemClock())
        results += [of_classes(result, known) for result in found]
    return results
