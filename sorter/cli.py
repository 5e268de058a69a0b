"""The `farz` command: a table of what there is; see `command_table` for why as text."""

import sys

import click

from sorter.command_table import CommandTable
from sorter.errors import FarzError
from sorter.runtime.process import BAD_INPUT_EXIT_CODE

COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("sorter.run_command:run", "Run the line: camera, decisions, valves and the page."),
    "score": (
        "training.evaluation.score_command:score",
        "Measure the closed loop in virtual time: purity, recovery, placement.",
    ),
    "eval": ("training.evaluation.eval_command:evaluate", "Measure a model on labelled pictures: mAP with intervals."),
    "bench": ("training.benchmarks.bench_command:bench", "Measure how fast the line is, beside its peers."),
    "train": ("training.train_command:train", "From labelled pictures to a measured model bundle, step by step."),
    "harvest": ("training.harvest.harvest_command:harvest", "Pictures the line kept: list, export to label, import."),
    "bundle": ("sorter.bundle_command:bundle", "Model bundles: look, sign, promote to a line, roll back."),
    "store": ("sorter.store_command:store", "What the line remembers: look, check, copy."),
    "calibrate": ("vision.calibrate_command:calibrate", "Find where the camera looks, from a picture of a board."),
    "commission": ("actuators.commission_command:commission", "Put a line into service: geometry, nozzles, delays."),
    "doctor": ("sorter.doctor_command:doctor", "Check whether this machine is fit to run a line."),
    "keys": ("sorter.keys_command:keys", "Make the keys of a valve controller on a box of its own."),
    "check-config": ("sorter.check_command:check_config", "Check a line's configuration, or list every key."),
}


@click.group(cls=CommandTable, table=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="farz")
def farz() -> None:
    """Farz (فرز): an open brain for waste-sorting lines.

    Start with `farz run`: it needs no camera, data or GPU. `farz COMMAND --help` says more about each command.
    """


def main() -> None:
    """Run a command; bad input ends with one sentence on standard error and exit code 2."""
    try:
        farz()
    except FarzError as error:
        sys.stderr.write(f"farz: {error}\n")
        sys.exit(BAD_INPUT_EXIT_CODE)
