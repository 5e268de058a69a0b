"""The shelf of a line's models: a folder with the bundles that were ever champion, and a pointer to the one in use.

    champion.json    which bundle is in use, and those before it, for rollback; replaced in one step
    bundles/<id>/    copies of the bundles, never changed
    journal.jsonl    every promotion, refusal and rollback with its figures

Whether a model deserves to be champion is for `training.release.promotion` to say.
"""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import msgspec

from sorter.errors import ShelfError
from sorter.runtime.clock import utc_text
from sorter.runtime.whole_file import flush_folder

POINTER_NAME = "champion.json"
JOURNAL_NAME = "journal.jsonl"
# a folder on the shelf: no pointer may lead out of it
_MODEL_ID = r"^[^/\\.][^/\\]*$"
ModelId = Annotated[str, msgspec.Meta(pattern=_MODEL_ID)]
_BUNDLES, _LOCK_NAME, _PART_SUFFIX = "bundles", ".lock", ".part"


class Champion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The pointer: which bundle is in use, which were before it (the last one first to return), and the site set.

    Attributes:
        model_id: bundle in use, the name of its folder.
        earlier: champions before it, oldest first.
        site_set_sha256: hash of the labelled pictures on which champions and challengers are compared.
        since: wall time of the change, UTC.
    """

    model_id: ModelId
    earlier: tuple[ModelId, ...]
    site_set_sha256: str
    since: str


class ModelShelf:
    """One shelf; whoever changes it holds its lock (`changing`)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def pointer_path(self) -> Path:
        """The file that changes when the champion does."""
        return self.folder / POINTER_NAME

    def bundle_folder(self, model_id: str) -> Path:
        """Where a bundle of the shelf lies."""
        return self.folder / _BUNDLES / model_id

    def champion(self) -> Champion | None:
        """The champion, None on a shelf that has none yet.

        Raises:
            ShelfError: if the pointer cannot be read.
        """
        try:
            return msgspec.json.decode(self.pointer_path.read_bytes(), type=Champion)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ShelfError(f"shelf {self.folder}: {POINTER_NAME} cannot be read: {error}") from error

    def model_ids(self) -> list[str]:
        """All bundles on the shelf, by name."""
        bundles = self.folder / _BUNDLES
        return sorted(entry.name for entry in bundles.iterdir() if _is_whole(entry)) if bundles.is_dir() else []

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Hold the shelf's lock, making the shelf if need be.

        Raises:
            ShelfError: if somebody else holds it, or the folder cannot be made.
        """
        try:
            (self.folder / _BUNDLES).mkdir(parents=True, exist_ok=True)
            lock = (self.folder / _LOCK_NAME).open("w")
        except OSError as error:
            raise ShelfError(f"shelf {self.folder}: cannot be written: {error}") from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise ShelfError(f"shelf {self.folder}: somebody else is changing it; try again later") from error
            yield

    @contextmanager
    def taking_in(self, source: Path) -> Iterator[Path]:
        """Copy a bundle beside the others; what is handed out is the copy, to be checked and then to be `shelve`d.

        The copy is removed if it was not shelved.
        """
        part = self.folder / _BUNDLES / f"{os.getpid()}{_PART_SUFFIX}"
        for left in part.parent.glob(f"*{_PART_SUFFIX}"):
            shutil.rmtree(left, ignore_errors=True)
        part.mkdir()
        try:
            for path in _files_in(source):
                target = part / path.relative_to(source)
                target.parent.mkdir(parents=True, exist_ok=True)
                _copy_durably(path, target)
            yield part
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def shelve(self, part: Path, model_id: str) -> None:
        """Put a checked copy in its place; a bundle that is there already must be the same.

        Raises:
            ShelfError: if another bundle of that name is there, or the name cannot be a folder's.
        """
        if re.fullmatch(_MODEL_ID, model_id) is None:
            raise ShelfError(f"bundle {model_id!r}: its name or version cannot be part of a folder's name")
        place = self.bundle_folder(model_id)
        if not place.is_dir():
            part.rename(place)
            flush_folder(place.parent)
        elif _contents(place) != _contents(part):
            raise ShelfError(
                f"shelf {self.folder}: it holds another bundle {model_id}; bundles there never change, "
                "so give this one a new version"
            )

    def point_to(self, champion: Champion) -> None:
        """Make a bundle of the shelf the champion, in one step: readers see the old pointer or the new one."""
        part = self.pointer_path.with_suffix(_PART_SUFFIX)
        _write_durably(part, msgspec.json.format(msgspec.json.encode(champion), indent=2) + b"\n")
        part.replace(self.pointer_path)
        flush_folder(self.folder)

    def roll_back(self) -> Champion:
        """Return to the champion before this one; the bundle that is left stays on the shelf.

        Raises:
            ShelfError: if there is none, or its bundle is gone.
        """
        champion = self.champion()
        if champion is None or not champion.earlier:
            raise ShelfError(f"shelf {self.folder}: there is no earlier champion to go back to")
        *earlier, model_id = champion.earlier
        if not self.bundle_folder(model_id).is_dir():
            raise ShelfError(f"shelf {self.folder}: the earlier champion {model_id} is not there any more")
        self.note({"event": "rolled_back", "from": champion.model_id, "to": model_id})
        restored = Champion(model_id, tuple(earlier), champion.site_set_sha256, utc_text())
        self.point_to(restored)
        return restored

    def note(self, entry: dict[str, Any]) -> None:
        """Add an entry to the journal, with the wall time; it is on the disk when this returns."""
        with (self.folder / JOURNAL_NAME).open("ab") as journal:
            journal.write(msgspec.json.encode({"at": utc_text(), **entry}) + b"\n")
            journal.flush()
            os.fsync(journal.fileno())


def is_shelf(folder: Path) -> bool:
    """Whether a folder is a shelf with a champion."""
    return (folder / POINTER_NAME).is_file()


def is_on_shelf(folder: Path) -> bool:
    """Whether a folder is a shelf with a champion, or a bundle on one."""
    return is_shelf(folder) or is_shelf(folder.resolve().parents[1])


def champion_folder(folder: Path) -> Path:
    """The folder of the champion's bundle if this is a shelf, else the folder itself.

    Raises:
        ShelfError: if the pointer cannot be read.
    """
    shelf = ModelShelf(folder)
    champion = shelf.champion()
    return folder if champion is None else shelf.bundle_folder(champion.model_id)


def _is_whole(entry: Path) -> bool:
    return entry.is_dir() and not entry.name.endswith(_PART_SUFFIX)


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in _files_in(folder)}


def _files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _copy_durably(source: Path, target: Path) -> None:
    _write_durably(target, source.read_bytes())
    target.chmod(0o444)


def _write_durably(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
