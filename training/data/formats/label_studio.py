"""Label Studio's JSON export: tasks with rectangles and outlines in per cent of the picture.

A task that nobody finished is left out: no label does not mean that nothing is there.
"""

import math
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import parse_qs, unquote, urlparse

import msgspec

from sorter.errors import DataFolderError
from sorter.runtime.labelled_folder import PICTURE_SUFFIXES
from training.data.annotations import (
    Annotations,
    LabelError,
    SourceItem,
    SourcePicture,
    boxed,
    gather,
    outlined,
)
from training.data.formats.json_file import json_files_like, read_json
from training.data.formats.picture_search import PictureSearch

_PER_CENT = (100.0, 100.0)
_UPLOAD_PREFIX_LENGTH = 9  # uploads are stored as eight hexadecimal digits, a dash, and the file's name
# "labels" stands beside a "rectangle" or a "polygon" without a name and repeats where it is.
_REGION_TYPES = ("rectanglelabels", "polygonlabels", "labels")
_OTHER_REGIONS = ("brushlabels", "ellipselabels", "keypointlabels", "vectorlabels", "videorectangle")
# What an export is told by: tasks have data; JSON-MIN, which says less, has neither.
_TASK_KEYS = ({"data"}, {"annotation_id", "annotator"})


class _Region(msgspec.Struct, frozen=True):
    type: str
    value: dict[str, Any] = {}
    original_width: int = 0
    original_height: int = 0
    image_rotation: float = 0


class _Annotation(msgspec.Struct, frozen=True):
    result: tuple[_Region, ...] = ()
    was_cancelled: bool | None = False
    ground_truth: bool | None = False


class _Task(msgspec.Struct, frozen=True):
    data: dict[str, Any]
    annotations: tuple[_Annotation, ...] = ()
    completions: tuple[_Annotation, ...] = ()  # their name before version 1.0
    file_upload: str | None = None


def recognise(source: Path) -> bool:
    """Whether a JSON file there is a list of tasks."""
    return bool(json_files_like(source, _is_export))


def read(source: Path, pictures: Path | None = None) -> Annotations:
    """Read an export, or all exports below a folder, and find the pictures.

    Of several finished annotations of a task, the one marked as ground truth counts, else the last.

    Raises:
        DataFolderError: if there is no export, or one is malformed.
    """
    paths = [source] if source.is_file() else json_files_like(source, _is_export)
    if not paths:
        raise DataFolderError(f"{source}: no JSON export with a list of tasks there")
    search = PictureSearch((pictures or (source.parent if source.is_file() else source),))
    tasks = [(_picture_name(task), task) for path in paths for task in _tasks(path)]
    found, skipped = gather((named, partial(_picture, task, named, search)) for named, task in tasks)
    names = dict.fromkeys(item.class_name for picture in found for item in picture.items)
    return Annotations(tuple(sorted(names)), found, skipped)


def _is_export(content: Any) -> bool:
    if not isinstance(content, list) or not content or not isinstance(content[0], dict):
        return False
    return any(keys <= content[0].keys() for keys in _TASK_KEYS)


def _tasks(path: Path) -> list[_Task]:
    try:
        return msgspec.convert(read_json(path), list[_Task])
    except msgspec.ValidationError as error:
        raise DataFolderError(f"{path}: not as Label Studio's JSON has it (not JSON-MIN): {error}") from error


def _picture_name(task: _Task) -> str:
    # A local file is named in the query (…/local-files/?d=belt/1.jpg), an upload by the path.
    named = [_path_in(value) for value in (*task.data.values(), task.file_upload) if isinstance(value, str)]
    return next((path for path in named if Path(path).suffix.lower() in PICTURE_SUFFIXES), "task without a picture")


def _path_in(address: str) -> str:
    parsed = urlparse(address)
    local = parse_qs(parsed.query).get("d")
    return local[0] if local else unquote(parsed.path)


def _picture(task: _Task, named: str, search: PictureSearch) -> SourcePicture:
    finished = [one for one in (*task.annotations, *task.completions) if not one.was_cancelled]
    if not finished:
        raise LabelError("not annotated yet")
    chosen = next((one for one in finished if one.ground_truth), finished[-1])
    sizes = [(one.original_width, one.original_height) for one in chosen.result if one.original_width > 0]
    items = tuple(item for region in chosen.result for item in _items(region))
    path = _find(named, search)
    return SourcePicture(path, search.place(path), items, sizes[0] if sizes else None)


def _find(named: str, search: PictureSearch) -> Path:
    name = PurePosixPath(named).name
    without_prefix = (
        name[_UPLOAD_PREFIX_LENGTH:] if name[_UPLOAD_PREFIX_LENGTH - 1 : _UPLOAD_PREFIX_LENGTH] == "-" else ""
    )
    try:
        return search.find(named)
    except LabelError:
        if not without_prefix:
            raise
        return search.find(without_prefix)


def _items(region: _Region) -> list[SourceItem]:
    if region.type in _OTHER_REGIONS:
        raise LabelError(f"has a region of type {region.type}; only rectangles and polygons can be imported")
    if region.type not in _REGION_TYPES:
        return []
    if region.image_rotation:
        raise LabelError("was labelled on a turned view of the picture")
    names = region.value.get(region.type) or region.value.get("labels") or []
    if len(names) != 1:
        raise LabelError(f"a region has {len(names)} labels, not one")
    try:
        return [_item(str(names[0]), region)]
    except (KeyError, TypeError, ValueError) as error:
        raise LabelError(f"a region of {names[0]!r} is malformed ({error!r})") from error


def _item(name: str, region: _Region) -> SourceItem:
    value = region.value
    if "points" in value:
        return outlined(name, value["points"], _PER_CENT)
    x, y, width, height = (float(value[key]) for key in ("x", "y", "width", "height"))
    if not float(value.get("rotation") or 0.0):
        return boxed(name, (x, y, x + width, y + height), _PER_CENT)
    return outlined(name, _turned_corners(region, x, y, width, height), _PER_CENT)


def _turned_corners(region: _Region, x: float, y: float, width: float, height: float) -> list[tuple[float, float]]:
    # Rectangles turn clockwise, in pixels, round their upper left corner: per cent across and along differ in length.
    if min(region.original_width, region.original_height) < 1:
        raise ValueError("a turned rectangle needs original_width and original_height")
    aspect = region.original_width / region.original_height
    angle = math.radians(float(region.value["rotation"]))
    corners = [(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)]
    return [
        (
            x + right * math.cos(angle) - down / aspect * math.sin(angle),
            y + right * aspect * math.sin(angle) + down * math.cos(angle),
        )
        for right, down in corners
    ]
