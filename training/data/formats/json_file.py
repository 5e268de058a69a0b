"""Reading JSON label files; what they mean is left to the formats."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from sorter.errors import DataFolderError


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        DataFolderError: if it cannot be read.
    """
    try:
        return msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataFolderError(f"{path}: cannot be read as JSON ({error})") from error


def json_files(source: Path) -> list[Path]:
    """The source itself if it is a JSON file, else the JSON files below it."""
    if source.is_file():
        return [source] if source.suffix.lower() == ".json" else []
    return sorted(source.rglob("*.json"))


def json_files_like(source: Path, is_like: Callable[[Any], bool]) -> list[Path]:
    """Those JSON files of a source whose content is as wanted; unreadable ones are not."""
    return [path for path in json_files(source) if is_like(_content_or_none(path))]


def _content_or_none(path: Path) -> Any:
    try:
        return read_json(path)
    except DataFolderError:
        return None
