"""A training run from folders to bundle, in two stages that can be repeated: fit, and finish.

What torch does is imported inside the functions that need it, so that `farz --help` stays quick.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from sorter.errors import BadInputError
from sorter.model.materials import CLASS_NAMES
from sorter.runtime.bundle import Bundle, load_bundle
from sorter.runtime.clock import SystemClock
from sorter.runtime.labelled_folder import read_labelled_folder
from training.evaluation.average_precision import match_class, mean_average_precision
from training.evaluation.evaluate import Figures, detect_by, detect_folder, figures_of, judged_classes
from training.evaluation.model_under_test import open_model
from training.input_size import InputSize
from training.preparation import data_sheet, held_out_pictures, held_out_scenes, prepared_mixture
from training.release.bundle_writer import Identity, write_bundle
from training.release.held_out import calibrate_bundle, results_of, with_test_figures
from training.release.model_card import write_card
from training.run_record import EpochRecord, RunRecord, WorkMeter, new_record, read_record, write_record
from training.run_settings import CHECKPOINT_NAME, TrainingPlan, read_plan, write_plan
from training.synthesis.mixture import Mixture
from training.synthesis.scene import Scene

_LOG = logging.getLogger(__name__)
LICENCE = "AGPL-3.0-or-later"
CURVES_NAME = "curves.svg"
ONNX_NAME = "network.onnx"
# enough for the statistics of every layer; the first steps of training make them exact
_PICTURES_TO_START = 64


def fit(plan: TrainingPlan, run_folder: Path, *, resume: bool) -> RunRecord:
    """Fit the network; the run folder then holds plan, checkpoint, record and curves.

    Args:
        plan: what to learn from and how.
        run_folder: made if missing; a finished or interrupted run in it is only touched when resumed.
        resume: take up the run's last checkpoint.

    Raises:
        DataFolderError: if a folder cannot be read.
        BadInputError: if the plan cannot be followed, or there is a run already, or none to take up.
    """
    from training.fitting.devices import learn_on, places

    where = places(plan.settings.device)
    _check_run_folder(run_folder, resume=resume)
    mixture, watched = prepared_mixture(plan), held_out_pictures(plan, plan.settings.size.side_px)
    write_plan(run_folder, plan)
    record = (read_record(run_folder) if resume else None) or new_record(
        plan.settings.architecture, plan.inputs.recorded
    )
    learn_on(where, lambda place: _learn(plan, run_folder, mixture, watched, record, place, resume=resume))
    return read_record(run_folder) or record


def finish(run_folder: Path, bundle_folder: Path, version: str) -> Bundle:
    """Export the fitted network, calibrate and measure it, and write the bundle with its card.

    Raises:
        DataFolderError: if a folder cannot be read.
        BadInputError: if the run folder holds no fitted network.
        ExportError: if the exported network differs from the fitted one.
    """
    from training.release.export import export_onnx, trained_network

    plan, record = read_plan(run_folder), read_record(run_folder)
    network = trained_network(run_folder)
    onnx_path = run_folder / ONNX_NAME
    size, mirrored_view = plan.settings.size, plan.settings.mirrored_view
    export_onnx(network, onnx_path, size, mirrored_view=mirrored_view)
    identity = Identity(bundle_folder.name, version, LICENCE)
    bundle = write_bundle(bundle_folder, onnx_path, identity, CLASS_NAMES, size, mirrored_view=mirrored_view)
    bundle = calibrate_bundle(bundle, held_out_scenes(plan), data_sheet(plan))
    test = None if plan.inputs.test is None else test_figures(bundle, plan.inputs.test)
    bundle = bundle if test is None else with_test_figures(bundle, test)
    write_card(bundle, test, record)
    if record is not None:
        write_record(run_folder, msgspec.structs.replace(record, figures=dict(bundle.manifest.metrics)))
    return bundle


def test_figures(bundle: Bundle, test: Path) -> Figures:
    """Figures of a bundle on a folder that nothing else has looked at."""
    folder = read_labelled_folder(test, bundle.manifest.classes)
    results, _ = detect_folder(folder, detect_by(open_model(bundle.folder)), SystemClock())
    return figures_of(results, judged_classes(folder, bundle.manifest.classes), bundle.manifest.calibration)


def _check_run_folder(run_folder: Path, *, resume: bool) -> None:
    has_run = (run_folder / CHECKPOINT_NAME).is_file()
    if has_run and not resume:
        raise BadInputError(f"--run {run_folder}: there is a run already; take it up with --resume, or name another")
    if resume and not has_run:
        raise BadInputError(f"--resume: no {CHECKPOINT_NAME} in {run_folder}; start the run without it")


def _learn(
    plan: TrainingPlan, run_folder: Path, mixture: Mixture, watched: tuple[Scene, ...], record: RunRecord, place: Any,
    *, resume: bool,
) -> None:  # fmt: skip
    """Fit in one process; the first keeps the record and draws the curves."""
    from training.fitting.curves import draw_curves

    tuning = _fine_tuning(plan, run_folder, place, None if resume else mixture)
    if resume:
        tuning.resume()
    meter = WorkMeter(SystemClock(), plan.settings.watts_per_core)
    epochs = list(record.epochs[: tuning.epoch])
    for epoch in tuning.run(mixture, SystemClock(), _watch(watched, place.device, plan.settings.size)):
        if not place.is_first:
            continue
        figure = "" if epoch.held_out_ratio is None else f", mAP50 {epoch.held_out_ratio:.3f} on pictures kept out"
        _LOG.info("epoch %d of %d: loss %.3f%s", epoch.number, plan.settings.epoch_count, epoch.loss, figure)
        epochs.append(EpochRecord(epoch.number, epoch.loss, epoch.rate_ratio, epoch.held_out_ratio, epoch.seconds))
        now = msgspec.structs.replace(record, epochs=tuple(epochs), fit=meter.work(record.fit))
        write_record(run_folder, now)
        draw_curves(epochs, run_folder / CURVES_NAME)


def _fine_tuning(plan: TrainingPlan, run_folder: Path, place: Any, start_on: Mixture | None) -> Any:
    """The run as it begins, from the plan's weights; without pictures to start on, with weights to be replaced."""
    import torch

    from training.fitting.early_stop import EarlyStop
    from training.fitting.fine_tune import FineTuning, Schedule
    from training.fitting.network import build_network, freeze

    settings = plan.settings
    torch.manual_seed(settings.seed)
    network = build_network(len(CLASS_NAMES), settings.architecture)
    if plan.inputs.weights is not None and start_on is not None:
        _start_from(network, plan.inputs.weights, start_on, settings.size)
    freeze(network, settings.frozen_layer_count)
    schedule = Schedule(
        settings.epoch_count,
        settings.pictures_per_epoch,
        peak_rate_ratio=settings.peak_rate_ratio,
        small_epoch_ratio=settings.small_epoch_ratio,
    )
    stop = EarlyStop(settings.patience_epochs)
    return FineTuning(network, schedule, run_folder, settings.size, place=place, stop=stop)


