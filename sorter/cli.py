"""The `farz` command: finds each sub-command by name, so that none of them is imported until it is used.

Commands live where their work is done; naming them here as text keeps `sorter` from importing across the star.
"""

import importlib
import sys

import click

from sorter.errors import FarzError
from sorter.runtime.process import BAD_INPUT_EXIT_CODE

COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("sorter.run_command:run", "Run the line: camera, decisions, valves and the page."),
    "score": ("training.score_command:score", "Measure the closed loop in virtual time: purity, recovery, placement."),
    "eval": ("training.eval_command:evaluate", "Measure a model on labelled pictures: mAP with intervals."),
    "train": ("training.train_command:train", "Fine-tune a model on labelled pictures and write its bundle."),
    "calibrate": ("vision.calibrate_command:calibrate", "Find where the camera looks, from a picture of a board."),
    "check-config": ("sorter.check_command:check_config", "Check a line's configuration, or list every key."),
}


class _CommandsByName(click.Group):
    """A click group whose commands are imported when they are called or asked for help."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module_name, _, function_name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module_name), function_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        # the one-line texts stand in the table above, so that `farz --help` imports none of the commands
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=_CommandsByName, context_settings={"help_option_names": ["-h", "--help"]})
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
