"""Writes to the hub's PostgreSQL store: events and their sums in one transaction, durable when it returns.

Any number of writers, in any number of processes: events of one life of a line are written by one at a time, under a
lock on that life's row of `boots`.
"""

from collections import defaultdict
from collections.abc import Sequence

from sorter.errors import StoreError
from sorter.model.events import AnyEvent, Event
from sorter.model.rollups import Resolution, RollUp, rolled_up
from sorter.store.postgres_connection import WRITERS_LOCK, Connection, errors_translated, open_connection
from sorter.store.postgres_schema import (
    SPLIT_BY,
    VERSION_TABLE,
    months_of,
    part_name,
    part_of_month,
    whole_schema,
)
from sorter.store.postgres_texts import without_zeros
from sorter.store.protocol import Recorded
from sorter.store.rows import Row, row_of
from sorter.store.schema import COUNTS_TABLES, EVENT_TABLES, FORGOTTEN_BEFORE_MS, ITEMS_TABLES, SCHEMA_VERSION, Table
from sorter.store.statements import add_statement, counts_rows, items_rows

_HELD = b"SELECT boot_id, last_seq FROM boots WHERE device_id = %s"
_NEWEST = b"SELECT last_seq FROM boots WHERE device_id = %s AND boot_id = %s"
_LAST_SEQ = _NEWEST + b" FOR UPDATE"
_ADD_BOOT = (
    b"INSERT INTO boots (ordinal, device_id, boot_id, first_at_ms, last_seq) "
    b"VALUES ((SELECT COALESCE(MAX(ordinal), 0) + 1 FROM boots), %s, %s, %s, 0) ON CONFLICT DO NOTHING"
)
_NOTE_SEQ = b"UPDATE boots SET last_seq = GREATEST(last_seq, %s) WHERE device_id = %s AND boot_id = %s"
_KNOWN = " UNION ALL ".join(
    f"SELECT seq FROM {table.name} "
    "WHERE device_id = %(device)s AND boot_id = %(boot)s AND seq BETWEEN %(low)s AND %(high)s"
    for table in EVENT_TABLES.values()
).encode()
_COPY = {
    kind: f"COPY {table.name} ({', '.join(table.column_names)}) FROM STDIN".encode()
    for kind, table in EVENT_TABLES.items()
}


def _add_rows(table: Table) -> bytes:
    """Adds many rows of sums at once, each column an array."""
    arrays = (f"%s::{'BIGINT' if column.kind == 'integer' else 'TEXT'}[]" for column in table.columns)
    return add_statement(table, f"SELECT * FROM unnest({', '.join(arrays)})").encode()


_ADD_ITEMS = {resolution: _add_rows(table) for resolution, table in ITEMS_TABLES.items()}
_ADD_COUNTS = {resolution: _add_rows(table) for resolution, table in COUNTS_TABLES.items()}
_FACT = b"SELECT value FROM facts WHERE name = %s"
_PART_EXISTS = b"SELECT to_regclass(%s) IS NOT NULL"

Life = tuple[str, str]


