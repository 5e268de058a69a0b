"""`farz train run`, and its two stages `farz train fit` and `farz train finish`."""

import logging
from pathlib import Path
from typing import Any

import click

from training.run_options import PATH, plan_of, plan_options
from training.run_settings import TrainingPlan, extended, read_plan
from training.training_run import finish as finish_run
from training.training_run import fit as fit_run

_VERSION = click.option("--version", default="0.1.0", show_default=True, help="Version to write into the bundle.")
_RESUME = click.option("--resume", is_flag=True, help="Take up the run's last checkpoint, with the run's own settings.")

_EXTEND_TO = click.option(
    "--extend-to",
    type=click.IntRange(min=1),
    help="With --resume: so many epochs instead of the run's own number, for one that was still getting better at its "
    "end; the learning rate takes up the longer course.",
)


@click.command(name="run")
@plan_options
@click.option("--out", required=True, type=PATH, help="Bundle folder to write; its name is the model's name.")
@click.option("--run", "run_folder", type=PATH, help="Run folder; beside the bundle if left out.")
@_VERSION
@_RESUME
@_EXTEND_TO
def run(out: Path, run_folder: Path | None, version: str, resume: bool, extend_to: int | None, **given: Any) -> None:
    r"""Train a model on labelled folders and write it as a bundle: fit, export, calibrate, measure, card.

    \b
    farz train run --data site/train --test site/test --weights models/farz-n-736x416 --out models/site

    An interrupted run goes on with --resume. The run folder keeps its settings (run.json), what it learned from and
    what it cost (record.json), its curves (curves.svg) and the last checkpoint.
    """
    folder = run_folder or out.with_name(f"{out.name}.run")
    _fit(folder, given, resume=resume, extend_to=extend_to)
    bundle = finish_run(folder, out, version)
    click.echo(f"{bundle.model_id} written to {bundle.folder}")


@click.command(name="fit")
@plan_options
@click.option("--run", "run_folder", required=True, type=PATH, help="Run folder to write.")
@_RESUME
@_EXTEND_TO
def fit(run_folder: Path, resume: bool, extend_to: int | None, **given: Any) -> None:
    """Fit a network to labelled folders: a run folder with checkpoint, record and curves."""
    _fit(run_folder, given, resume=resume, extend_to=extend_to)
    click.echo(f"fitted; make a bundle of it with: farz train finish {run_folder} --out FOLDER")


@click.command(name="finish")
@click.argument("run_folder", type=PATH)
@click.option("--out", required=True, type=PATH, help="Bundle folder to write; its name is the model's name.")
@_VERSION
def finish(run_folder: Path, out: Path, version: str) -> None:
    """Make a bundle of a fitted run: export, calibrate on the pictures kept out, measure on the test folder, card."""
    _log()
    bundle = finish_run(run_folder, out, version)
    click.echo(f"{bundle.model_id} written to {bundle.folder}")


def _fit(folder: Path, given: dict[str, Any], *, resume: bool, extend_to: int | None) -> None:
    _log()
    if extend_to is not None and not resume:
        raise click.UsageError("--extend-to: only with --resume; a new run has --epochs.")
    fit_run(_plan(folder, given, resume=resume, extend_to=extend_to), folder, resume=resume)


def _plan(folder: Path, given: dict[str, Any], *, resume: bool, extend_to: int | None) -> TrainingPlan:
    """A run that is taken up follows the plan it was started with; options given again would change it half way."""
    if not resume:
        return plan_of(given)
    plan = read_plan(folder)
    return plan if extend_to is None else extended(plan, extend_to)


def _log() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
