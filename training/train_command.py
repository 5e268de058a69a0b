"""`farz train`: the table of the lab's commands, in the order an engineer meets them."""

import click

from sorter.command_table import CommandTable

COMMANDS: dict[str, tuple[str, str]] = {
    "import": ("training.data.import_command:import_labels", "Labels of other tools and sets into a labelled folder."),
    "check": ("training.data.check_command:check", "Is a labelled folder fit to train on and to be judged by?"),
    "split": ("training.data.split_command:split", "Part a labelled folder by capture session, never leaking."),
    "sheet": ("training.data.sheet_command:sheet", "Write a labelled folder's data sheet anew."),
    "run": ("training.run_command:run", "All of it: fit, export, calibrate, measure, write the bundle."),
    "fit": ("training.run_command:fit", "Fit a network to labelled folders; --resume takes up an interrupted run."),
    "finish": ("training.run_command:finish", "Make a bundle of a fitted run: export, calibrate, measure, card."),
    "second-look": (
        "training.naming.second_look_command:second_look",
        "Give a bundle a second network, which names what the first one finds.",
    ),
    "calibrate": (
        "training.release.calibrate_command:calibrate",
        "Fit an existing bundle's probabilities to a site's pictures.",
    ),
    "export": (
        "training.release.export_command:export",
        "Write a trained network as ONNX at any size, square or not.",
    ),
    "quantise": (
        "training.release.quantise_command:quantise",
        "Add INT8 forms to a bundle, if they lose little enough.",
    ),
    "parity": (
        "training.release.parity_command:parity",
        "Compare all forms of a bundle, on every runtime, picture by picture.",
    ),
    "reference": (
        "training.evaluation.reference_command:reference",
        "Measure a plain Ultralytics model, to set it beside a bundle.",
    ),
}


@click.group(cls=CommandTable, table=COMMANDS)
def train() -> None:
    """From a folder of labelled pictures to a model bundle that is measured, step by step or all at once."""
