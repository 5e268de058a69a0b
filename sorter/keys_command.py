"""`farz keys`: the keys with which a sorter and a controller on another box know each other."""

import shutil
from pathlib import Path

import click

from sorter.errors import ConfigurationError
from sorter.runtime.link_address import ADMITTED_FOLDER, CONTROLLER, SORTER, make_key


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("controller", metavar="NAME")
def keys(folder: Path, controller: str) -> None:
    r"""Make the keys of a valve controller that is on a box of its own.

    FOLDER/sorter stays on the sorter's box, FOLDER/NAME goes to the controller's; each box names its folder as
    link.keys_folder. The sorter's own pair is made with the first controller. To shut a controller out, delete its key
    in FOLDER/sorter/admitted and start the line anew.

    \b
    farz keys /etc/farz/keys north
    scp -r /etc/farz/keys/north controller:/etc/farz/keys
    """
    if not controller.isidentifier() or controller == SORTER:
        raise ConfigurationError(f"NAME = {controller!r}: letters, digits and _ alone, and not {SORTER!r}")
    here, there = folder / SORTER, folder / controller
    if there.exists():
        raise ConfigurationError(f"{there} is there already; delete it to make new keys for {controller}")
    if not (here / f"{SORTER}.key").exists():
        make_key(here, SORTER)
    public, _ = make_key(there, CONTROLLER)
    (here / ADMITTED_FOLDER).mkdir(exist_ok=True)
    shutil.copyfile(public, here / ADMITTED_FOLDER / f"{controller}.key")
    shutil.copyfile(here / f"{SORTER}.key", there / f"{SORTER}.key")
    click.echo(f"on the sorter's box:      link.keys_folder = {str(here)!r}")
    click.echo(f"on the controller's box:  link.keys_folder = where you copy {there} to; it holds a secret")
