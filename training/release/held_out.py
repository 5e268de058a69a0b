"""What a trained model is worth on pictures kept out of training, and the calibration that follows from them."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from sorter.runtime.bundle import Bundle, ClassCalibration, OperatingPoint
from training.evaluation.average_precision import ClassMatches, PictureResult, every_name, match_class
from training.evaluation.evaluate import Detect, Figures, detect_by, figures_of, outcomes_of, picture_result
from training.evaluation.model_under_test import open_model
from training.evaluation.reliability import calibration_error, pooled
from training.progress import progress
from training.release.bundle_writer import with_measurements
from training.release.calibrate import fit_calibrations, operating_curve
from training.synthesis.scene import Scene


class HeldOut(msgspec.Struct, frozen=True):
    """Scenes that training never sees: `real` of the line's own view in kept-out hours, `synthetic` of other seeds."""

    real: tuple[Scene, ...]
    synthetic: tuple[Scene, ...]


class Measurement(msgspec.Struct, frozen=True):
    """What the held-out scenes say about a model."""

    calibration: dict[str, ClassCalibration]
    curve: dict[str, list[OperatingPoint]]
    metrics: dict[str, float]


def calibrate_bundle(bundle: Bundle, held_out: HeldOut, data_sheet: Sequence[str]) -> Bundle:
    """Measure a bundle on the held-out scenes and write calibration, operating curves and figures into it."""
    detect = detect_by(open_model(bundle.folder))
    measurement = measure_held_out(held_out, detect, bundle.manifest.classes)
    return with_measurements(bundle, measurement.calibration, measurement.curve, measurement.metrics, data_sheet)


def measure_held_out(held_out: HeldOut, detect: Detect, class_names: Sequence[str]) -> Measurement:
    """Calibration and operating curves on all held-out scenes together, average precision on each kind alone."""
    real = results_of(held_out.real, detect, "held-out pictures")
    synthetic = results_of(held_out.synthetic, detect, "held-out belts")
    by_class = {name: match_class(real, index) for index, name in enumerate(class_names)}
    # On the program's own belts the likeliest name is nearly always right, however low its score: only what a class
    # scores on items of other classes tells what a low score means.
    named = [every_name(result) for result in synthetic]
    calibration = fit_calibrations(
        by_class, {name: match_class(named, index) for index, name in enumerate(class_names)}
    )
    every = {name: match_class(real + synthetic, index) for index, name in enumerate(class_names)}
    curve = {name: operating_curve(matches, calibration[name]) for name, matches in every.items()}
    metrics = {
        **_figures("held_out_real", real, class_names),
        **_figures("held_out_synthetic", synthetic, class_names),
        "held_out_real_ece_before": expected_calibration_error(by_class, {}),
        "held_out_real_ece": expected_calibration_error(by_class, calibration),
    }
    return Measurement(calibration, curve, {name: round(value, 4) for name, value in metrics.items()})


def expected_calibration_error(
    by_class: Mapping[str, ClassMatches], calibration: Mapping[str, ClassCalibration]
) -> float:
    """ECE as `evaluation.reliability` defines it, all classes together; 0 where nothing was detected."""
    likely = pooled([outcomes_of(matches, calibration.get(name)) for name, matches in by_class.items()]).likely()
    count = len(likely.probabilities)
    return calibration_error(likely, np.ones(count)) if count else 0.0


def results_of(scenes: Sequence[Scene], detect: Detect, label: str) -> list[PictureResult]:
    """Detect in scenes; detections of classes that a scene does not label exhaustively are left out."""
    results = []
    with progress(scenes, len(scenes), label) as shown:
        for scene in shown:
            result = picture_result(scene.boxes_px, scene.class_ids, detect(scene.picture))
            results.append(of_classes(result, scene.known))
    return results


def of_classes(result: PictureResult, known: NDArray[np.bool_]) -> PictureResult:
    """The result without detections of classes that the picture does not label exhaustively; `known` is (C,)."""
    judged = result.chosen(known[result.class_ids])
    probs = None if judged.class_probs is None else np.where(known, judged.class_probs, 0.0)
    return msgspec.structs.replace(judged, class_probs=probs)


def with_test_figures(bundle: Bundle, figures: Figures) -> Bundle:
    """The same bundle with the figures of a test folder beside those of the held-out scenes."""
    found = {"test_map50": figures.map50, "test_map50_95": figures.map50_95}
    metrics = dict(bundle.manifest.metrics)
    for name, one in found.items():
        metrics |= {name: one.value, f"{name}_low": one.low, f"{name}_high": one.high}
    manifest = bundle.manifest
    rounded = {name: round(value, 4) for name, value in metrics.items()}
    return with_measurements(bundle, manifest.calibration, manifest.operating_curve, rounded, manifest.data_sheet)


def _figures(prefix: str, results: Sequence[PictureResult], class_names: Sequence[str]) -> Mapping[str, float]:
    present = {int(class_id) for result in results for class_id in result.label_class_ids}
    judged = {name: index for index, name in enumerate(class_names) if index in present}
    if not judged:
        return {}
    figures = figures_of(results, judged)
    return {
        f"{prefix}_map50": figures.map50.value,
        f"{prefix}_map50_95": figures.map50_95.value,
        f"{prefix}_picture_count": float(len(results)),
        f"{prefix}_label_count": float(np.sum([one.label_count for one in figures.per_class.values()])),
    }
