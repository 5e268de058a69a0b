"""Giving a bundle a second look, in two stages: teach the network, then finish a bundle that has it.

What torch does is imported inside the functions that need it, so that `farz --help` stays quick.
"""

import logging
import shutil
from pathlib import Path

import msgspec

from sorter.errors import BadInputError
from sorter.model.materials import CLASS_NAMES
from sorter.runtime.bundle import Bundle, Network, SecondLook, file_sha256, load_bundle
from sorter.runtime.clock import SystemClock
from sorter.runtime.labelled_folder import LabelledFolder
from training.data.datasets import read_folders, split_by_capture
from training.data.whole_folder import whole_folder
from training.evaluation.evaluate import Detect, detect_by
from training.evaluation.model_under_test import open_model
from training.input_size import InputSize
from training.naming.lot import ItemLot
from training.naming.patches import Patch, found_patches, labelled_patches, scene_patches
from training.naming.second_look_plan import SecondLookPlan, write_plan
from training.naming.teaching_settings import CHECKPOINT_NAME
from training.preparation import drawn_scenes, held_out_scenes
from training.release.bundle_writer import with_second_look
from training.release.held_out import calibrate_bundle, with_test_figures
from training.release.model_card import write_card
from training.run_record import EpochRecord, WorkMeter, new_record, read_record, write_record
from training.run_settings import RunSettings, TrainingPlan
from training.training_run import test_figures

_LOG = logging.getLogger(__name__)
ONNX_NAME = "second-look.onnx"
_SHEET_MARK = "second look: "
_DRAWN_SCENES = 150


def teach(plan: SecondLookPlan, run_folder: Path, *, resume: bool) -> Path:
    """Teach the network; the run folder then holds checkpoint, record and ONNX file, whose path is returned.

    Raises:
        DataFolderError: if a folder cannot be read.
        BadInputError: if the bundle is of other classes, nothing is labelled, or there is a run already.
    """
    import torch

    from training.fitting.devices import places
    from training.naming.names_export import export_names
    from training.naming.names_network import ARCHITECTURE, build_names_network
    from training.naming.teaching import Teaching

    _check_run_folder(run_folder, resume=resume)
    write_plan(run_folder, plan)
    bundle = _bundle_of(plan)
    device = places(plan.device)[0].device
    torch.manual_seed(plan.seed)
    network = build_names_network(len(CLASS_NAMES), plan.inputs.weights)
    lot = ItemLot(_pools(plan, bundle), len(CLASS_NAMES), plan.taught_side_px, plan.framing, plan.seed)
    teaching = Teaching(network, plan.lessons, run_folder, device=device)
    record = (read_record(run_folder) if resume else None) or new_record(ARCHITECTURE, plan.inputs.recorded)
    if resume:
        teaching.resume()
    meter, epochs = WorkMeter(SystemClock(), plan.watts_per_core), list(record.epochs[: teaching.epoch])
    for epoch in teaching.run(lot, SystemClock()):
        _LOG.info(
            "second look, epoch %d of %d: loss %.3f, %.0f %% of examples named rightly",
            epoch.number, plan.lessons.epoch_count, epoch.loss, 100 * epoch.right_ratio,
        )  # fmt: skip
        epochs.append(EpochRecord(epoch.number, epoch.loss, plan.lessons.peak_rate_ratio, None, epoch.seconds))
        write_record(run_folder, msgspec.structs.replace(record, epochs=tuple(epochs), fit=meter.work(record.fit)))
    export_names(teaching.average.network.to("cpu"), run_folder / ONNX_NAME, plan.side_px)
    return run_folder / ONNX_NAME


