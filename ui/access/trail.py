"""The trail: who asked for what at which screen, and what became of it; refusals included. One line of JSON each."""

import logging
import os
import threading
from collections import deque
from pathlib import Path

import msgspec

from sorter.runtime.clock import utc_text

_SHOWN_COUNT = 200
_LONGEST_FILE_BYTES = 20_000_000


class TrailEntry(msgspec.Struct, frozen=True):
    """One thing that was asked for.

    Attributes:
        at: wall time, UTC.
        who: user, or what stands for one where nobody has logged in.
        role: what that user may do.
        what: the request's method and path.
        outcome: HTTP status of the answer.
        detail: what it was about, in short.
        remote: address of the other end.
    """

    at: str
    who: str
    role: str
    what: str
    outcome: int
    detail: str
    remote: str


class Trail:
    """Appends to a file, each entry on the disk when `note` returns; a file that has grown too long is set aside."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._newest: deque[TrailEntry] = deque(_read(path), maxlen=_SHOWN_COUNT)

    def note(self, who: str, role: str, what: str, outcome: int, detail: str, remote: str) -> None:
        """Write an entry; a disk that takes none is said in the log, and stops nobody from stopping the line."""
        entry = TrailEntry(utc_text(), who, role, what, outcome, detail, remote)
        with self._lock:
            self._newest.append(entry)
            try:
                self._append(msgspec.json.encode(entry) + b"\n")
            except OSError as error:
                logging.getLogger("ui").warning("the trail %s takes no entries: %s", self._path, error)

    def newest(self) -> list[TrailEntry]:
        """The newest entries, newest first."""
        with self._lock:
            return list(reversed(self._newest))

    def _append(self, line: bytes) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
            is_long = file.tell() > _LONGEST_FILE_BYTES
        if is_long:
            self._path.replace(self._path.with_name(f"{self._path.name}.1"))


def _read(path: Path) -> list[TrailEntry]:
    try:
        lines = path.read_bytes().splitlines()[-_SHOWN_COUNT:]
    except OSError:
        return []
    return [entry for entry in map(_entry, lines) if entry is not None]


def _entry(line: bytes) -> TrailEntry | None:
    try:
        return msgspec.json.decode(line, type=TrailEntry)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None  # torn by a power cut
