"""Reads a line's SQLite store and cannot change it; any number of readers beside the one writer, none waits for it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sorter.errors import StoreError
from sorter.store.rows import Row, Value
from sorter.store.schema import SCHEMA_VERSION
from sorter.store.sql_reader import SqlReader
from sorter.store.sqlite_connection import copy_connection, errors_translated, open_for_reading


class SqliteReader(SqlReader):
    """A read-only connection; used by one thread at a time."""

    def __init__(self, path: Path, vfs: str | None = None) -> None:
        """Open a store that exists.

        Raises:
            StoreError: if there is none, or it is of another schema than this Farz reads.
        """
        self.path = path
        self._connection = open_for_reading(path, vfs)
        with errors_translated(path):
            version = int(self._connection.pragma("user_version"))
        if version != SCHEMA_VERSION:
            self._connection.close()
            raise StoreError(
                f"store {path}: schema {version}, this Farz reads {SCHEMA_VERSION}; its writer migrates it"
            )

    def integrity_faults(self) -> list[str]:
        """What SQLite finds wrong with the file; nothing, if all is well."""
        return [str(row[0]) for row in self._rows("PRAGMA integrity_check") if row[0] != "ok"]

    def copy_to(self, path: Path) -> None:
        """Copy the store as it is at this moment into a new file; the writer goes on meanwhile.

        Raises:
            StoreError: if the file exists, or cannot be written.
        """
        if path.exists():
            raise StoreError(f"{path} is there already; a backup goes into a new file")
        part = path.with_name(f"{path.name}.part")
        part.unlink(missing_ok=True)
        with errors_translated(path):
            copy_connection(self._connection, part)
        part.rename(path)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        with errors_translated(self.path):
            self._connection.execute("BEGIN")
            try:
                yield
            finally:
                self._connection.execute("COMMIT")

    def _rows(self, statement: str, values: Sequence[Value] = ()) -> list[Row]:
        with errors_translated(self.path):
            return list(self._connection.execute(statement, tuple(values)))
