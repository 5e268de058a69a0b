"""`farz train second-look`: give a bundle a second network that names what its first one finds."""

import logging
from pathlib import Path
from typing import Any

import click

from training.naming.second_look_plan import SecondLookPlan, read_plan
from training.naming.second_look_run import finish, teach
from training.naming.teaching_settings import Lessons
from training.run_options import PATH
from training.run_settings import Inputs

_USUAL = SecondLookPlan(Path(), Inputs(()))


@click.command(name="second-look")
@click.argument("bundle", type=PATH)
@click.option("--data", multiple=True, type=PATH, help="Labelled folder; may be given several times.")
@click.option(
    "--out", required=True, type=PATH, help="Bundle folder to write, not there yet; its name is the model's name."
)
@click.option("--run", "run_folder", type=PATH, help="Run folder; beside the bundle if left out.")
@click.option("--resume", is_flag=True, help="Take up the run's last checkpoint, with the run's own settings.")
@click.option("--cutouts", type=PATH, help="Folder of RGBA cut-outs, to draw items of classes that are not labelled.")
@click.option("--cutout-classes", type=PATH, help="TOML: class of a material of the cut-outs, or of a single file.")
@click.option("--test", type=PATH, help="Labelled folder to measure once at the end; never used for choices.")
@click.option(
    "--first-weights",
    type=PATH,
    help="EfficientNet-Lite2 on ImageNet, a state dictionary; left out: those installed with farz[train].",
)
@click.option("--epochs", type=click.IntRange(min=1), default=Lessons().epoch_count, show_default=True)
@click.option("--items-per-epoch", type=click.IntRange(min=8), default=Lessons().items_per_epoch, show_default=True)
@click.option(
    "--side-px",
    type=click.IntRange(64, 320),
    default=_USUAL.side_px,
    show_default=True,
    help="Of the square it is shown on the line.",
)
@click.option(
    "--taught-side-px",
    type=click.IntRange(64, 320),
    default=_USUAL.taught_side_px,
    show_default=True,
    help="Of the squares it learns from: somewhat smaller is faster, and better.",
)
@click.option(
    "--own-name",
    type=click.FloatRange(0, 1),
    default=_USUAL.own_name_ratio,
    show_default=True,
    help="How much of the first network's own naming stays beside the second's.",
)
@click.option(
    "--held-out",
    type=click.FloatRange(0.01, 0.5),
    default=0.1,
    show_default=True,
    help="Share of the pictures kept out, as when the bundle was trained: it is calibrated on them.",
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu or cuda:N.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--version", default="0.1.0", show_default=True, help="Version to write into the bundle.")
def second_look(
    bundle: Path, out: Path, run_folder: Path | None, resume: bool, version: str, **given: Any
) -> None:  # fmt: skip
    r"""Give BUNDLE a second network that is shown each item alone, at the picture's full resolution, and names it.

    \b
    farz train second-look models/site --data site/train --test site/test --out models/site-2

    A detector of few labels finds items well and names them badly. This network starts from a million pictures of
    things (ImageNet), sees one item at a time, and costs the line a look or two an item, not a frame. Probabilities
    and operating curves are fitted anew; quantise (`farz train quantise`) and sign (`farz bundle sign`) afterwards.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    folder = run_folder or out.with_name(f"{out.name}.second-look")
    plan = read_plan(folder) if resume else _plan(bundle, given)
    teach(plan, folder, resume=resume)
    written = finish(plan, folder, out, version)
    click.echo(f"{written.model_id} written to {written.folder}")


def _plan(bundle: Path, given: dict[str, Any]) -> SecondLookPlan:
    if not given["data"]:
        raise click.UsageError("Missing option '--data': at least one labelled folder to learn from.")
    inputs = Inputs(given["data"], given["first_weights"], given["cutouts"], given["cutout_classes"], given["test"])
    return SecondLookPlan(
        bundle,
        inputs,
        Lessons(epoch_count=given["epochs"], items_per_epoch=given["items_per_epoch"]),
        side_px=given["side_px"],
        taught_side_px=given["taught_side_px"],
        own_name_ratio=given["own_name"],
        held_out_ratio=given["held_out"],
        device=given["device"],
        seed=given["seed"],
    )
