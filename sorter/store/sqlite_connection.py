"""SQLite as the store wants it: WAL, `synchronous=FULL`, one writer by lock; its errors become ours.

apsw brings a SQLite of its own: that of Python's standard library may be one with the WAL-reset bug.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import apsw

from sorter.errors import StoreError, StoreFullError

STORE_FILE = "events.sqlite"
_BUSY_MS = 10_000
# of 8 KiB: a checkpoint every 32 MiB keeps the log short without a write of every page for every batch
_PAGE_BYTES = 8192
_CHECKPOINT_PAGES = 4000


def open_for_writing(path: Path, vfs: str | None = None) -> apsw.Connection:
    """A connection that writes; makes the file where there is none.

    Raises:
        StoreError: if the file cannot be opened or is no database.
    """
    with errors_translated(path):
        connection = apsw.Connection(str(path), vfs=vfs)
        connection.set_busy_timeout(_BUSY_MS)
        connection.transaction_mode = "IMMEDIATE"
        connection.pragma("page_size", _PAGE_BYTES)
        # lets retention give pages back without rewriting the file; counts only for a file that is made anew
        connection.pragma("auto_vacuum", "INCREMENTAL")
        connection.pragma("journal_mode", "wal")
        connection.pragma("synchronous", "FULL")
        connection.wal_autocheckpoint(_CHECKPOINT_PAGES)
        return connection


def open_for_reading(path: Path, vfs: str | None = None) -> apsw.Connection:
    """A connection that cannot write.

    Raises:
        StoreError: if there is no such file, or it is no database.
    """
    with errors_translated(path):
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY, vfs=vfs)
        connection.set_busy_timeout(_BUSY_MS)
        connection.pragma("query_only", True)
        return connection


def copy_connection(source: apsw.Connection, path: Path) -> None:
    """Copy a database into a file, in one step, so that it is of one moment."""
    target = apsw.Connection(str(path))
    try:
        with target.backup("main", source, "main") as backup:
            backup.step()
    finally:
        target.close()


@contextmanager
def errors_translated(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ours, the file named."""
    try:
        yield
    except apsw.FullError as error:
        raise StoreFullError(f"store {path}: no room left on the disk") from error
    except apsw.Error as error:
        raise StoreError(f"store {path}: {error}") from error


def lock_for_writing(path: Path) -> IO[str]:
    """Hold the place of the one writer until the file handed out is closed, or the process ends however it does.

    Raises:
        StoreError: if another process holds it, or the folder cannot be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.with_suffix(".lock").open("w")
    except OSError as error:
        raise StoreError(f"store {path}: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise StoreError(f"store {path}: another line writes to it; give this one a store.folder of its own") from error
    return lock
