"""What both databases answer alike: the questions of `StoreReader`, put in SQL over one schema."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager

import msgspec

from sorter.model.events import AnyEvent, AuditTaken, Event, RecipeUsed
from sorter.model.rollups import Period, Resolution, RollUp, stretches
from sorter.store.protocol import EventCursor, Life, Position, StoreSpan, Written
from sorter.store.rows import Row, Value, event_of
from sorter.store.schema import EVENT_ORDER, EVENT_TABLES, FORGOTTEN_BEFORE_MS, SCHEMA_VERSION
from sorter.store.statements import SERIES_COUNTS, SERIES_ITEMS, TOTAL_COUNTS, TOTAL_ITEMS, sums_of_rows

_ONE_DEVICE = " AND device_id = ?"
_ORDER = ", ".join(EVENT_ORDER)
# the two apart, since SQLite looks up either end of an index but reads all of it for both
_SPAN = "SELECT (SELECT MIN(start_ms) FROM counts_by_minute), (SELECT MAX(start_ms) FROM counts_by_minute)"
_DEVICES = "SELECT DISTINCT device_id FROM boots ORDER BY device_id"
_FACT = "SELECT value FROM facts WHERE name = ?"
_LIVES = "SELECT ordinal, device_id, boot_id, last_seq FROM boots WHERE ordinal >= ? ORDER BY ordinal"


class SqlReader(ABC):
    """A connection that cannot write; used by one thread at a time. `?` marks values in statements."""

    @abstractmethod
    def close(self) -> None:
        """Close the connection."""

    @abstractmethod
    def _snapshot(self) -> AbstractContextManager[None]:
        """All that is read within is of one moment."""

    @abstractmethod
    def _rows(self, statement: str, values: Sequence[Value] = ()) -> list[Row]:
        """All rows of an answer."""

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

    def lives(self) -> list[Life]:
        """As `StoreReader.lives`."""
        return self._lives_from(0)

    def written_after(self, position: Position, limit: int = 1000) -> list[Written]:
        """As `StoreReader.written_after`."""
        found: list[Written] = []
        with self._snapshot():
            for life in self._lives_from(position.boot_ordinal):
                seq = position.seq if life.ordinal == position.boot_ordinal else 0
                if seq < life.last_seq:
                    events = self._of_life(life, seq, limit - len(found))
                    found += [Written(Position(life.ordinal, event.seq), event) for event in events]
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

    def _of_device(self, statement: str, values: Sequence[Value], device_id: str | None) -> list[Row]:
        if device_id is None:
            return self._rows(statement.format(device=""), values)
        return self._rows(statement.format(device=_ONE_DEVICE), (*values, device_id))

    def _lives_from(self, ordinal: int) -> list[Life]:
        rows = self._rows(_LIVES, (ordinal,))
        return [Life(int(number or 0), str(device), str(boot), int(last or 0)) for number, device, boot, last in rows]

    def _of_life(self, life: Life, seq: int, limit: int) -> list[AnyEvent]:
        """The next events of one life, of all kinds, in order."""
        found: list[AnyEvent] = []
        for kind, table in EVENT_TABLES.items():
            columns = ", ".join(table.column_names)
            rows = self._rows(
                f"SELECT {columns} FROM {table.name} WHERE device_id = ? AND boot_id = ? AND seq > ? "
                "ORDER BY seq LIMIT ?",
                (life.device_id, life.boot_id, seq, limit),
            )
            found += [event_of(kind, row) for row in rows]
        return sorted(found, key=lambda event: event.seq)[:limit]
