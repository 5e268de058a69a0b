"""From a source in any of the formats to a labelled folder, whole or not at all."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import msgspec

from sorter.errors import DataFolderError
from sorter.model.materials import CLASS_NAMES
from sorter.runtime.bundle import file_sha256
from sorter.runtime.labelled_folder import read_class_map
from training.data.annotations import Annotations, LabelError, Skipped, SourcePicture
from training.data.data_sheet import write_data_sheet
from training.data.formats import guess_format, read_annotations
from training.data.labelled_folder_writer import completed_map, label_line, write_class_list, write_class_map
from training.data.manifest import Manifest, PictureEntry, ordered, write_manifest
from training.data.picture_file import PictureFacts, read_facts
from training.data.sessions import Capture, Session, capture_sessions, session_pattern
from training.data.whole_folder import place_file, whole_folder
from training.progress import progress

# Labels drawn on the picture at another size still fit; drawn on it turned by a quarter they do not.
_SAME_ASPECT_RATIO = 0.02


class ImportRequest(msgspec.Struct, frozen=True):
    """What to import, from where, under which name, to where.

    Attributes:
        source: folder or label file.
        class_map: TOML file: source class → material class, and the classes labelled exhaustively.
        source_name: the source's name, for manifest and data sheet.
        licence: as the source states it.
        out: the folder to write.
        format_name: a label format, or None to find out.
        pictures: where the pictures are, if not where the format has them.
        link: give files a second name instead of copying them.
        session_pattern: regular expression for the capture session in a picture's path, or None.
        class_names: the material classes there are.
    """

    source: Path
    class_map: Path
    source_name: str
    licence: str
    out: Path
    format_name: str | None = None
    pictures: Path | None = None
    link: bool = False
    session_pattern: str | None = None
    class_names: tuple[str, ...] = CLASS_NAMES


class ImportReport(msgspec.Struct, frozen=True):
    """What was imported and what was not."""

    out: str
    format_name: str
    picture_count: int
    label_count: int
    session_count: int
    skipped: tuple[Skipped, ...]


class _Stored(msgspec.Struct, frozen=True):
    picture: SourcePicture
    facts: PictureFacts
    file_name: str


def import_source(request: ImportRequest) -> ImportReport:
    """Write a labelled folder: images/, labels/, data.yaml, class_map.toml, manifest.json, DATA_SHEET.md.

    Pictures that are broken or whose labels cannot be used are left out and reported.

    Raises:
        DataFolderError: if the labels or the class map cannot be used, no picture could, or something cannot be
            written; nothing is left behind then.
    """
    pattern = session_pattern(request.session_pattern)
    format_name = request.format_name or guess_format(request.source)
    annotations = read_annotations(request.source, format_name, request.pictures)
    class_map = completed_map(read_class_map(request.class_map), annotations.class_names, request.class_names)
    with whole_folder(request.out) as part:
        stored, broken = _store_pictures(annotations.pictures, part, link=request.link)
        names = dict(enumerate(annotations.class_names))
        _write_labels(stored, part, names)
        write_class_list(part, names)
        write_class_map(part, class_map)
        manifest = _manifest(request, format_name, annotations, stored, broken, part, pattern)
        write_manifest(part, manifest)
        write_data_sheet(part, request.class_names, request.out.resolve().name)
    return _report(request, format_name, manifest)


def stored_names(places: Sequence[str]) -> list[str]:
    """A file name for each path inside a source: its own, with the folders before it where two would share a stem."""
    stems = Counter(PurePosixPath(place).stem.lower() for place in places)
    names = [
        _stored_name(PurePosixPath(place), alone=stems[PurePosixPath(place).stem.lower()] == 1) for place in places
    ]
    taken: set[str] = set()
    return [_untaken(name, taken) for name in names]


def _stored_name(place: PurePosixPath, *, alone: bool) -> str:
    return place.name if alone else "__".join(place.parts)


def _untaken(name: str, taken: set[str]) -> str:
    path = PurePosixPath(name)
    stem, number = path.stem, 2
    while stem.lower() in taken:
        stem, number = f"{path.stem}__{number}", number + 1
    taken.add(stem.lower())
    return f"{stem}{path.suffix}"


def _store_pictures(
    pictures: Sequence[SourcePicture], part: Path, *, link: bool
) -> tuple[list[_Stored], list[Skipped]]:
    (part / "images").mkdir()
    stored: list[_Stored] = []
    broken: list[Skipped] = []
    names = stored_names([picture.place for picture in pictures])
    with progress(list(zip(pictures, names, strict=True)), len(pictures), "importing") as steps:
        for picture, name in steps:
            facts = _facts_or_skip(picture)
            if isinstance(facts, Skipped):
                broken.append(facts)
                continue
            place_file(picture.path, part / "images" / name, link=link)
            stored.append(_Stored(picture, facts, name))
    if not stored:
        raise DataFolderError(f"none of {len(pictures)} pictures could be used; the first: {broken[0].why}")
    return stored, broken


def _facts_or_skip(picture: SourcePicture) -> PictureFacts | Skipped:
    try:
        facts = read_facts(picture.path)
        _check_size(picture, facts)
    except DataFolderError as error:
        return Skipped(picture.place, str(error))
    return facts


def _check_size(picture: SourcePicture, facts: PictureFacts) -> None:
    if picture.size_px is None:
        return
    width_px, height_px = picture.size_px
    stretch_ratio = (width_px * facts.height_px) / (height_px * facts.width_px)
    if abs(stretch_ratio - 1.0) > _SAME_ASPECT_RATIO:
        raise LabelError(
            f"its labels are for {width_px}×{height_px} px, the picture is {facts.width_px}×{facts.height_px} px"
        )


def _write_labels(stored: Sequence[_Stored], part: Path, names: dict[int, str]) -> None:
    (part / "labels").mkdir()
    ids = {name: index for index, name in names.items()}
    for one in stored:
        lines = [f"{label_line(item, ids[item.class_name])}\n" for item in one.picture.items]
        path = part / "labels" / f"{Path(one.file_name).stem}.txt"
        path.write_text("".join(lines), encoding="utf-8")


def _manifest(
    request: ImportRequest, format_name: str, annotations: Annotations, stored: Sequence[_Stored],
    broken: Sequence[Skipped], part: Path, pattern: re.Pattern[str] | None,
) -> Manifest:  # fmt: skip
    captures = [Capture(one.picture.place, taken_hour=one.facts.taken_hour) for one in stored]
    sessions = capture_sessions(captures, pattern)
    entries = [_entry(one, session, request, part) for one, session in zip(stored, sessions, strict=True)]
    written_by = f"farz train import --format {format_name} --source {request.source_name!r}"
    return Manifest(written_by, ordered(entries), (*annotations.skipped, *broken))


def _entry(one: _Stored, session: Session, request: ImportRequest, part: Path) -> PictureEntry:
    file = f"images/{one.file_name}"
    return PictureEntry(
        file,
        file_sha256(part / file),
        (part / file).stat().st_size,
        one.facts.width_px,
        one.facts.height_px,
        session,
        request.source_name,
        one.picture.place,
        one.picture.licence or request.licence,
        len(one.picture.items),
    )


def _report(request: ImportRequest, format_name: str, manifest: Manifest) -> ImportReport:
    return ImportReport(
        str(request.out),
        format_name,
        len(manifest.pictures),
        sum(entry.label_count for entry in manifest.pictures),
        len({entry.session for entry in manifest.pictures}),
        manifest.skipped,
    )