class PostgresWriter:
    """One connection; used by one thread at a time. A connection that was lost is made anew with the next batch."""

    def __init__(self, dsn: str) -> None:
        """Connect, and make the schema in an empty database.

        Raises:
            StoreError: if the database cannot be had, or is of another schema than this Farz knows.
        """
        self._dsn = dsn
        self._connection = open_connection(dsn)
        self._months: set[tuple[int, int]] = set()
        try:
            with errors_translated(dsn):
                _prepare(self._connection)
        except StoreError:
            self._connection.close()
            raise

    def record(self, events: Sequence[AnyEvent]) -> Recorded:
        """As `StoreWriter.record`.

        Raises:
            StoreRefusedError: for values that no column holds; sending them again is no use.
            StoreError: for anything else; nothing was stored, or it is known when it is sent again.
        """
        self._reconnect()
        try:
            with errors_translated(self._dsn):
                return self._record(without_zeros(events))
        except StoreError:
            # a month's part may have been forgotten meanwhile
            self._months.clear()
            raise

    def add_sums(self, sums: RollUp) -> None:
        """As `StoreWriter.add_sums`."""
        with errors_translated(self._dsn), self._connection.transaction():
            self._add(sums)

    def held(self, device_id: str) -> dict[str, int]:
        """By life of a line, the number of its newest event.

        Raises:
            StoreError: if the database cannot be had.
        """
        self._reconnect()
        with errors_translated(self._dsn):
            return dict(self._connection.execute(_HELD, (device_id,)).fetchall())

    def newest_seq(self, device_id: str, boot_id: str) -> int:
        """Number of the newest event of one life, 0 for none.

        Raises:
            StoreError: if the database cannot be had.
        """
        self._reconnect()
        with errors_translated(self._dsn):
            row = self._connection.execute(_NEWEST, (device_id, boot_id)).fetchone()
        return 0 if row is None else int(row[0])

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _record(self, events: Sequence[AnyEvent]) -> Recorded:
        self._make_parts(events)
        with self._connection.transaction():
            new = self._unknown(events)
            self._insert(new)
            self._add(rolled_up(new))
            self._note_lives(new)
        return Recorded(len(new), len(events) - len(new))

    def _reconnect(self) -> None:
        if self._connection.closed:
            self._connection = open_connection(self._dsn)

    def _make_parts(self, events: Sequence[AnyEvent]) -> None:
        """Make the parts of months that are written to for the first time, apart from the batch's own transaction."""
        # a stretch of time lies in the minute before its end, which may be of the month before
        instants_ms = [at_ms for event in events for at_ms in (event.at_ms, event.at_ms - 1)]
        for year, month in months_of(instants_ms):
            if (year, month) in self._months:
                continue
            with self._connection.transaction():
                self._connection.execute(WRITERS_LOCK)
                for table in SPLIT_BY:
                    self._make_part(table, year, month)
            self._months.add((year, month))

    def _make_part(self, table: str, year: int, month: int) -> None:
        ((exists,),) = self._connection.execute(_PART_EXISTS, (part_name(table, year, month),))
        for statement in () if exists else part_of_month(table, year, month):
            self._connection.execute(statement.encode())

    def _unknown(self, events: Sequence[AnyEvent]) -> list[AnyEvent]:
        """Each event that the store does not have, once; their lives stay locked until the transaction ends."""
        lives: dict[Life, list[AnyEvent]] = defaultdict(list)
        for event in events:
            lives[event.device_id, event.boot_id].append(event)
        # in one order everywhere, so that two writers never wait for each other
        known = {life: self._known(life, lives[life]) for life in sorted(lives)}
        new: list[AnyEvent] = []
        for event in events:
            seen = known[event.device_id, event.boot_id]
            if event.seq not in seen:
                seen.add(event.seq)
                new.append(event)
        return new

    def _known(self, life: Life, events: list[AnyEvent]) -> set[int]:
        row = self._connection.execute(_LAST_SEQ, life).fetchone()
        if row is None:
            self._connection.execute(WRITERS_LOCK)
            self._connection.execute(_ADD_BOOT, (*life, events[0].at_ms))
            row = self._connection.execute(_LAST_SEQ, life).fetchone() or (0,)
        low, high = min(event.seq for event in events), max(event.seq for event in events)
        # what is beyond the newest cannot be known, which saves looking into every part
        if low > row[0]:
            return set()
        values = {"device": life[0], "boot": life[1], "low": low, "high": high}
        kept = {seq for (seq,) in self._connection.execute(_KNOWN, values)}
        return kept | self._forgotten(events, int(row[0]))

    def _forgotten(self, events: list[AnyEvent], last_seq: int) -> set[int]:
        """Numbers of events that were here once: not newer than the newest, of a time that is no longer kept singly."""
        row = self._connection.execute(_FACT, (FORGOTTEN_BEFORE_MS,)).fetchone() or (0,)
        return {event.seq for event in events if event.seq <= last_seq and event.at_ms < row[0]}

    def _insert(self, events: Sequence[AnyEvent]) -> None:
        rows: dict[type[Event], list[Row]] = defaultdict(list)
        for event in events:
            rows[type(event)].append(row_of(event))
        with self._connection.cursor() as cursor:
            for kind, found in rows.items():
                with cursor.copy(_COPY[kind]) as copy:
                    for row in found:
                        copy.write_row(row)

    def _add(self, sums: RollUp) -> None:
        for resolution in Resolution:
            longer = sums if resolution is Resolution.MINUTE else sums.to(resolution)
            self._add_rows(_ADD_ITEMS[resolution], items_rows(longer))
            self._add_rows(_ADD_COUNTS[resolution], counts_rows(longer))

    def _add_rows(self, statement: bytes, rows: Sequence[Row]) -> None:
        if rows:
            self._connection.execute(statement, [list(column) for column in zip(*rows, strict=True)])

    def _note_lives(self, events: Sequence[AnyEvent]) -> None:
        newest: dict[Life, int] = {}
        for event in events:
            life = (event.device_id, event.boot_id)
            newest[life] = max(newest.get(life, 0), event.seq)
        for life, seq in sorted(newest.items()):
            self._connection.execute(_NOTE_SEQ, (seq, *life))


def _prepare(connection: Connection) -> None:
    """Make the schema where there is none; there is one released version so far, so nothing to migrate from."""
    with connection.transaction():
        connection.execute(WRITERS_LOCK)
        ((exists,),) = connection.execute(_PART_EXISTS, (VERSION_TABLE.name,))
        if not exists:
            for statement in whole_schema():
                connection.execute(statement.encode())
            connection.execute(f"INSERT INTO {VERSION_TABLE.name} VALUES (%s)".encode(), (SCHEMA_VERSION,))
        ((version,),) = connection.execute(f"SELECT MAX(version) FROM {VERSION_TABLE.name}".encode())
    if version != SCHEMA_VERSION:
        raise StoreError(f"store: schema {version} is of another Farz than this one, which knows {SCHEMA_VERSION}")
