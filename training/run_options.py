"""Options that the commands of a training run share, and the plan they make."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from sorter.errors import BadInputError
from training.input_size import InputSize, read_size
from training.run_settings import Inputs, RunSettings, TrainingPlan

PATH = click.Path(path_type=Path)
_SIDES_PX = (64, 1280)

_OPTIONS = (
    click.option("--data", multiple=True, type=PATH, help="Labelled folder; may be given several times."),
    click.option(
        "--weights", type=PATH,
        help="What to start from: a model bundle, such as the shipped one, or a state dictionary; what fits is taken.",
    ),
    click.option("--cutouts", type=PATH, help="Folder of RGBA cut-outs to lay into pictures."),
    click.option("--cutout-classes", type=PATH, help="TOML: class of a material of the cut-outs, or of a single file."),
    click.option("--test", type=PATH, help="Labelled folder to measure once at the end; never used for choices."),
    click.option("--data-notes", type=PATH, help="Text: origin and licence of each data set, for the data sheet."),
    click.option(
        "--architecture", default="yolov5n.yaml", show_default=True,
        help="Ultralytics' configuration of a detection network: yolov8s.yaml, yolo11n.yaml, yolo26m.yaml, a file …",
    ),
    click.option(
        "--device", default="auto", show_default=True,
        help="auto, cpu, cuda:0, or several parted by commas: cuda:0,cuda:1.",
    ),
    click.option("--epochs", type=click.IntRange(min=1), default=40, show_default=True, help="Most epochs."),
    click.option(
        "--patience", type=click.IntRange(min=1),
        help="Stop when the pictures kept out have got no better for so many epochs; left out: never.",
    ),
    click.option("--pictures-per-epoch", type=click.IntRange(min=16), default=1600, show_default=True),
    click.option(
        "--size-px", default="512", show_default=True,
        help="Input of the network: a side, or width and height at the camera's own aspect (864x480); multiples of 32.",
    ),
    click.option("--peak-rate", type=float, default=0.001, show_default=True, help="Highest learning rate."),
    click.option(
        "--frozen-layers", type=click.IntRange(0, 20), default=0, show_default=True,
        help="Layers, from the first, that keep their weights: few pictures cannot better them, and it is faster.",
    ),
    click.option(
        "--small-epochs", type=click.FloatRange(0, 1), default=0.6, show_default=True,
        help="Share of the epochs, from the first, that see smaller pictures: faster.",
    ),
    click.option(
        "--belts", type=click.FloatRange(0, 0.95), default=0.1, show_default=True,
        help="Share of pictures that are the program's own belts.",
    ),
    click.option(
        "--tiled", type=click.FloatRange(0, 1), default=0.25, show_default=True,
        help="Share of the other pictures that are four laid together: more items in each, and smaller ones.",
    ),
    click.option(
        "--mirrored-view/--one-view", "mirrored_view", default=False, show_default=True,
        help="Whether the bundle's network sees each picture mirrored too and gives the mean: surer, twice the work.",
    ),
    click.option(
        "--held-out", type=click.FloatRange(0.01, 0.5), default=0.1, show_default=True,
        help="Share of the pictures, by capture session, kept out for calibration and early stop.",
    ),
    click.option(
        "--watts-per-core", type=click.FloatRange(min=0), default=10.0, show_default=True,
        help="For the energy of training, where the machine does not tell it.",
    ),
    click.option("--seed", type=int, default=0, show_default=True),
)  # fmt: skip


def plan_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of a training run; `plan_of` reads them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def plan_of(given: dict[str, Any]) -> TrainingPlan:
    """The plan that the options make.

    Raises:
        click.UsageError: if no data is given.
        BadInputError: if the size is none.
    """
    if not given["data"]:
        raise click.UsageError("Missing option '--data': at least one labelled folder to learn from.")
    inputs = Inputs(
        given["data"], given["weights"], given["cutouts"], given["cutout_classes"], given["test"], given["data_notes"]
    )
    settings = RunSettings(
        epoch_count=given["epochs"],
        pictures_per_epoch=given["pictures_per_epoch"],
        size=_trainable(read_size(given["size_px"])),
        architecture=given["architecture"],
        device=given["device"],
        patience_epochs=given["patience"],
        peak_rate_ratio=given["peak_rate"],
        frozen_layer_count=given["frozen_layers"],
        small_epoch_ratio=given["small_epochs"],
        belt_ratio=given["belts"],
        tiled_ratio=given["tiled"],
        mirrored_view=given["mirrored_view"],
        held_out_ratio=given["held_out"],
        watts_per_core=given["watts_per_core"],
        seed=given["seed"],
    )
    return TrainingPlan(inputs, settings)


def _trainable(size: InputSize) -> InputSize:
    low_px, high_px = _SIDES_PX
    if min(size.sides_px) < low_px or max(size.sides_px) > high_px:
        raise BadInputError(
            f"--size-px {size.width_px}x{size.height_px}: a network is trained with sides from {low_px} to {high_px} px"
        )
    return size
