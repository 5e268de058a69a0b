"""Putting a backup into a store's place, so that nothing of the store before is mixed with it."""

from pathlib import Path

from sorter.errors import StoreError
from sorter.store.sqlite_connection import lock_for_writing
from sorter.store.sqlite_reader import SqliteReader

# SQLite's log and its index: a log that is left behind would be played into the restored file
_COMPANIONS = ("", "-wal", "-shm")


def restore_store(backup: Path, path: Path) -> Path | None:
    """Put a copy of a backup in a store's place; what was there is kept beside it, and is handed out.

    Raises:
        StoreError: if a line writes to the store, the backup is no store, or an earlier replaced store is in the way.
    """
    reader = SqliteReader(backup)
    try:
        with lock_for_writing(path):
            replaced = path.with_name(f"{path.name}.replaced")
            if replaced.exists():
                raise StoreError(f"{replaced} is there already, from an earlier restoring; move it away first")
            is_there = path.exists()
            for companion in _COMPANIONS:
                each = path.with_name(f"{path.name}{companion}")
                if each.exists():
                    each.rename(f"{replaced}{companion}")
            reader.copy_to(path)
    finally:
        reader.close()
    return replaced if is_there else None
