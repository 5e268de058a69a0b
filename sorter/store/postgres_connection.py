"""The one door to psycopg: connections as the store wants them, and PostgreSQL's errors as ours."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import conninfo, errors
from psycopg.rows import TupleRow
from psycopg.types.numeric import IntLoader

from sorter.errors import StoreError, StoreFullError, StoreRefusedError

Connection = psycopg.Connection[TupleRow]
# what only one writer at a time does, whichever process it is in
WRITERS_LOCK = b"SELECT pg_advisory_xact_lock(hashtext('farz'))"
_CONNECT_S = 10
# a statement that takes longer is given up, and the batch sent again
_STATEMENT_MS = 30_000


def open_connection(dsn: str, *, is_read_only: bool = False) -> Connection:
    """A connection whose commits survive a power cut, whatever the server's own default.

    Args:
        dsn: libpq's connection string; a password is best left to its password file.
        is_read_only: it cannot write, and each transaction sees one moment.

    Raises:
        StoreError: if there is no such server or database, or it does not let us in.
    """
    with errors_translated(dsn):
        options = f"-c synchronous_commit=on -c statement_timeout={_STATEMENT_MS} -c timezone=UTC"
        if is_read_only:
            options += " -c default_transaction_read_only=on -c default_transaction_isolation=repeatable\\ read"
        connection = psycopg.connect(dsn, autocommit=True, connect_timeout=_CONNECT_S, options=options)
        # sums over 64-bit integers are of type numeric; ours are all whole
        connection.adapters.register_loader("numeric", IntLoader)
        return connection


@contextmanager
def errors_translated(dsn: str) -> Iterator[None]:
    """Turn PostgreSQL's errors into ours, the database named and never its password."""
    try:
        yield
    except errors.DiskFull as error:
        raise StoreFullError(f"store {_name(dsn)}: no room left on the disk") from error
    except psycopg.DataError as error:
        raise StoreRefusedError(f"store {_name(dsn)}: a value that no column holds: {_first_line(error)}") from error
    except psycopg.Error as error:
        raise StoreError(f"store {_name(dsn)}: {_first_line(error)}") from error


def _first_line(error: psycopg.Error) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _name(dsn: str) -> str:
    try:
        parts = conninfo.conninfo_to_dict(dsn)
    except psycopg.ProgrammingError:
        return "(hub.database is no connection string)"
    return f"{parts.get('dbname', '')!r} at {parts.get('host', 'the local socket')}"
