"""Forgetting single events of long ago on a hub: whole months are dropped, which takes no time; their sums stay."""

import re
from contextlib import closing

from sorter.store.postgres_connection import WRITERS_LOCK, Connection, errors_translated, open_connection
from sorter.store.postgres_schema import end_of_month_ms, part_name
from sorter.store.schema import EVENT_TABLES, FORGETTABLE, FORGOTTEN_BEFORE_MS

_TABLES = tuple(EVENT_TABLES[kind].name for kind in FORGETTABLE)
_PART = re.compile(r"_y(?P<year>\d{4})m(?P<month>\d{2})$")
_PARTS = b"SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass"
# whoever reads for longer is not waited for: an hour later is early enough
_LOCK_WAIT = b"SET LOCAL lock_timeout = '3s'"
_NOTE_FACT = (
    b"INSERT INTO facts (name, value) VALUES (%s, %s) "
    b"ON CONFLICT (name) DO UPDATE SET value = GREATEST(facts.value, excluded.value)"
)


def forget_before(dsn: str, cutoff_ms: int) -> list[str]:
    """Drop single events of all months that were over before an instant; audits and recipes stay, and so do sums.

    Returns:
        The months that were dropped, as 2026-11, oldest first.

    Raises:
        StoreError: if the database cannot be had, or somebody reads what is to go; months before that one are gone.
    """
    forgotten: list[str] = []
    with errors_translated(dsn), closing(open_connection(dsn)) as connection:
        for year, month in _months(connection):
            if end_of_month_ms(year, month) <= cutoff_ms:
                _drop(connection, year, month)
                forgotten.append(f"{year}-{month:02}")
    return forgotten


def _months(connection: Connection) -> list[tuple[int, int]]:
    found = {
        (int(match["year"]), int(match["month"]))
        for table in _TABLES
        for (name,) in connection.execute(_PARTS, (table,))
        if (match := _PART.search(name)) is not None
    }
    return sorted(found)


def _drop(connection: Connection, year: int, month: int) -> None:
    """All tables of one month or none, and that it is forgotten, in one transaction."""
    with connection.transaction():
        connection.execute(WRITERS_LOCK)
        connection.execute(_LOCK_WAIT)
        connection.execute(_NOTE_FACT, (FORGOTTEN_BEFORE_MS, end_of_month_ms(year, month)))
        for table in _TABLES:
            connection.execute(f"DROP TABLE IF EXISTS {part_name(table, year, month)}".encode())
