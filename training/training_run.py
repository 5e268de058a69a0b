"""One training run from folders to bundle; the steps themselves are modules of their own.

One of the few modules that lead to torch; it is imported inside `train_bundle`, so that `farz --help` stays quick.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from sorter.errors import BadInputError
from sorter.model.materials import CLASS_NAMES
from sorter.runtime.bundle import Bundle
from sorter.runtime.clock import SystemClock
from sorter.runtime.labelled_folder import LabelledFolder, read_labelled_folder
from training.data.datasets import TrainingSet, load_scene, load_training_set, read_folders, split_by_capture
from training.evaluation.evaluate import Figures, detect_by, detect_folder, figures_of, judged_classes
from training.evaluation.model_under_test import open_model
from training.release.bundle_writer import Identity, write_bundle
from training.release.held_out import HeldOut, calibrate_bundle, with_test_figures
from training.release.model_card import write_card
from training.synthesis.mixture import Mixture, Recipe, fill_stock
from training.synthesis.scene import Scene
from vision.sprites.artist import CutoutSprites, DrawnSprites, SpriteArtist

_LOG = logging.getLogger(__name__)
LICENCE = "AGPL-3.0-or-later"
_HELD_OUT_RATIO = 0.1
_HELD_OUT_BELTS = 120
_HELD_OUT_ITEMS_PER_CLASS = 60
_HELD_OUT_SEED_SHIFT = 1_000_003


class Inputs(msgspec.Struct, frozen=True):
    """What a run learns from and is measured on."""

    data: tuple[Path, ...]
    weights: Path | None = None
    cutouts: Path | None = None
    cutout_classes: Path | None = None
    test: Path | None = None
    data_notes: Path | None = None


class RunSettings(msgspec.Struct, frozen=True):
    """Where a run writes and how long it takes."""

    bundle_folder: Path
    run_folder: Path
    epoch_count: int
    pictures_per_epoch: int
    size_px: int
    version: str
    peak_rate_ratio: float = 0.001
    small_epoch_ratio: float = 0.6
    belt_ratio: float = 0.2


class Prepared(msgspec.Struct, frozen=True):
    """Pictures to learn from, pictures kept out, and what the data sheet says of both."""

    mixture: Mixture
    held_out: HeldOut
    data_sheet: tuple[str, ...]


def train_bundle(inputs: Inputs, settings: RunSettings, seed: int, *, resume: bool) -> Bundle:
    """Fine-tune, export, calibrate and measure; return the finished bundle.

    Raises:
        DataFolderError: if a folder cannot be read.
        BadInputError: if the first weights do not fit or there is no run to take up.
        ExportError: if the exported network differs from the trained one.
    """
    from training.release.export import export_onnx

    tuning = _fine_tuning(inputs, settings, resume=resume)
    prepared = prepare(inputs, settings, seed)
    for loss in tuning.run(prepared.mixture):
        _LOG.info("epoch %d of %d: loss %.3f", tuning.epoch, settings.epoch_count, loss)
    onnx_path = settings.run_folder / "network.onnx"
    export_onnx(tuning.average.network, onnx_path, settings.size_px)
    identity = Identity(settings.bundle_folder.name, settings.version, LICENCE)
    bundle = write_bundle(settings.bundle_folder, onnx_path, identity, CLASS_NAMES, settings.size_px)
    bundle = calibrate_bundle(bundle, prepared.held_out, prepared.data_sheet)
    test = None if inputs.test is None else test_figures(bundle, inputs.test)
    bundle = bundle if test is None else with_test_figures(bundle, test)
    write_card(bundle, test)
    return bundle


def prepare(inputs: Inputs, settings: RunSettings, seed: int) -> Prepared:
    """Read the folders, keep some captures and belts out, and stock the mixture."""
    recipe, size_px = Recipe(belt_ratio=settings.belt_ratio), settings.size_px
    parts = [split_by_capture(folder, _HELD_OUT_RATIO, seed) for folder in read_folders(inputs.data, CLASS_NAMES)]
    sets = [load_training_set(kept, CLASS_NAMES, size_px) for kept, _ in parts]
    drawn = DrawnSprites()
    stock = fill_stock(sets, [drawn, *_cutout_artists(inputs)], CLASS_NAMES, recipe, size_px, seed)
    other_seed = seed + _HELD_OUT_SEED_SHIFT
    belts_alone = Recipe(belt_ratio=1.0, belt_count=4, drawn_per_class=_HELD_OUT_ITEMS_PER_CLASS)
    other_stock = fill_stock((), [drawn], CLASS_NAMES, belts_alone, size_px, other_seed)
    belts = Mixture((), other_stock, belts_alone, size_px, other_seed)
    held_out = HeldOut(
        tuple(scene for _, kept_out in parts for scene in _scenes(kept_out, size_px)),
        tuple(belts.scene(index) for index in range(_HELD_OUT_BELTS)),
    )
    return Prepared(Mixture(sets, stock, recipe, size_px, seed), held_out, _data_sheet(inputs, sets, parts))


def test_figures(bundle: Bundle, test: Path) -> Figures:
    """Figures of a bundle on a folder that nothing else has looked at."""
    folder = read_labelled_folder(test, bundle.manifest.classes)
    results, _ = detect_folder(folder, detect_by(open_model(bundle.folder)), SystemClock())
    return figures_of(results, judged_classes(folder, bundle.manifest.classes), bundle.manifest.calibration)


def _fine_tuning(inputs: Inputs, settings: RunSettings, *, resume: bool) -> Any:
    from training.fitting.fine_tune import FineTuning, Schedule
    from training.fitting.network import build_network, load_first_weights

    network = build_network(len(CLASS_NAMES))
    if inputs.weights is not None:
        load_first_weights(network, inputs.weights)
    schedule = Schedule(
        settings.epoch_count,
        settings.pictures_per_epoch,
        peak_rate_ratio=settings.peak_rate_ratio,
        small_epoch_ratio=settings.small_epoch_ratio,
    )
    tuning = FineTuning(network, schedule, settings.run_folder)
    if resume:
        tuning.resume()
    return tuning


def _cutout_artists(inputs: Inputs) -> list[SpriteArtist]:
    if inputs.cutouts is None:
        return []
    if inputs.cutout_classes is None:
        return [CutoutSprites(inputs.cutouts)]
    try:
        classes = msgspec.toml.decode(inputs.cutout_classes.read_bytes(), type=dict[str, str])
    except (OSError, msgspec.DecodeError) as error:
        raise BadInputError(f"--cutout-classes {inputs.cutout_classes}: {error}") from error
    unknown = sorted(set(classes.values()) - set(CLASS_NAMES))
    if unknown:
        raise BadInputError(f"--cutout-classes {inputs.cutout_classes}: {unknown[0]!r} is none of {list(CLASS_NAMES)}")
    return [CutoutSprites(inputs.cutouts, classes)]


def _scenes(folder: LabelledFolder, size_px: int) -> list[Scene]:
    known = np.isin(CLASS_NAMES, folder.complete_for)
    return [load_scene(picture, known, size_px) for picture in folder.pictures]


def _data_sheet(
    inputs: Inputs, sets: Sequence[TrainingSet], parts: Sequence[tuple[LabelledFolder, LabelledFolder]]
) -> tuple[str, ...]:
    notes = [] if inputs.data_notes is None else inputs.data_notes.read_text(encoding="utf-8").splitlines()
    counts = [
        f"{Path(one.name).parent.name}/{Path(one.name).name}: {len(one.scenes)} pictures to learn from, "
        f"{len(kept_out.pictures)} kept out for calibration"
        for one, (_, kept_out) in zip(sets, parts, strict=True)
    ]
    drawn = "program's own drawings of items and belts, seeded" + (", and cut-outs" if inputs.cutouts else "")
    return (*counts, drawn, *(line for line in notes if line.strip()))
