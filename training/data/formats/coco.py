"""COCO labels: JSON with images, categories and annotations in pixels, boxes and single outlines.

Regions marked as a crowd become a class of their own, "NAME (crowd)", which is ignored unless the class map says else.
"""

from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from sorter.errors import DataFolderError
from training.data.annotations import (
    CROWD,
    Annotations,
    LabelError,
    SourceItem,
    SourcePicture,
    boxed,
    gather,
    outlined,
)
from training.data.formats.json_file import json_files_like, read_json
from training.data.formats.picture_search import PictureSearch, real_size_px

# An outline stands for the box only if it spans the same box, within this share of the picture.
_SAME_BOX_RATIO = 0.005


class _Image(msgspec.Struct, frozen=True):
    id: int | str
    file_name: str
    width: float = 0
    height: float = 0
    license: int | str | None = None


class _Category(msgspec.Struct, frozen=True):
    id: int | str
    name: str


class _Annotation(msgspec.Struct, frozen=True):
    image_id: int | str
    category_id: int | str
    bbox: tuple[float, ...] = ()
    segmentation: Any = None
    iscrowd: int = 0


class _Content(msgspec.Struct, frozen=True):
    images: tuple[_Image, ...]
    annotations: tuple[_Annotation, ...]
    categories: tuple[_Category, ...]
    licenses: tuple[dict[str, Any], ...] = ()


def recognise(source: Path) -> bool:
    """Whether a JSON file there has images, annotations and categories."""
    return bool(json_files_like(source, _is_coco))


def read(source: Path, pictures: Path | None = None) -> Annotations:
    """Read a JSON file, or all such files below a folder, and find the pictures.

    Raises:
        DataFolderError: if there is no such file, one is malformed, or two label the same picture.
    """
    paths = [source] if source.is_file() else json_files_like(source, _is_coco)
    if not paths:
        raise DataFolderError(f"{source}: no JSON file with images, annotations and categories there")
    parts = [_read_file(path, pictures) for path in paths]
    names = dict.fromkeys(name for part in parts for name in part.class_names)
    found = tuple(picture for part in parts for picture in part.pictures)
    _check_single(found, source)
    return Annotations(tuple(names), found, tuple(one for part in parts for one in part.skipped))


def _is_coco(content: Any) -> bool:
    return isinstance(content, dict) and {"images", "annotations", "categories"} <= content.keys()


def _check_single(pictures: tuple[SourcePicture, ...], source: Path) -> None:
    seen: set[Path] = set()
    for picture in pictures:
        if picture.path in seen:
            raise DataFolderError(f"{source}: {picture.path.name} is labelled twice; name one JSON file as the source")
        seen.add(picture.path)


def _read_file(path: Path, pictures: Path | None) -> Annotations:
    try:
        content = msgspec.convert(read_json(path), _Content)
    except msgspec.ValidationError as error:
        raise DataFolderError(f"{path}: not as COCO has it: {error}") from error
    reader = _FileReader(content, _search(path, pictures))
    found, skipped = gather((image.file_name, partial(reader.picture, image)) for image in content.images)
    return Annotations(reader.class_names, found, skipped)


def _search(path: Path, pictures: Path | None) -> PictureSearch:
    if pictures is not None:
        return PictureSearch((pictures,))
    beside = (path.parent, path.parent / "images", path.parent.parent / "images")
    folders = tuple(folder for folder in beside if folder.is_dir())
    in_annotations_folder = path.parent.name == "annotations"
    return PictureSearch((*folders, path.parent.parent) if in_annotations_folder else folders)


class _FileReader:
    """Puts the three lists of one file together."""

    def __init__(self, content: _Content, search: PictureSearch) -> None:
        self._search = search
        self._names = {category.id: category.name for category in content.categories}
        self._licences = {one.get("id"): str(one.get("name") or one.get("url") or "") for one in content.licenses}
        self._of_image: dict[int | str, list[_Annotation]] = defaultdict(list)
        for annotation in content.annotations:
            self._of_image[annotation.image_id].append(annotation)
        crowds = {one.category_id for one in content.annotations if one.iscrowd} & self._names.keys()
        self.class_names = (*self._names.values(), *(self._names[one] + CROWD for one in sorted(crowds, key=str)))

    def picture(self, image: _Image) -> SourcePicture:
        """One image with its annotations."""
        path = self._search.find(image.file_name)
        stated = min(image.width, image.height) >= 1
        size_px = (int(image.width), int(image.height)) if stated else real_size_px(path)
        items = tuple(self._item(one, size_px) for one in self._of_image[image.id])
        return SourcePicture(path, self._search.place(path), items, size_px, self._licences.get(image.license) or None)

    def _item(self, annotation: _Annotation, size_px: tuple[int, int]) -> SourceItem:
        if annotation.category_id not in self._names:
            raise LabelError(f"category {annotation.category_id} of image {annotation.image_id} has no name")
        name = self._names[annotation.category_id] + CROWD * bool(annotation.iscrowd)
        outline = _single_outline(name, annotation.segmentation, size_px)
        if outline is not None and not annotation.bbox:
            return outline
        if len(annotation.bbox) != 4:
            raise LabelError(f"a box of {name!r} has {len(annotation.bbox)} numbers, not 4")
        x0, y0, width, height = annotation.bbox
        box = boxed(name, (x0, y0, x0 + width, y0 + height), size_px)
        return outline if outline is not None and _same_box(outline, box) else box


def _single_outline(name: str, segmentation: Any, size_px: tuple[int, int]) -> SourceItem | None:
    # Run lengths (a dict) and items in several parts keep their box alone: YOLO's form has one outline an item.
    if not isinstance(segmentation, list) or len(segmentation) != 1:
        return None
    numbers = segmentation[0]
    if not isinstance(numbers, list) or len(numbers) < 6 or len(numbers) % 2:
        return None
    return outlined(name, list(zip(numbers[::2], numbers[1::2], strict=True)), size_px)


def _same_box(one: SourceItem, other: SourceItem) -> bool:
    return all(abs(a - b) <= _SAME_BOX_RATIO for a, b in zip(one.box, other.box, strict=True))
