"""CVAT's "CVAT for images 1.1": one XML file for all pictures of a task, or the zip of a download that holds it.

A picture without a shape counts as one that holds nothing: CVAT does not say who has looked at what, so export a task
when it is finished.
"""

import math
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sorter.errors import DataFolderError
from training.data.annotations import Annotations, LabelError, SourceItem, SourcePicture, boxed, gather, outlined
from training.data.formats.picture_search import PictureSearch

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element  # the type alone; defusedxml parses

_FILE = "annotations.xml"
_OPENING = 400
_CORNERS = ("xtl", "ytl", "xbr", "ybr")
_OTHER_SHAPES = frozenset({"polyline", "points", "cuboid", "ellipse", "mask", "skeleton"})


def recognise(source: Path) -> bool:
    """Whether it is, or holds, a file called annotations.xml that opens as CVAT's do."""
    try:
        return b"<annotations" in _content(source)[:_OPENING]
    except DataFolderError:
        return False


def read(source: Path, pictures: Path | None = None) -> Annotations:
    """Read the XML file, a zip or a folder with it, and find the pictures.

    Raises:
        DataFolderError: if there is no such file, it is malformed, or it is of a video task.
    """
    root = _parsed(_content(source), source)
    if root.find("track") is not None:
        raise DataFolderError(f"{source}: made as 'CVAT for video'; export the task as 'CVAT for images 1.1'")
    search = PictureSearch((pictures or (source if source.is_dir() else source.parent),))
    found, skipped = gather((one.get("name", ""), partial(_picture, one, search)) for one in root.iter("image"))
    stated = [label.findtext("name") or "" for label in root.iterfind("meta//labels/label")]
    used = [item.class_name for picture in found for item in picture.items]
    return Annotations(tuple(name for name in dict.fromkeys([*stated, *used]) if name), found, skipped)


def _content(source: Path) -> bytes:
    try:
        if zipfile.is_zipfile(source):
            with zipfile.ZipFile(source) as archive:
                return archive.read(_FILE)
        return (source / _FILE if source.is_dir() else source).read_bytes()
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise DataFolderError(f"{source}: no {_FILE} to read there ({error})") from error


def _parsed(content: bytes, source: Path) -> "Element":
    import defusedxml.ElementTree as Xml
    from defusedxml.common import DefusedXmlException

    try:
        root: Element = Xml.fromstring(content)
    except (Xml.ParseError, DefusedXmlException, ValueError) as error:
        raise DataFolderError(f"{source}: cannot be read as XML ({error})") from error
    if root.tag != "annotations":
        raise DataFolderError(f"{source}: opens with <{root.tag}>, CVAT's with <annotations>")
    return root


def _picture(element: "Element", search: PictureSearch) -> SourcePicture:
    size_px = (round(_number(element, "width")), round(_number(element, "height")))
    if min(size_px) < 1:
        raise LabelError(f"its size is stated as {size_px[0]}×{size_px[1]} px")
    path = search.find(element.get("name", ""))
    return SourcePicture(path, search.place(path), tuple(_items(element, size_px)), size_px)


def _items(element: "Element", size_px: tuple[int, int]) -> Iterator[SourceItem]:
    for shape in element:
        name = shape.get("label", "")
        if shape.tag in _OTHER_SHAPES:
            raise LabelError(f"has a {shape.tag}; only boxes and polygons can be imported")
        if shape.tag == "polygon":
            yield outlined(name, _points(shape), size_px)
        elif shape.tag == "box":
            yield _box(shape, name, size_px)


def _box(shape: "Element", name: str, size_px: tuple[int, int]) -> SourceItem:
    corners = [_number(shape, key) for key in _CORNERS]
    angle = math.radians(_number(shape, "rotation", 0.0))
    return outlined(name, _turned(corners, angle), size_px) if angle else boxed(name, corners, size_px)


def _turned(corners: list[float], angle: float) -> list[tuple[float, float]]:
    # boxes turn clockwise round their centre
    x0, y0, x1, y1 = corners
    centre_x, centre_y, cos, sin = (x0 + x1) / 2, (y0 + y1) / 2, math.cos(angle), math.sin(angle)
    offsets = [(x - centre_x, y - centre_y) for x, y in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))]
    return [(centre_x + x * cos - y * sin, centre_y + x * sin + y * cos) for x, y in offsets]


def _points(shape: "Element") -> list[list[float]]:
    text = shape.get("points", "")
    try:
        return [[float(value) for value in pair.split(",")] for pair in text.split(";")]
    except ValueError as error:
        raise LabelError(f"a polygon's points {text[:40]!r} are no numbers ({error})") from error


def _number(element: "Element", key: str, default: float | None = None) -> float:
    text = element.get(key)
    if text is None and default is not None:
        return default
    try:
        return float(text or "nothing")
    except ValueError as error:
        raise LabelError(f"{key}={text!r} of a {element.tag} is no number") from error
