"""Reads the hub's PostgreSQL store and cannot change it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sorter.errors import StoreError
from sorter.store.postgres_connection import errors_translated, open_connection
from sorter.store.postgres_schema import VERSION_TABLE
from sorter.store.rows import Row, Value
from sorter.store.schema import SCHEMA_VERSION
from sorter.store.sql_reader import SqlReader

_SIZES = (
    "SELECT relname, COALESCE((SELECT SUM(pg_total_relation_size(relid)) FROM pg_partition_tree(oid)), "
    "pg_total_relation_size(oid)) FROM pg_class "
    "WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition"
)


class PostgresReader(SqlReader):
    """A read-only connection; used by one thread at a time."""

    def __init__(self, dsn: str) -> None:
        """Connect to a store that exists.

        Raises:
            StoreError: if there is none, or it is of another schema than this Farz reads.
        """
        self._dsn = dsn
        self._connection = open_connection(dsn, is_read_only=True)
        try:
            ((version,),) = self._rows(f"SELECT MAX(version) FROM {VERSION_TABLE.name}")
        except StoreError:
            self._connection.close()
            raise
        if version != SCHEMA_VERSION:
            self._connection.close()
            raise StoreError(f"store: schema {version}, this Farz reads {SCHEMA_VERSION}; its writer migrates it")

    @property
    def is_usable(self) -> bool:
        """False once the connection was lost."""
        return not self._connection.closed

    def used_bytes(self) -> dict[str, int]:
        """How much room each table takes, parts and indexes included."""
        return {str(table): int(size or 0) for table, size in self._rows(_SIZES)}

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        with errors_translated(self._dsn), self._connection.transaction():
            yield

    def _rows(self, statement: str, values: Sequence[Value] = ()) -> list[Row]:
        with errors_translated(self._dsn):
            return self._connection.execute(statement.replace("?", "%s").encode(), values).fetchall()
