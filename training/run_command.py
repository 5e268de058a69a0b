"""`farz train run`: from labelled folders to a calibrated model bundle in one command."""

import logging
from pathlib import Path

import click

from training.training_run import Inputs, RunSettings, train_bundle

_PATH = click.Path(path_type=Path)


@click.command(name="run")
@click.option("--data", multiple=True, required=True, type=_PATH, help="Labelled folder; may be given several times.")
@click.option("--weights", type=_PATH, help="State dictionary to start from.")
@click.option("--cutouts", type=_PATH, help="Folder of RGBA cut-outs to lay into pictures.")
@click.option("--cutout-classes", type=_PATH, help="TOML: class of each material of the cut-outs, or of a single file.")
@click.option("--test", type=_PATH, help="Labelled folder to measure once at the end; never used for choices.")
@click.option(
    "--data-notes", type=_PATH, help="Text file: a line of origin and licence per data set, for the data sheet."
)
@click.option("--out", required=True, type=_PATH, help="Bundle folder to write; its name is the model's name.")
@click.option("--run", "run_folder", type=_PATH, help="Folder for checkpoints; beside the bundle if left out.")
@click.option("--epochs", type=click.IntRange(min=1), default=40, show_default=True)
@click.option("--pictures-per-epoch", type=click.IntRange(min=16), default=1600, show_default=True)
@click.option("--size-px", type=click.IntRange(min=64, max=1280), default=512, show_default=True)
@click.option("--peak-rate", type=float, default=0.001, show_default=True, help="Highest learning rate.")
@click.option(
    "--small-epochs",
    type=click.FloatRange(0, 1),
    default=0.6,
    show_default=True,
    help="Share of the epochs, from the first, that see smaller pictures.",
)
@click.option(
    "--belts",
    type=click.FloatRange(0, 0.95),
    default=0.2,
    show_default=True,
    help="Share of pictures that are the program's own belts.",
)
@click.option("--version", default="0.1.0", show_default=True, help="Version to write into the bundle.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--resume", is_flag=True, help="Take up the run's last checkpoint.")
def run(
    data: tuple[Path, ...], weights: Path | None, cutouts: Path | None,
    cutout_classes: Path | None, test: Path | None, data_notes: Path | None,
    out: Path, run_folder: Path | None, epochs: int, pictures_per_epoch: int, size_px: int, version: str, seed: int,
    resume: bool, peak_rate: float, small_epochs: float, belts: float,
) -> None:  # fmt: skip
    """Train a model on labelled folders and write it as a bundle: fine-tune, export, calibrate, measure."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    inputs = Inputs(data, weights, cutouts, cutout_classes, test, data_notes)
    settings = RunSettings(
        out,
        run_folder or out.with_name(f"{out.name}.run"),
        epochs,
        pictures_per_epoch,
        size_px,
        version,
        peak_rate,
        small_epochs,
        belts,
    )
    bundle = train_bundle(inputs, settings, seed, resume=resume)
    click.echo(f"{bundle.model_id} written to {bundle.folder}")
