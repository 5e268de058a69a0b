"""manifest.json: what a labelled folder holds, picture by picture, and where each comes from."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from sorter.errors import DataFolderError
from sorter.runtime.bundle import file_sha256
from training.data.annotations import Skipped
from training.data.sessions import Session
from training.data.whole_folder import write_whole

MANIFEST = "manifest.json"
_NOT_STATED = "not stated"


class PictureEntry(msgspec.Struct, frozen=True):
    """One picture.

    Attributes:
        file: its path inside the folder.
        sha256: of the file, in hexadecimal.
        byte_count: of the file.
        width_px: columns, as shown.
        height_px: rows, as shown.
        session: the capture session, and what it was told by.
        source: name of the source.
        source_file: its path inside the source.
        licence: as the source states it.
        label_count: labelled items, those to ignore included.
    """

    file: str
    sha256: str
    byte_count: int
    width_px: int
    height_px: int
    session: Session
    source: str
    source_file: str
    licence: str
    label_count: int


class Manifest(msgspec.Struct, frozen=True):
    """A labelled folder's content and origin.

    Attributes:
        written_by: the command that wrote the folder, as far as it decides the content.
        pictures: ordered by file.
        skipped: pictures of the source that could not be used, and why.
        format_version: of this file.
    """

    written_by: str
    pictures: tuple[PictureEntry, ...]
    skipped: tuple[Skipped, ...] = ()
    format_version: int = 1

    @property
    def by_file_name(self) -> dict[str, PictureEntry]:
        """The entries by their file's name."""
        return {Path(entry.file).name: entry for entry in self.pictures}


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write manifest.json into a folder.

    Raises:
        DataFolderError: if it cannot be written.
    """
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=1).decode()
    write_whole(folder / MANIFEST, f"{text}\n")


def read_manifest(folder: Path) -> Manifest:
    """Read a folder's manifest.

    Raises:
        DataFolderError: if it is missing or malformed.
    """
    try:
        return msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except FileNotFoundError as error:
        raise DataFolderError(f"{folder}: no {MANIFEST} there; `farz train import` writes one") from error
    except (OSError, msgspec.DecodeError) as error:
        raise DataFolderError(f"{folder / MANIFEST} cannot be read: {error}") from error


def manifest_of(folder: Path) -> Manifest | None:
    """A folder's manifest, or None where it has none.

    Raises:
        DataFolderError: if there is one, but malformed.
    """
    return read_manifest(folder) if (folder / MANIFEST).is_file() else None


def new_entry(path: Path, size_px: tuple[int, int], session: Session, label_count: int) -> PictureEntry:
    """An entry for a picture of a folder that has no manifest: origin not stated."""
    return PictureEntry(
        f"images/{path.name}",
        file_sha256(path),
        path.stat().st_size,
        *size_px,
        session,
        _NOT_STATED,
        f"images/{path.name}",
        _NOT_STATED,
        label_count,
    )


def ordered(entries: Iterable[PictureEntry]) -> tuple[PictureEntry, ...]:
    """Entries by file."""
    return tuple(sorted(entries, key=lambda entry: entry.file))
