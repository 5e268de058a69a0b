"""The label formats that can be imported, and how to tell which one a folder holds."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from sorter.errors import DataFolderError
from training.data.annotations import Annotations
from training.data.formats import coco, cvat, label_studio, voc, yolo
from training.data.formats.json_file import read_json


class LabelFormat(msgspec.Struct, frozen=True):
    """A format: does a source look like it, and reading one (source, folder of the pictures if it is elsewhere)."""

    recognise: Callable[[Path], bool]
    read: Callable[[Path, Path | None], Annotations]


FORMATS: dict[str, LabelFormat] = {
    "coco": LabelFormat(coco.recognise, coco.read),
    "yolo": LabelFormat(yolo.recognise, yolo.read),
    "voc": LabelFormat(voc.recognise, voc.read),
    "label-studio": LabelFormat(label_studio.recognise, label_studio.read),
    "cvat": LabelFormat(cvat.recognise, cvat.read),
}


def read_annotations(source: Path, format_name: str | None = None, pictures: Path | None = None) -> Annotations:
    """Read a source in the named format, or in the one it looks like.

    Args:
        source: a folder, or the file with the labels where the format has one.
        format_name: a key of `FORMATS`; None to find out.
        pictures: where the pictures are, if not where the format has them.

    Raises:
        DataFolderError: if the format cannot be told, or the labels cannot be read.
    """
    annotations = FORMATS[format_name or guess_format(source)].read(source, pictures)
    if not annotations.pictures:
        first = (
            f"; the first of {len(annotations.skipped)}: {annotations.skipped[0].why}" if annotations.skipped else ""
        )
        raise DataFolderError(f"{source}: no labelled picture could be used{first}")
    return annotations


def guess_format(source: Path) -> str:
    """The one format that a source looks like.

    Raises:
        DataFolderError: if nothing is there, or it looks like no format, or like several.
    """
    if not source.exists():
        raise DataFolderError(f"{source}: nothing is there")
    if source.is_file():
        read_json(source)
    likely = [name for name, one in FORMATS.items() if one.recognise(source)]
    if len(likely) == 1:
        return likely[0]
    finding = f"looks like {' and '.join(likely)}" if likely else "looks like no known label format"
    raise DataFolderError(f"{source}: {finding}; say which with --format ({', '.join(FORMATS)})")
