"""Reading a folder of pictures with YOLO labels and a class map: what belt strips, training and evaluation share."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

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
BACKGROUND = "background"


class ClassMap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """class_map.toml: source class → material class, and the material classes whose labels are exhaustive.

    "ignore" stands for what must count neither as an item nor as background, "background" for what is no item at all.
    """

    map: dict[str, str]
    complete_for: tuple[str, ...] = ()


def no_boxes() -> NDArray[np.float64]:
    """An empty array of boxes (0, 4)."""
    return np.zeros((0, 4))


class LabelledPicture(msgspec.Struct, frozen=True):
    """One picture and its boxes.

    Attributes:
        path: the picture's file.
        boxes: (N, 4) float64: centre x, centre y, width, height as shares of the picture.
        class_ids: (N,) int64 into the class list the folder was read for.
        ignored: (M, 4) float64 boxes in which a detection is neither right nor wrong.
        polygons: outline of each box's item, (K, 2) float64 shares x, y, or None where only the box is known; may be
            left empty.
    """

    path: Path
    boxes: NDArray[np.float64]
    class_ids: NDArray[np.int64]
    ignored: NDArray[np.float64] = msgspec.field(default_factory=no_boxes)
    polygons: tuple[NDArray[np.float64] | None, ...] = ()


class LabelledFolder(msgspec.Struct, frozen=True):
    """All labelled pictures of a folder, ordered by file name."""

    folder: Path
    pictures: tuple[LabelledPicture, ...]
    complete_for: tuple[str, ...]


class FolderIndex(msgspec.Struct, frozen=True):
    """What a labelled folder says before a label is read.

    Attributes:
        folder: where images/ and labels/ are.
        picture_paths: the pictures, ordered by file name.
        names: number in the label files → source class.
        class_map: what the source classes are made of.
        class_names: the material classes it is read for.
    """

    folder: Path
    picture_paths: tuple[Path, ...]
    names: dict[int, str]
    class_map: ClassMap
    class_names: tuple[str, ...]

    def label_path(self, picture_path: Path) -> Path:
        """Where a picture's labels are, or would be."""
        return self.folder / "labels" / f"{picture_path.stem}.txt"


class Label(msgspec.Struct, frozen=True):
    """One line of a label file: number of the source class, box (4,), and its outline (K, 2) if it has one."""

    source_id: int
    box: NDArray[np.float64]
    polygon: NDArray[np.float64] | None = None


