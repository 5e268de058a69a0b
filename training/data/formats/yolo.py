"""YOLO labels, boxes and outlines: a text file a picture, names in data.yaml or in a list of classes."""

from functools import partial
from pathlib import Path
from typing import Any

from sorter.errors import DataFolderError
from sorter.runtime.labelled_folder import Label, read_labels
from training.data.annotations import Annotations, LabelError, SourceItem, SourcePicture, gather
from training.data.picture_file import find_pictures

_NAMES_YAML = ("data.yaml", "data.yml", "dataset.yaml")
_NAMES_LISTS = ("classes.txt", "obj.names")


def recognise(source: Path) -> bool:
    """Whether there are class names in the folder or its parent, and label files."""
    return source.is_dir() and _names_file(source) is not None and any(_label_files(source))


def read(source: Path, pictures: Path | None = None) -> Annotations:
    """Read all pictures below a folder; one without a label file holds nothing.

    Args:
        source: the folder; class names may be in its parent.
        pictures: where the pictures are, if elsewhere; labels are then found by file name.

    Raises:
        DataFolderError: if there are no class names, or no label files.
    """
    names = _read_names(source)
    stray = {path.stem: path for path in _label_files(source)}
    if not stray:
        raise DataFolderError(f"{source}: no label files there (looked for .txt beside the pictures or in labels/)")
    root = pictures or source
    labels = {path: stray.get(path.stem) if pictures else _labels_of(path) for path in find_pictures(root)}
    places = {path: path.relative_to(root).as_posix() for path in labels}
    found, skipped = gather(
        (places[path], partial(_picture, path, places[path], labels[path], names)) for path in labels
    )
    return Annotations(tuple(names[index] for index in sorted(names)), found, skipped)


def _label_files(source: Path) -> list[Path]:
    texts = (path for path in source.rglob("*.txt") if path.name not in _NAMES_LISTS)
    return [path for path in texts if "labels" in path.relative_to(source).parts or _beside_picture(path)]


def _beside_picture(path: Path) -> bool:
    return any(path.with_suffix(suffix).is_file() for suffix in (".jpg", ".jpeg", ".png", ".JPG", ".PNG"))


def _labels_of(picture: Path) -> Path | None:
    # The convention of the format: the last folder called images becomes labels.
    parts = list(picture.with_suffix(".txt").parts)
    if "images" in parts[:-1]:
        last = len(parts) - 2 - parts[-2::-1].index("images")
        parts[last] = "labels"
    for candidate in (Path(*parts), picture.with_suffix(".txt")):
        if candidate.is_file():
            return candidate
    return None


def _picture(path: Path, place: str, label_path: Path | None, names: dict[int, str]) -> SourcePicture:
    try:
        labels = [] if label_path is None else read_labels(label_path, names)
    except DataFolderError as error:
        raise LabelError(str(error)) from error
    return SourcePicture(path, place, tuple(_item(label, names) for label in labels))


def _item(label: Label, names: dict[int, str]) -> SourceItem:
    cx, cy, width, height = (float(value) for value in label.box)
    polygon = () if label.polygon is None else tuple((float(x), float(y)) for x, y in label.polygon)
    return SourceItem(names[label.source_id], (cx, cy, width, height), polygon)


def _names_file(source: Path) -> Path | None:
    places = (source, source.resolve().parent)
    candidates = (place / name for place in places for name in (*_NAMES_YAML, *_NAMES_LISTS))
    return next((path for path in candidates if path.is_file()), None)


def _read_names(source: Path) -> dict[int, str]:
    path = _names_file(source)
    if path is None:
        looked_for = ", ".join((*_NAMES_YAML, *_NAMES_LISTS))
        raise DataFolderError(f"{source}: no class names in it or in its parent (looked for {looked_for})")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataFolderError(f"{path} cannot be read: {error}") from error
    names = _names_in_yaml(text, path) if path.name in _NAMES_YAML else dict(enumerate(text.split("\n")))
    return {index: name.strip() for index, name in names.items() if name.strip()}


def _names_in_yaml(text: str, path: Path) -> dict[int, str]:
    import yaml

    try:
        content: Any = yaml.safe_load(text)
        names = content["names"]
        pairs = names.items() if isinstance(names, dict) else enumerate(names)
        return {int(index): str(name) for index, name in pairs}
    except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise DataFolderError(f"{path}: no list of class names under `names:` ({error})") from error
