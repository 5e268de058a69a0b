"""The option --classes, which all commands on labelled folders share."""

import click

from sorter.model.materials import CLASS_NAMES


def _parted(_context: click.Context, _option: click.Parameter, text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


classes_option = click.option(
    "--classes",
    "class_names",
    default=",".join(CLASS_NAMES),
    callback=_parted,
    help="Material classes there are, by comma; those of the default recipe if left out.",
)
