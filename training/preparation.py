"""From a plan to what the network is shown and what is kept from it."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from sorter.errors import BadInputError
from sorter.model.materials import CLASS_NAMES
from sorter.runtime.labelled_folder import LabelledFolder
from training.data.datasets import load_scene, load_training_set, read_folders, split_by_capture
from training.release.held_out import HeldOut
from training.run_settings import Inputs, TrainingPlan
from training.synthesis.mixture import Mixture, Recipe, fill_stock
from training.synthesis.scene import Scene
from vision.sprites.artist import CutoutSprites, DrawnSprites, SpriteArtist

_HELD_OUT_BELTS = 120
_BELT_ITEMS_PER_CLASS = 60
_HELD_OUT_SEED_SHIFT = 1_000_003

Parts = list[tuple[LabelledFolder, LabelledFolder]]


def prepared_mixture(plan: TrainingPlan) -> Mixture:
    """Read the folders without what is kept out of them, and stock items and belts.

    Raises:
        DataFolderError: if a folder cannot be read.
        BadInputError: if the cut-out classes cannot be read or name an unknown class.
    """
    settings = plan.settings
    recipe = Recipe(belt_ratio=settings.belt_ratio, tiled_ratio=settings.tiled_ratio)
    sets = [load_training_set(kept, CLASS_NAMES, settings.size.side_px) for kept, _ in _parts(plan)]
    artists = [DrawnSprites(), *_cutout_artists(plan.inputs)]
    stock = fill_stock(sets, artists, CLASS_NAMES, recipe, settings.size.side_px, settings.seed)
    return Mixture(sets, stock, recipe, settings.size.side_px, settings.seed)


def held_out_pictures(plan: TrainingPlan, size_px: int | None) -> tuple[Scene, ...]:
    """The pictures kept out of the folders that name most classes: they are the line's own view, the others help.

    Args:
        plan: what is kept out.
        size_px: side of the square that they are stretched to; None: they stay as they are.

    Raises:
        DataFolderError: if a folder cannot be read.
    """
    kept_out = [one for _, one in _parts(plan)]
    most = max(len(one.complete_for) for one in kept_out)
    return tuple(scene for one in kept_out if len(one.complete_for) == most for scene in _scenes(one, size_px))


def held_out_scenes(plan: TrainingPlan) -> HeldOut:
    """Pictures kept out of training, as the line sees them, and belts that training does not draw.

    Raises:
        DataFolderError: if a folder cannot be read.
    """
    seed = plan.settings.seed + _HELD_OUT_SEED_SHIFT
    return HeldOut(held_out_pictures(plan, None), _belts([DrawnSprites()], plan, seed, _HELD_OUT_BELTS))


def drawn_scenes(plan: TrainingPlan, count: int) -> tuple[Scene, ...]:
    """The program's own belts with drawn items and the plan's cut-outs, to learn from.

    Raises:
        BadInputError: if the cut-out classes cannot be read or name an unknown class.
    """
    return _belts([DrawnSprites(), *_cutout_artists(plan.inputs)], plan, plan.settings.seed, count)


def data_sheet(plan: TrainingPlan) -> tuple[str, ...]:
    """What the run learned from, one line each.

    Raises:
        BadInputError: if the notes cannot be read.
    """
    counts = [
        f"{_shown(kept.folder)}: {len(kept.pictures)} pictures to learn from, {len(kept_out.pictures)} kept out for "
        "calibration"
        for kept, kept_out in _parts(plan)
    ]
    drawn = "program's own drawings of items and belts, seeded" + (", and cut-outs" if plan.inputs.cutouts else "")
    return (*counts, drawn, *_notes(plan.inputs.data_notes))


def _belts(artists: Sequence[SpriteArtist], plan: TrainingPlan, seed: int, count: int) -> tuple[Scene, ...]:
    size_px = plan.settings.size.side_px
    recipe = Recipe(belt_ratio=1.0, belt_count=4, drawn_per_class=_BELT_ITEMS_PER_CLASS)
    stock = fill_stock((), artists, CLASS_NAMES, recipe, size_px, seed)
    belts = Mixture((), stock, recipe, size_px, seed)
    return tuple(belts.scene(index) for index in range(count))


def _parts(plan: TrainingPlan) -> Parts:
    settings = plan.settings
    folders = read_folders(plan.inputs.data, CLASS_NAMES)
    return [split_by_capture(folder, settings.held_out_ratio) for folder in folders]


def _scenes(folder: LabelledFolder, size_px: int | None) -> list[Scene]:
    known = np.isin(CLASS_NAMES, folder.complete_for)
    return [load_scene(picture, known, size_px) for picture in folder.pictures]


def _notes(path: Path | None) -> Sequence[str]:
    if path is None:
        return []
    try:
        return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"--data-notes {path}: cannot be read: {error}") from error


def _shown(folder: Path) -> str:
    return f"{folder.parent.name}/{folder.name}"


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
