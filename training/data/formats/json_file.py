"""Reading JSON label files; what they mean is left to the formats."""

from pathlib import Path
from typing import Any

import msgspec

from sorter.errors import DataFolderError

_MOST_FILES = 50


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
    return sorted(source.rglob("*.json"))[:_MOST_FILES]


def readable_json(path: Path) -> Any:
    """The content of a JSON file, or None where it is none: for telling formats apart."""
    try:
        return read_json(path)
    except DataFolderError:
        return None