def _start_from(network: Any, weights: Path, mixture: Mixture, size: InputSize) -> None:
    """Load a state dictionary, or what a bundle has learned."""
    from training.fitting.bundle_weights import load_bundle_weights
    from training.fitting.network import as_input, load_first_weights, resized

    if not weights.is_dir():
        count = load_first_weights(network, weights)
        _LOG.info("%d of %d tensors start from %s", count, len(network.state_dict()), weights.name)
        return
    bundle = load_bundle(weights)
    if bundle.manifest.classes != CLASS_NAMES:
        raise BadInputError(f"--weights {weights}: that bundle is of other classes, in another order")
    pictures = np.stack([mixture.scene(index).picture for index in range(_PICTURES_TO_START)])
    count = load_bundle_weights(network, bundle, resized(as_input(pictures), size))
    _LOG.info("%d tensors go on from %s", count, bundle.model_id)


def _watch(scenes: tuple[Scene, ...], device: str, size: InputSize) -> Callable[[Any], float] | None:
    """mAP50 on pictures kept out, over the classes labelled there; None when nothing is labelled there."""
    from training.fitting.network_detector import detect_with

    present = sorted({int(class_id) for scene in scenes for class_id in scene.class_ids})
    if not present:
        return None

    def figure(network: Any) -> float:
        results = results_of(scenes, detect_with(network, device, size), "pictures kept out")
        matches = [match_class(results, class_id) for class_id in present]
        return mean_average_precision(matches, np.ones(len(scenes), dtype=np.int64))[0]

    return figure