def finish(plan: SecondLookPlan, run_folder: Path, out: Path, version: str) -> Bundle:
    """Write a bundle that is the plan's with the taught second look, calibrated and measured anew, with its card.

    Raises:
        DataFolderError: if `out` is there already, or a folder cannot be read.
    """
    onnx_path, name = run_folder / ONNX_NAME, out.resolve().name
    with whole_folder(out) as part:
        shutil.copytree(_bundle_of(plan).folder, part, dirs_exist_ok=True)
        bundle = with_second_look(load_bundle(part), onnx_path, _second_look(plan, onnx_path, name), name, version)
        bundle = calibrate_bundle(bundle, held_out_scenes(_as_training_plan(plan, bundle)), _sheet(plan, bundle))
        test = None if plan.inputs.test is None else test_figures(bundle, plan.inputs.test)
        bundle = bundle if test is None else with_test_figures(bundle, test)
        write_card(bundle, test, second_look=read_record(run_folder))
    return load_bundle(out)


def _second_look(plan: SecondLookPlan, onnx_path: Path, name: str) -> SecondLook:
    return SecondLook(
        f"{name}-second-look.onnx", file_sha256(onnx_path), plan.side_px, plan.framing.margin_ratio,
        own_name_ratio=plan.own_name_ratio, certainty_ratio=plan.certainty_ratio,
        squaring_ratio=plan.framing.squaring_ratio, surroundings_ratio=plan.framing.surroundings_ratio,
    )  # fmt: skip


def _bundle_of(plan: SecondLookPlan) -> Bundle:
    bundle = load_bundle(plan.bundle)
    if bundle.manifest.classes != CLASS_NAMES:
        raise BadInputError(f"bundle {bundle.folder}: it is of other classes than the default recipe's")
    return bundle


def _pools(plan: SecondLookPlan, bundle: Bundle) -> list[tuple[float, list[Patch]]]:
    """Real labelled items, what the bundle finds, and drawn items, each with its share."""
    network = bundle.manifest.network
    folders = [
        split_by_capture(folder, plan.held_out_ratio)[0] for folder in read_folders(plan.inputs.data, CLASS_NAMES)
    ]
    real = [patch for folder in folders for patch in labelled_patches(folder, network)]
    if not real:
        raise BadInputError(f"--data {plan.inputs.data[0]}: no item is labelled there, so there is nothing to learn")
    first_network = open_model(bundle.folder, second_look=False)
    found = _found(folders, detect_by(first_network), network)
    drawn = scene_patches(drawn_scenes(_as_training_plan(plan, bundle), _DRAWN_SCENES), network)
    shares = plan.shares
    return [
        (1.0 - shares.found_ratio - shares.drawn_ratio, real),
        (shares.found_ratio, found),
        (shares.drawn_ratio, drawn),
    ]


def _found(folders: list[LabelledFolder], detect: Detect, network: Network) -> list[Patch]:
    """Only where most classes are labelled exhaustively is a box without a label likely to be a mistake."""
    most = max(len(folder.complete_for) for folder in folders)
    exhaustive = [folder for folder in folders if len(folder.complete_for) == most]
    return [patch for one in exhaustive for patch in found_patches(one, detect, len(CLASS_NAMES), network)]


def _as_training_plan(plan: SecondLookPlan, bundle: Bundle) -> TrainingPlan:
    """The plan by which the same pictures are kept out as when the bundle was trained."""
    network = bundle.manifest.network
    size = InputSize(network.input_width_px, network.input_height_px)
    settings = RunSettings(0, 0, size, held_out_ratio=plan.held_out_ratio, seed=plan.seed)
    return TrainingPlan(plan.inputs, settings)


def _sheet(plan: SecondLookPlan, bundle: Bundle) -> list[str]:
    kept = [line for line in bundle.manifest.data_sheet if not line.startswith(_SHEET_MARK)]
    names = ", ".join(f"{path.resolve().parent.name}/{path.resolve().name}" for path in plan.inputs.data)
    return [
        *kept,
        f"{_SHEET_MARK}labelled items of {names} without the pictures kept out, and the program's own drawings",
        f"{_SHEET_MARK}first weights EfficientNet-Lite2 trained on ImageNet (TensorFlow TPU models, Apache-2.0)",
    ]


def _check_run_folder(run_folder: Path, *, resume: bool) -> None:
    if (run_folder / CHECKPOINT_NAME).is_file() and not resume:
        raise BadInputError(f"--run {run_folder}: there is a run already; take it up with --resume, or name another")
