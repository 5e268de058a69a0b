"""`farz train`: the table of the lab's commands, in the order an engineer meets them."""

import click

from sorter.command_table import CommandTable

COMMANDS: dict[str, tuple[str, str]] = {
    "import": ("training.data.import_command:import_labels", "Labels of other tools and sets into a labelled folder."),
    "run": ("training.run_command:run", "All of it: fit, export, calibrate, measure, write the bundle."),
    "export": (
        "training.release.export_command:export",
        "Write a trained network as ONNX at any size, square or not.",
    ),
}


@click.group(cls=CommandTable, table=COMMANDS)
def train() -> None:
    """From a folder of labelled pictures to a model bundle that is measured, step by step or all at once."""
