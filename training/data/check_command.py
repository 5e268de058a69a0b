"""`farz train check`: is a labelled folder fit to train on and to be judged by."""

from pathlib import Path

import click
import msgspec

from training.data.check import check_folders
from training.data.check_table import check_table
from training.data.class_option import classes_option


@click.command(name="check")
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@classes_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, with every finding.")
def check(folders: tuple[Path, ...], class_names: tuple[str, ...], as_json: bool) -> None:
    """Check labelled FOLDERS, and against each other: name the parts of a split together, or the folder they are in.

    Looks for broken pictures, unreadable labels, boxes out of range or without area, missing and stray label files,
    pictures changed since their manifest, rare classes, and, between folders, pictures that look the same (mirrored
    or turned by half too) and capture sessions that are in both. Prints class balance and box sizes.

    Exit code 0 if there are no errors (warnings are shown), 1 if there are.
    """
    report = check_folders(folders, class_names)
    click.echo(msgspec.json.encode(report).decode() if as_json else check_table(report))
    if report.error_count:
        click.get_current_context().exit(1)
