"""Reading a folder of pictures with YOLO labels and a class map: what belt strips, training and evaluation share."""

import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from sorter.errors import DataFolderError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
IGNORED = "ignore"


class ClassMap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """class_map.toml: source class → material class (or "ignore"), and the classes whose labels are exhaustive."""

    map: dict[str, str]
    complete_for: tuple[str, ...] = ()


class LabelledPicture(msgspec.Struct, frozen=True):
    """One picture and its boxes.

    `boxes` (N, 4) float64: centre x, centre y, width, height as shares of the picture; `class_ids` (N,) int64 into
    the class list the folder was read for.
    """

    path: Path
    boxes: NDArray[np.float64]
    class_ids: NDArray[np.int64]


class LabelledFolder(msgspec.Struct, frozen=True):
    """All labelled pictures of a folder, ordered by file name."""

    folder: Path
    pictures: tuple[LabelledPicture, ...]
    complete_for: tuple[str, ...]


def read_labelled_folder(folder: Path, class_names: tuple[str, ...]) -> LabelledFolder:
    """Read `images/`, `labels/`, and data.yaml and class_map.toml in the folder or in its parent.

    Polygons become the boxes around them. A picture without a label file counts as having no items.

    Raises:
        DataFolderError: if a part is missing or a label names a class that the map does not know.
    """
    pictures = _pictures(folder)
    class_map = _read_class_map(_beside(folder, "class_map.toml"))
    names = _read_names(_beside(folder, "data.yaml"))
    lookup = _class_lookup(names, class_map, class_names, folder)
    read = tuple(_read_picture(path, folder, lookup) for path in pictures)
    return LabelledFolder(folder, read, class_map.complete_for)


def _pictures(folder: Path) -> list[Path]:
    images = folder / "images"
    if not images.is_dir():
        raise DataFolderError(f"{folder}: no folder images/ there; a labelled folder holds images/ and labels/")
    found = sorted(path for path in images.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES)
    if not found:
        raise DataFolderError(f"{images}: no pictures there (looked for {', '.join(sorted(PICTURE_SUFFIXES))})")
    return found


def _beside(folder: Path, name: str) -> Path:
    for place in (folder, folder.resolve().parent):
        if (place / name).is_file():
            return place / name
    raise DataFolderError(f"{folder}: no {name} in it or in its parent")


def _read_text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise DataFolderError(f"{path} cannot be read: {error}") from error


def _read_class_map(path: Path) -> ClassMap:
    try:
        return msgspec.convert(tomllib.loads(_read_text(path)), ClassMap)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise DataFolderError(f"{path}: {error}") from error


def _read_names(path: Path) -> dict[int, str]:
    # data.yaml is read line by line: the one thing needed is the list of names, in either of YOLO's two spellings.
    names: dict[int, str] = {}
    for line in _read_text(path).splitlines():
        key, colon, value = line.strip().partition(":")
        if colon and key.isdigit():
            names[int(key)] = value.strip().strip("'\"")
        elif key == "names" and value.strip().startswith("["):
            names = dict(enumerate(part.strip(" '\"") for part in value.strip(" []").split(",")))
    if not names:
        raise DataFolderError(f"{path}: no class names there (looked for `names:` with an index per line, or a list)")
    return names


def _class_lookup(
    names: dict[int, str], class_map: ClassMap, class_names: tuple[str, ...], folder: Path
) -> dict[int, int | None]:
    lookup: dict[int, int | None] = {}
    for index, name in names.items():
        if name not in class_map.map:
            raise DataFolderError(f"{folder}: class_map.toml does not say what {name!r} is; map it or use 'ignore'")
        target = class_map.map[name]
        if target != IGNORED and target not in class_names:
            raise DataFolderError(
                f"{folder}: class_map.toml maps {name!r} to {target!r}, which is none of {class_names}"
            )
        lookup[index] = None if target == IGNORED else class_names.index(target)
    return lookup


def _read_picture(path: Path, folder: Path, lookup: dict[int, int | None]) -> LabelledPicture:
    label_path = folder / "labels" / f"{path.stem}.txt"
    lines = _read_text(label_path).splitlines() if label_path.is_file() else []
    rows = [_read_line(line, label_path, lookup) for line in lines if line.strip()]
    kept = [(class_id, box) for class_id, box in rows if class_id is not None]
    boxes = np.array([box for _, box in kept], dtype=np.float64).reshape(-1, 4)
    return LabelledPicture(path, boxes, np.array([class_id for class_id, _ in kept], dtype=np.int64))


def _read_line(line: str, path: Path, lookup: dict[int, int | None]) -> tuple[int | None, Any]:
    try:
        index, *numbers = line.split()
        values = np.array([float(number) for number in numbers])
        class_id = lookup[int(index)]
    except (ValueError, KeyError) as error:
        raise DataFolderError(f"{path}: cannot read the label line {line[:60]!r}: {error}") from error
    if not np.isfinite(values).all() or (len(values) == 4 and values[2:].min() < 0.0):
        raise DataFolderError(f"{path}: {line[:60]!r}: a box is four finite shares, width and height not below 0")
    if len(values) == 4:
        return class_id, values
    if len(values) < 6 or len(values) % 2:
        raise DataFolderError(f"{path}: {len(values)} numbers in {line[:60]!r}; a box has 4, a polygon 6 or more, even")
    points = values.reshape(-1, 2)
    low, high = points.min(axis=0), points.max(axis=0)
    return class_id, np.concatenate([(low + high) / 2, high - low])
