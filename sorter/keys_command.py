"""`farz keys`: with what a controller on another box, or a reader of figures, is known."""

import shutil
from pathlib import Path

import click

from sorter.command_table import CommandTable
from sorter.errors import ConfigurationError
from sorter.runtime.link_address import ADMITTED_FOLDER, CONTROLLER, SORTER, make_key

_CONTROLLER = "controller"
KEYS_COMMANDS: dict[str, tuple[str, str]] = {
    _CONTROLLER: ("sorter.keys_command:controller_keys", "Make the keys of a valve controller on a box of its own."),
    "api": (
        "sorter.api_keys_command:api_keys",
        "Make, list and revoke the keys of who reads figures over the network.",
    ),
}


class _KeysTable(CommandTable):
    """`farz keys FOLDER NAME` has always meant a controller's keys, and still does."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """A first word that is no command is a controller's folder."""
        if args[0] not in KEYS_COMMANDS and not args[0].startswith("-"):
            args = [_CONTROLLER, *args]
        return super().resolve_command(ctx, args)


@click.group(cls=_KeysTable, table=KEYS_COMMANDS)
def keys() -> None:
    """Make keys: of valve controllers on boxes of their own (also as `farz keys FOLDER NAME`), and of the API."""


@click.command(_CONTROLLER)
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("controller", metavar="NAME")
def controller_keys(folder: Path, controller: str) -> None:
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
