"""The statements that every SQL store shares, made from the schema; `?` marks values, as SQLite has it."""

from sorter.model.rollups import CountKey, ItemsKey, ItemsSum, Resolution, RollUp
from sorter.store.rows import Row
from sorter.store.schema import COUNTS_TABLES, EVENT_TABLES, ITEMS_TABLES, Table

INSERT_EVENT = {
    kind: f"INSERT INTO {table.name} ({', '.join(table.column_names)}) VALUES ({', '.join('?' * len(table.columns))})"
    for kind, table in EVENT_TABLES.items()
}


def add_statement(table: Table) -> str:
    """Adds a row of a table of sums to what is there under its key."""
    sums = [name for name in table.column_names if name not in table.primary_key]
    added = ", ".join(f"{name} = {table.name}.{name} + excluded.{name}" for name in sums)
    return (
        f"INSERT INTO {table.name} ({', '.join(table.column_names)}) VALUES ({', '.join('?' * len(table.columns))}) "
        f"ON CONFLICT ({', '.join(table.primary_key)}) DO UPDATE SET {added}"
    )


ADD_ITEMS = {resolution: add_statement(table) for resolution, table in ITEMS_TABLES.items()}
ADD_COUNTS = {resolution: add_statement(table) for resolution, table in COUNTS_TABLES.items()}


def items_rows(sums: RollUp) -> list[Row]:
    """Rows of a table of items, in the order of their keys, so that neighbours are written together."""
    return [(*_values(key), *_values(found)) for key, found in sorted(sums.items.items(), key=_first)]


def counts_rows(sums: RollUp) -> list[Row]:
    """Rows of a table of counts, in the order of their keys."""
    return [(*_values(key), value) for key, value in sorted(sums.counts.items(), key=_first)]


def sums_of_rows(items: list[Row], counts: list[Row]) -> RollUp:
    """Sums from rows of both tables, each complete with its key."""
    width = len(ItemsKey.__struct_fields__)
    return RollUp(
        {ItemsKey(*row[:width]): ItemsSum(*row[width:]) for row in items},  # type: ignore[arg-type]
        {CountKey(*row[:-1]): int(row[-1] or 0) for row in counts},  # type: ignore[arg-type]
    )


def totals_statement(table: Table) -> str:
    """Sums of a table over a stretch; the first value asked for stands in the place of `start_ms`."""
    keys = table.primary_key[1:]
    sums = [f"SUM({name})" for name in table.column_names if name not in table.primary_key]
    return (
        f"SELECT ?, {', '.join((*keys, *sums))} FROM {table.name} "
        f"WHERE start_ms >= ? AND start_ms < ?{{device}} GROUP BY {', '.join(keys)}"
    )


TOTAL_ITEMS = {resolution: totals_statement(table) for resolution, table in ITEMS_TABLES.items()}
TOTAL_COUNTS = {resolution: totals_statement(table) for resolution, table in COUNTS_TABLES.items()}


def series_statement(table: Table) -> str:
    """All rows of a table of sums within a stretch."""
    return f"SELECT {', '.join(table.column_names)} FROM {table.name} WHERE start_ms >= ? AND start_ms < ?{{device}}"


SERIES_ITEMS = {resolution: series_statement(table) for resolution, table in ITEMS_TABLES.items()}
SERIES_COUNTS = {resolution: series_statement(table) for resolution, table in COUNTS_TABLES.items()}
RESOLUTIONS = tuple(Resolution)


def _values(struct: ItemsKey | ItemsSum | CountKey) -> Row:
    return tuple(getattr(struct, name) for name in struct.__struct_fields__)


def _first(pair: tuple[ItemsKey, ItemsSum] | tuple[CountKey, int]) -> ItemsKey | CountKey:
    return pair[0]
