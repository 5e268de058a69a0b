"""The one writer of a line's SQLite store: events and their sums in one transaction, durable when it returns."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from sorter.model.events import AnyEvent, Event
from sorter.model.rollups import Resolution, RollUp, rolled_up, start_of
from sorter.store.migrations import migrate
from sorter.store.protocol import Recorded
from sorter.store.rows import Row, row_of
from sorter.store.schema import EVENT_TABLES, FORGETTABLE, FORGOTTEN_BEFORE_MS, SUMS_COUNT
from sorter.store.sqlite_connection import errors_translated, lock_for_writing, open_for_writing, transaction
from sorter.store.statements import ADD_COUNTS, ADD_ITEMS, INSERT_EVENT, counts_rows, items_rows

_KNOWN = " UNION ALL ".join(
    f"SELECT seq FROM {table.name} WHERE device_id = ?1 AND boot_id = ?2 AND seq BETWEEN ?3 AND ?4"
    for table in EVENT_TABLES.values()
)
_LAST_SEQ = "SELECT last_seq FROM boots WHERE device_id = ? AND boot_id = ?"
_NOTE_BOOT = (
    "INSERT INTO boots (ordinal, device_id, boot_id, first_at_ms, last_seq) "
    "VALUES ((SELECT COALESCE(MAX(ordinal), 0) + 1 FROM boots), ?, ?, ?, ?) "
    "ON CONFLICT (device_id, boot_id) DO UPDATE SET last_seq = MAX(boots.last_seq, excluded.last_seq)"
)
_NOTE_FACT = (
    "INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = MAX(value, excluded.value)"
)
_COUNT_FACT = "INSERT INTO facts (name, value) VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1"
_FACT = "SELECT value FROM facts WHERE name = ?"
_FORGET = tuple(
    f"DELETE FROM {table.name} WHERE (device_id, boot_id, seq) IN (SELECT device_id, boot_id, seq FROM {table.name} "
    "WHERE at_ms < ? ORDER BY at_ms LIMIT ?)"
    for table in (EVENT_TABLES[kind] for kind in FORGETTABLE)
)
_NTH_OLDEST = "SELECT at_ms FROM items ORDER BY at_ms LIMIT 1 OFFSET ?"


class SqliteWriter:
    """Writes to a store; a second writer is refused while this one lives."""

    def __init__(self, path: Path, vfs: str | None = None) -> None:
        """Open or make a store, and bring it to the present schema.

        Args:
            path: the file; its folder is made where it is missing.
            vfs: name of SQLite's way to the disk, another one in tests alone.

        Raises:
            StoreError: if another writer has it, it is of a later schema, or it cannot be opened.
        """
        self.path = path
        self._lock = lock_for_writing(path)
        try:
            self._connection = open_for_writing(path, vfs)
            with errors_translated(path):
                migrate(self._connection, path)
        except BaseException:
            self._lock.close()
            raise

    def record(self, events: Sequence[AnyEvent]) -> Recorded:
        """As `StoreWriter.record`."""
        with errors_translated(self.path), transaction(self._connection):
            new = self._unknown(events)
            rows: dict[type[Event], list[Row]] = defaultdict(list)
            for event in new:
                rows[type(event)].append(row_of(event))
            for kind, found in rows.items():
                self._connection.executemany(INSERT_EVENT[kind], found)
            self._add(rolled_up(new))
            self._note_boots(new)
        return Recorded(len(new), len(events) - len(new))

    def add_sums(self, sums: RollUp) -> None:
        """As `StoreWriter.add_sums`."""
        with errors_translated(self.path), transaction(self._connection):
            self._add(sums)
            self._connection.execute(_COUNT_FACT, (SUMS_COUNT,))

    def sums_count(self) -> int:
        """How often sums were added: whether an attempt that failed had been written all the same."""
        with errors_translated(self.path):
            return int(self._connection.execute(_FACT, (SUMS_COUNT,)).get or 0)

    def forget_before(self, cutoff_ms: int, limit: int = 5000) -> int:
        """Delete single events of before the minute of an instant, their sums stay; how many were deleted.

        Args:
            cutoff_ms: wall time, milliseconds since 1970 UTC.
            limit: events of each kind that one call deletes at most, so that recording never waits for long.
        """
        minute_ms = start_of(cutoff_ms, Resolution.MINUTE)
        deleted = 0
        with errors_translated(self.path):
            with transaction(self._connection):
                self._connection.execute(_NOTE_FACT, (FORGOTTEN_BEFORE_MS, minute_ms))
                for statement in _FORGET:
                    self._connection.execute(statement, (minute_ms, limit))
                    deleted += self._connection.changes()
            if deleted:
                self._connection.execute("PRAGMA incremental_vacuum").get  # noqa: B018 - steps through it
        return deleted

    def used_bytes(self) -> int:
        """How much of the file is in use."""
        with errors_translated(self.path):
            pages = int(self._connection.pragma("page_count")) - int(self._connection.pragma("freelist_count"))
            return pages * int(self._connection.pragma("page_size"))

    def at_ms_of_oldest(self, count: int) -> int | None:
        """When the so many oldest items had passed, None where there are fewer."""
        with errors_translated(self.path):
            found = self._connection.execute(_NTH_OLDEST, (count,)).get
        return None if found is None else int(found)

    def close(self) -> None:
        """Close the file and leave the writer's place."""
        with errors_translated(self.path):
            self._connection.close()
        self._lock.close()

    def _unknown(self, events: Sequence[AnyEvent]) -> list[AnyEvent]:
        """Each event that the store does not have, once."""
        spans: dict[tuple[str, str], list[int]] = defaultdict(list)
        for event in events:
            spans[event.device_id, event.boot_id].append(event.seq)
        known: set[tuple[str, str, int]] = set()
        for (device_id, boot_id), seqs in spans.items():
            last = self._connection.execute(_LAST_SEQ, (device_id, boot_id)).get
            if last is not None and min(seqs) <= last:
                found = self._connection.execute(_KNOWN, (device_id, boot_id, min(seqs), max(seqs)))
                known.update((device_id, boot_id, seq) for (seq,) in found)
        new: list[AnyEvent] = []
        for event in events:
            key = (event.device_id, event.boot_id, event.seq)
            if key not in known:
                known.add(key)
                new.append(event)
        return new

    def _add(self, sums: RollUp) -> None:
        for resolution in Resolution:
            longer = sums if resolution is Resolution.MINUTE else sums.to(resolution)
            self._connection.executemany(ADD_ITEMS[resolution], items_rows(longer))
            self._connection.executemany(ADD_COUNTS[resolution], counts_rows(longer))

    def _note_boots(self, events: Sequence[AnyEvent]) -> None:
        boots: dict[tuple[str, str], tuple[int, int]] = {}
        for event in events:
            first_at_ms, last_seq = boots.get((event.device_id, event.boot_id), (event.at_ms, event.seq))
            boots[event.device_id, event.boot_id] = (first_at_ms, max(last_seq, event.seq))
        for (device_id, boot_id), (first_at_ms, last_seq) in boots.items():
            self._connection.execute(_NOTE_BOOT, (device_id, boot_id, first_at_ms, last_seq))

    def abandon(self) -> None:
        """Close after an error, whatever state the file is in; the next writer recovers it."""
        try:
            self._connection.close(force=True)
        finally:
            self._lock.close()
