"""`farz train sheet`: the data sheet of a labelled folder, written anew."""

from pathlib import Path

import click

from training.data.class_option import classes_option
from training.data.data_sheet import write_data_sheet


@click.command(name="sheet")
@click.argument("folder", type=click.Path(path_type=Path))
@classes_option
def sheet(folder: Path, class_names: tuple[str, ...]) -> None:
    """Write DATA_SHEET.md of a labelled FOLDER anew, from its manifest, class map and labels.

    For when the class map or the labels were changed by hand, or the manifest was completed.
    """
    click.echo(f"{write_data_sheet(folder, class_names)} written")
