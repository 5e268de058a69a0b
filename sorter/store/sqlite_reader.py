"""Reads a line's SQLite store and cannot change it; any number of readers beside the one writer, none waits for it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from sorter.errors import StoreError
from sorter.model.events import AnyEvent, AuditTaken, Event, RecipeUsed
from sorter.model.rollups import Period, Resolution, RollUp, stretches
from sorter.store.protocol import EventCursor, Position, StoreSpan, Written
from sorter.store.rows import Row, Value, event_of
from sorter.store.schema import EVENT_ORDER, EVENT_TABLES, FORGOTTEN_BEFORE_MS, SCHEMA_VERSION
from sorter.store.sqlite_connection import copy_connection, errors_translated, open_for_reading
from sorter.store.statements import SERIES_COUNTS, SERIES_ITEMS, TOTAL_COUNTS, TOTAL_ITEMS, sums_of_rows

_ONE_DEVICE = " AND device_id = ?"
_ORDER = ", ".join(EVENT_ORDER)
_SPAN = "SELECT MIN(start_ms), MAX(start_ms) FROM counts_by_minute"
_DEVICES = "SELECT DISTINCT device_id FROM boots ORDER BY device_id"
_FACT = "SELECT value FROM facts WHERE name = ?"
_BOOTS_FROM = "SELECT ordinal, device_id, boot_id, last_seq FROM boots WHERE ordinal >= ? ORDER BY ordinal"


class SqliteReader:
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

    def span(self) -> StoreSpan:
        """As `StoreReader.span`."""
        with self._snapshot():
            ((first_ms, last_ms),) = self._rows(_SPAN)
            devices = tuple(str(device_id) for (device_id,) in self._rows(_DEVICES))
        end_ms = None if last_ms is None else int(last_ms) + Resolution.MINUTE.value
        return StoreSpan(devices, None if first_ms is None else int(first_ms), end_ms, SCHEMA_VERSION)

    def totals(self, period: Period, device_id: str | None = None) -> RollUp:
        """As `StoreReader.totals`."""
        sums = RollUp()
        with self._snapshot():
            for resolution, stretch in stretches(period):
                bounds = (period.from_ms, stretch.from_ms, stretch.to_ms)
                items = self._of_device(TOTAL_ITEMS[resolution], bounds, device_id)
                counts = self._of_device(TOTAL_COUNTS[resolution], bounds, device_id)
                sums.add(sums_of_rows(items, counts))
        return sums

    def series(self, period: Period, resolution: Resolution, device_id: str | None = None) -> RollUp:
        """As `StoreReader.series`."""
        bounds = (period.from_ms, period.to_ms)
        with self._snapshot():
            items = self._of_device(SERIES_ITEMS[resolution], bounds, device_id)
            counts = self._of_device(SERIES_COUNTS[resolution], bounds, device_id)
        return sums_of_rows(items, counts)

    def events(
        self,
        kind: type[Event],
        period: Period,
        *,
        device_id: str | None = None,
        after: EventCursor | None = None,
        limit: int = 1000,
    ) -> list[AnyEvent]:
        """As `StoreReader.events`."""
        table = EVENT_TABLES[kind]
        values: list[Value] = [period.from_ms, period.to_ms]
        where = "at_ms >= ? AND at_ms < ?"
        if device_id is not None:
            where, values = f"{where} AND device_id = ?", [*values, device_id]
        if after is not None:
            where = f"{where} AND ({_ORDER}) > (?, ?, ?, ?)"
            values += [after.at_ms, after.device_id, after.boot_id, after.seq]
        columns = ", ".join(table.column_names)
        rows = self._rows(
            f"SELECT {columns} FROM {table.name} WHERE {where} ORDER BY {_ORDER} LIMIT ?",
            (*values, limit),
        )
        return [event_of(kind, row) for row in rows]

    def written_after(self, position: Position, limit: int = 1000) -> list[Written]:
        """As `StoreReader.written_after`."""
        found: list[Written] = []
        with self._snapshot():
            for ordinal, device_id, boot_id, last_seq in self._rows(_BOOTS_FROM, (position.boot_ordinal,)):
                seq = position.seq if ordinal == position.boot_ordinal else 0
                if seq < int(last_seq or 0):
                    events = self._of_boot(str(device_id), str(boot_id), seq, limit - len(found))
                    found += [Written(Position(int(ordinal or 0), event.seq), event) for event in events]
                if len(found) >= limit:
                    break
        return found

    def audits(self, period: Period, device_id: str | None = None) -> list[AuditTaken]:
        """As `StoreReader.audits`."""
        columns = ", ".join(EVENT_TABLES[AuditTaken].column_names)
        statement = f"SELECT {columns} FROM audits WHERE to_ms > ? AND from_ms < ?{{device}} ORDER BY {_ORDER}"
        rows = self._of_device(statement, (period.from_ms, period.to_ms), device_id)
        return [msgspec.convert(event_of(AuditTaken, row), AuditTaken) for row in rows]

    def recipes(self) -> Mapping[str, RecipeUsed]:
        """As `StoreReader.recipes`."""
        columns = ", ".join(EVENT_TABLES[RecipeUsed].column_names)
        found = [event_of(RecipeUsed, row) for row in self._rows(f"SELECT {columns} FROM recipes ORDER BY {_ORDER}")]
        return {recipe.recipe_hash: recipe for recipe in found if isinstance(recipe, RecipeUsed)}

    def forgotten_before_ms(self) -> int:
        """Single events of before this instant are not kept; 0 while none was forgotten."""
        return max((int(value or 0) for (value,) in self._rows(_FACT, (FORGOTTEN_BEFORE_MS,))), default=0)

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
        """All that is read within is of one moment."""
        with errors_translated(self.path):
            self._connection.execute("BEGIN")
            try:
                yield
            finally:
                self._connection.execute("COMMIT")

    def _rows(self, statement: str, values: Sequence[Value] = ()) -> list[Row]:
        with errors_translated(self.path):
            return list(self._connection.execute(statement, tuple(values)))

    def _of_device(self, statement: str, values: Sequence[Value], device_id: str | None) -> list[Row]:
        if device_id is None:
            return self._rows(statement.format(device=""), values)
        return self._rows(statement.format(device=_ONE_DEVICE), (*values, device_id))

    def _of_boot(self, device_id: str, boot_id: str, seq: int, limit: int) -> list[AnyEvent]:
        """The next events of one life, of all kinds, in order."""
        found: list[AnyEvent] = []
        for kind, table in EVENT_TABLES.items():
            columns = ", ".join(table.column_names)
            rows = self._rows(
                f"SELECT {columns} FROM {table.name} WHERE device_id = ? AND boot_id = ? AND seq > ? "
                "ORDER BY seq LIMIT ?",
                (device_id, boot_id, seq, limit),
            )
            found += [event_of(kind, row) for row in rows]
        return sorted(found, key=lambda event: event.seq)[:limit]
