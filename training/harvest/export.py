"""From kept pictures to what a labelling tool takes in: one folder, whole or not at all."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from sorter.errors import DataFolderError
from sorter.runtime.labelled_folder import ClassMap
from training.data.annotations import boxed
from training.data.labelled_folder_writer import label_line, write_class_list, write_class_map
from training.data.whole_folder import place_file, whole_folder
from training.harvest.cvat_annotations import annotations_xml, label_list
from training.harvest.harvest_folder import Harvested, classes_of
from training.harvest.harvest_record import record_of, write_record
from training.harvest.label_studio_tasks import LOCAL_FILES, labelling_interface, tasks
from training.progress import progress


class ExportRequest(msgspec.Struct, frozen=True):
    """What to export, in which form, to where.

    Attributes:
        pictures: what was kept.
        format_name: a key of `FORMATS`.
        out: the folder to write; must not be there yet.
        min_probability: pre-labels below this are left out.
        address: what stands before a picture's name in Label Studio's tasks.
        link: give pictures a second name instead of copying them.
    """

    pictures: tuple[Harvested, ...]
    format_name: str
    out: Path
    min_probability: float = 0.3
    address: str = LOCAL_FILES
    link: bool = False


class ExportReport(msgspec.Struct, frozen=True):
    """What was exported."""

    out: str
    format_name: str
    picture_count: int
    pre_label_count: int
    by_reason: dict[str, int]


def export(request: ExportRequest) -> ExportReport:
    """Write images/, harvest.json, and what the format has.

    Raises:
        DataFolderError: if the folder is there already or cannot be written; nothing is left behind then.
    """
    with whole_folder(request.out) as part:
        _place_pictures(request, part)
        write_record(part, record_of(request.pictures))
        FORMATS[request.format_name](request, part)
    return ExportReport(
        str(request.out),
        request.format_name,
        len(request.pictures),
        sum(len(one.pre_labels(request.min_probability)) for one in request.pictures),
        dict(Counter(one.kept.reason.value for one in request.pictures)),
    )


def _place_pictures(request: ExportRequest, part: Path) -> None:
    names = Counter(one.path.name for one in request.pictures)
    double = next((name for name, count in names.items() if count > 1), None)
    if double is not None:
        raise DataFolderError(f"{double}: two kept pictures have that name; export their days one by one")
    (part / "images").mkdir()
    with progress(request.pictures, len(request.pictures), "exporting") as steps:
        for one in steps:
            place_file(one.path, part / "images" / one.path.name, link=request.link)


def _write_label_studio(request: ExportRequest, part: Path) -> None:
    names = classes_of(request.pictures)
    found = tasks(request.pictures, request.address, request.min_probability)
    (part / "tasks.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    (part / "labelling_interface.xml").write_text(labelling_interface(names), encoding="utf-8")
    write_class_map(part, _identity(names, complete_for=names))


def _write_cvat(request: ExportRequest, part: Path) -> None:
    names = classes_of(request.pictures)
    (part / "annotations.xml").write_bytes(annotations_xml(request.pictures, names, request.min_probability))
    (part / "labels.json").write_text(json.dumps(label_list(names), indent=1), encoding="utf-8")
    write_class_map(part, _identity(names, complete_for=names))


def _write_yolo(request: ExportRequest, part: Path) -> None:
    names = classes_of(request.pictures)
    (part / "labels").mkdir()
    for one in request.pictures:
        items = [
            (names.index(item.class_name), boxed(item.class_name, item.box_px, (one.kept.width_px, one.kept.height_px)))
            for item in one.pre_labels(request.min_probability)
        ]
        lines = "".join(f"{label_line(item, class_id)}\n" for class_id, item in items)
        (part / "labels" / f"{one.path.stem}.txt").write_text(lines, encoding="utf-8")
    write_class_list(part, dict(enumerate(names)))
    # nobody has looked at these labels yet, so they are complete for nothing
    write_class_map(part, _identity(names, complete_for=()))


def _identity(names: Sequence[str], complete_for: Sequence[str]) -> ClassMap:
    return ClassMap({name: name for name in names}, tuple(complete_for))


FORMATS: dict[str, Callable[[ExportRequest, Path], None]] = {
    "label-studio": _write_label_studio,
    "cvat": _write_cvat,
    "yolo": _write_yolo,
}
