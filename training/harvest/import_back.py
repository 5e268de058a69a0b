"""Labels that came back from a labelling tool, joined with why and when their pictures were kept."""

from pathlib import Path

import msgspec

from sorter.errors import DataFolderError
from sorter.runtime.labelled_folder import ClassMap
from training.data.data_sheet import DATA_SHEET
from training.data.formats import cvat
from training.data.importing import ImportReport, ImportRequest, import_source
from training.data.labelled_folder_writer import write_class_map
from training.data.manifest import read_manifest
from training.data.whole_folder import whole_folder, write_whole
from training.harvest.harvest_record import HarvestRecord, part_of, read_record, sheet_section, write_record


class BackRequest(msgspec.Struct, frozen=True):
    """What came back.

    Attributes:
        exported: the folder that `farz harvest export` wrote, pictures and harvest.json in it.
        labels: label file or folder from the tool.
        out: the labelled folder to write; must not be there yet.
        format_name: a label format, or None to find out.
        complete_for: classes that were labelled exhaustively; all that the labellers were offered if empty.
        licence: of the pictures.
    """

    exported: Path
    labels: Path
    out: Path
    format_name: str | None = None
    complete_for: tuple[str, ...] = ()
    licence: str = "the site's own"


class BackReport(msgspec.Struct, frozen=True):
    """What was imported, and by reason; pictures without a finished annotation are left out and named."""

    imported: ImportReport
    by_reason: dict[str, int]


def import_back(request: BackRequest) -> BackReport:
    """Write a labelled folder with harvest.json, its sessions told by the pictures' names.

    Raises:
        DataFolderError: if labels or record cannot be used; nothing is left behind then.
    """
    record = read_record(request.exported)
    _check_classes(request.complete_for, record)
    with whole_folder(request.out) as part:
        # one level down under the name it will have, because what is imported names itself
        inner = part / request.out.resolve().name
        report = import_source(_import_request(request, record, inner, part))
        kept = part_of(record, read_manifest(inner).by_file_name)
        write_record(inner, kept)
        _extend_sheet(inner, kept)
        _lift(inner, part)
    reasons = [entry.reason.value for entry in kept.pictures]
    by_reason = {reason: reasons.count(reason) for reason in sorted(set(reasons))}
    return BackReport(msgspec.structs.replace(report, out=str(request.out)), by_reason)


def _check_classes(complete_for: tuple[str, ...], record: HarvestRecord) -> None:
    unknown = sorted(set(complete_for) - set(record.classes))
    if unknown:
        raise DataFolderError(f"--complete-for {unknown[0]}: must be among {', '.join(record.classes)}")


def _import_request(request: BackRequest, record: HarvestRecord, inner: Path, part: Path) -> ImportRequest:
    complete_for = request.complete_for or record.classes
    write_class_map(part, ClassMap({name: name for name in record.classes}, complete_for))
    lines = sorted({entry.line_name for entry in record.pictures})
    return ImportRequest(
        source=request.labels,
        class_map=part / "class_map.toml",
        source_name=f"harvest of {', '.join(lines)}",
        licence=request.licence,
        out=inner,
        format_name=request.format_name or ("cvat" if cvat.recognise(request.labels) else None),
        pictures=request.exported / "images",
        class_names=record.classes,
    )


def _extend_sheet(folder: Path, record: HarvestRecord) -> None:
    sheet = folder / DATA_SHEET
    write_whole(sheet, f"{sheet.read_text(encoding='utf-8')}\n{sheet_section(record)}")


def _lift(inner: Path, part: Path) -> None:
    for path in inner.iterdir():
        path.replace(part / path.name)
    inner.rmdir()
