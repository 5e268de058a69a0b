"""Changing single values of a line's TOML file, its comments and order kept, with who changed them and when."""

import getpass
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Item

from sorter.errors import ConfigurationError
from sorter.runtime.clock import utc_text
from sorter.runtime.configuration import settings_from


def change_file(path: Path, changes: dict[tuple[str | int, ...], Any], why: str, author: str | None = None) -> str:
    """Set values in a configuration file; returns the comment that is written beside each.

    Args:
        path: the file.
        changes: by the way to the key: names of tables, numbers of entries of lists of tables.
        why: what the values come from.
        author: whose work it is; None: the user's name on this machine.

    Raises:
        ConfigurationError: if the file cannot be read, or would not be a configuration any more; then it is left alone.
    """
    try:
        document = tomlkit.parse(path.read_text())
    except (OSError, UnicodeDecodeError, TOMLKitError) as error:
        raise ConfigurationError(f"configuration {path} cannot be read: {error}") from error
    comment = f"{why}, {utc_text()}, {author or getpass.getuser()}"
    for way, value in changes.items():
        _set(document, way, value, comment)
    settings_from(document.unwrap())
    draft = path.with_name(f"{path.name}.new")
    draft.write_text(tomlkit.dumps(document))
    draft.replace(path)
    return comment


def _set(document: Any, way: tuple[str | int, ...], value: Any, comment: str) -> None:
    *tables, key = way
    for name in tables:
        if isinstance(name, str) and name not in document:
            document[name] = tomlkit.table()
        document = document[name]
    item: Item = tomlkit.item(value)
    item.comment(comment)
    document[key] = item
