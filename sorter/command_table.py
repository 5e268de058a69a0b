"""Command groups whose members are named in a table and imported when they are called, not before."""

import importlib
from collections.abc import Mapping
from typing import Any

import click


class CommandTable(click.Group):
    """A click group built from a table: command name → ("module:function", one line of help).

    Commands live where their work is done; naming them as text keeps the star of packages whole, and `--help` quick.
    """

    def __init__(self, *, table: Mapping[str, tuple[str, str]], **settings: Any) -> None:
        super().__init__(**settings)
        self._table = table

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names in the table's order."""
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the command; None if the table has no such name."""
        if cmd_name not in self._table:
            return None
        module_name, _, function_name = self._table[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module_name), function_name)
        # the mark before lines that keep their breaks is a backspace, which a raw docstring spells in two letters
        command.help = (command.help or "").replace("\\b\n", "\b\n")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Print the table's own texts, so that help imports none of the commands."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self._table.items()])