def labelled_boxes_px(shares: NDArray[np.float64], picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Boxes (N, 4) centre and size as shares of the picture, as x0, y0, x1, y1 in its pixels."""
    size_px = np.array([picture.shape[1], picture.shape[0]] * 2, dtype=np.float64)
    centres, sides = shares[:, :2], shares[:, 2:]
    return np.concatenate([centres - sides / 2, centres + sides / 2], axis=1) * size_px


def read_labelled_folder(folder: Path, class_names: tuple[str, ...]) -> LabelledFolder:
    """Read `images/`, `labels/`, and data.yaml and class_map.toml in the folder or in its parent.

    Polygons become the boxes around them. A picture without a label file counts as having no items.

    Raises:
        DataFolderError: if a part is missing or a label names a class that the map does not know.
    """
    index = open_labelled_folder(folder, class_names)
    pictures = tuple(read_labelled_picture(index, path) for path in index.picture_paths)
    return LabelledFolder(folder, pictures, index.class_map.complete_for)


def open_labelled_folder(folder: Path, class_names: tuple[str, ...]) -> FolderIndex:
    """List a folder's pictures and read its class names and class map, but no labels.

    Raises:
        DataFolderError: if a part is missing, or the map misses a class or names one that is not in `class_names`.
    """
    pictures = _pictures(folder)
    class_map = read_class_map(_beside(folder, "class_map.toml"))
    names = _read_names(_beside(folder, "data.yaml"))
    _check_targets(names, class_map, class_names, folder)
    return FolderIndex(folder, tuple(pictures), names, class_map, class_names)


def read_labelled_picture(index: FolderIndex, path: Path) -> LabelledPicture:
    """Read the labels of one of the folder's pictures.

    Raises:
        DataFolderError: if a label cannot be read or is of a class that has no name.
    """
    label_path = index.label_path(path)
    labels = read_labels(label_path, index.names) if label_path.is_file() else []
    named = [(index.class_map.map[index.names[label.source_id]], label) for label in labels]
    kept = [(index.class_names.index(target), label) for target, label in named if target in index.class_names]
    return LabelledPicture(
        path,
        _stacked([label for _, label in kept]),
        np.array([class_id for class_id, _ in kept], dtype=np.int64),
        _stacked([label for target, label in named if target == IGNORED]),
        tuple(label.polygon for _, label in kept),
    )


def read_labels(path: Path, names: Mapping[int, str]) -> list[Label]:
    """Read a label file in YOLO's form: a class number and four shares, or six and more of an outline, a line.

    Raises:
        DataFolderError: if a line cannot be read or its class has no name.
    """
    return [_read_line(line, path, names) for line in _read_text(path).splitlines() if line.strip()]


def read_class_map(path: Path) -> ClassMap:
    """Read a class map.

    Raises:
        DataFolderError: if it cannot be read or has other keys than `map` and `complete_for`.
    """
    try:
        return msgspec.convert(tomllib.loads(_read_text(path)), ClassMap)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise DataFolderError(f"{path}: {error}") from error


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
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataFolderError(f"{path} cannot be read: {error}") from error


def _read_names(path: Path) -> dict[int, str]:
    # data.yaml is read line by line: the one thing needed is the list of names, in either of YOLO's two spellings.
    names: dict[int, str] = {}
    for line in _read_text(path).splitlines():
        key, colon, value = line.strip().partition(":")
        if colon and key.isdigit():
            names[int(key)] = _unquoted(value.strip())
        elif key == "names" and value.strip().startswith("["):
            names = dict(enumerate(part.strip(" '\"") for part in value.strip(" []").split(",")))
    if not names:
        raise DataFolderError(f"{path}: no class names there (looked for `names:` with an index per line, or a list)")
    return names


def _unquoted(value: str) -> str:
    try:
        return str(json.loads(value)) if value.startswith('"') else value.strip("'")
    except json.JSONDecodeError:
        return value.strip('"')


def _check_targets(names: Mapping[int, str], class_map: ClassMap, class_names: tuple[str, ...], folder: Path) -> None:
    for name in names.values():
        if name not in class_map.map:
            raise DataFolderError(f"{folder}: class_map.toml does not say what {name!r} is; map it or use 'ignore'")
        target = class_map.map[name]
        if target not in (IGNORED, BACKGROUND, *class_names):
            raise DataFolderError(
                f"{folder}: class_map.toml maps {name!r} to {target!r}, which is none of {class_names}"
            )


def _stacked(labels: list[Label]) -> NDArray[np.float64]:
    return np.array([label.box for label in labels], dtype=np.float64).reshape(-1, 4)


def _read_line(line: str, path: Path, names: Mapping[int, str]) -> Label:
    try:
        index, *numbers = line.split()
        values = np.array([float(number) for number in numbers])
        source_id = int(index)
    except ValueError as error:
        raise DataFolderError(f"{path}: cannot read the label line {line[:60]!r}: {error}") from error
    if source_id not in names:
        raise DataFolderError(f"{path}: {line[:60]!r}: data.yaml has no class number {source_id}")
    if not np.isfinite(values).all() or (len(values) == 4 and values[2:].min() < 0.0):
        raise DataFolderError(f"{path}: {line[:60]!r}: a box is four finite shares, width and height not below 0")
    if len(values) == 4:
        return Label(source_id, values)
    if len(values) < 6 or len(values) % 2:
        raise DataFolderError(f"{path}: {len(values)} numbers in {line[:60]!r}; a box has 4, a polygon 6 or more, even")
    points = values.reshape(-1, 2)
    low, high = points.min(axis=0), points.max(axis=0)
    return Label(source_id, np.concatenate([(low + high) / 2, high - low]), points)
