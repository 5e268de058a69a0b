"""Pascal VOC labels: an XML file a picture; entities and external references in it are refused.

Corners are taken as continuous pixel coordinates from the picture's edge, as today's tools write them; those of the
original set count from one, which shifts a box by less than a pixel.
"""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from training.data.annotations import (
    DIFFICULT,
    Annotations,
    LabelError,
    SourceItem,
    SourcePicture,
    boxed,
    gather,
)
from training.data.formats.picture_search import PictureSearch, real_size_px

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element  # the type alone; defusedxml parses

_CORNERS = ("xmin", "ymin", "xmax", "ymax")
_OPENING = 400


def recognise(source: Path) -> bool:
    """Whether the folder holds XML files that open with an annotation."""
    return source.is_dir() and any(_opens_with_annotation(path) for path in sorted(source.rglob("*.xml"))[:3])


def read(source: Path, pictures: Path | None = None) -> Annotations:
    """Read all XML files below a folder and find their pictures.

    A picture that no file names is left out: nobody said that it is empty.

    Raises:
        DataFolderError: if the source is no folder.
    """
    search = PictureSearch((pictures or source,))
    found, skipped = gather(
        (path.relative_to(source).as_posix(), partial(_read_picture, path, search))
        for path in sorted(source.rglob("*.xml"))
    )
    names = dict.fromkeys(item.class_name for picture in found for item in picture.items)
    return Annotations(tuple(sorted(names)), found, skipped)


def _opens_with_annotation(path: Path) -> bool:
    with path.open("rb") as file:
        return b"<annotation" in file.read(_OPENING)


def _read_picture(path: Path, search: PictureSearch) -> SourcePicture:
    tree = _parsed(path)
    picture = search.find(tree.findtext("filename") or f"{path.stem}.jpg")
    size_px = _stated_size(tree) or real_size_px(picture)
    items = tuple(_item(element, size_px) for element in tree.findall("object"))
    return SourcePicture(picture, search.place(picture), items, size_px)


def _parsed(path: Path) -> "Element":
    import defusedxml.ElementTree as Xml
    from defusedxml.common import DefusedXmlException

    try:
        root: Element = Xml.parse(path).getroot()
    except (OSError, Xml.ParseError, DefusedXmlException, ValueError) as error:
        raise LabelError(f"cannot be read as XML ({error})") from error
    return root


def _stated_size(tree: "Element") -> tuple[int, int] | None:
    try:
        width_px, height_px = (int(float(tree.findtext(f"size/{side}") or 0)) for side in ("width", "height"))
    except ValueError as error:
        raise LabelError(f"the picture's size is no number ({error})") from error
    return (width_px, height_px) if width_px > 0 and height_px > 0 else None


def _item(element: "Element", size_px: tuple[int, int]) -> SourceItem:
    name = (element.findtext("name") or "").strip()
    if not name:
        raise LabelError("an object has no name")
    try:
        corners = [float(element.findtext(f"bndbox/{corner}") or "nothing") for corner in _CORNERS]
    except ValueError as error:
        raise LabelError(f"the box of {name!r} lacks one of {', '.join(_CORNERS)} ({error})") from error
    difficult = (element.findtext("difficult") or "0").strip() == "1"
    return boxed(name + DIFFICULT * difficult, corners, size_px)
