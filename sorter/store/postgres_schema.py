"""The schema as PostgreSQL wants it: the same tables, those that grow with events split into months.

A table that is split needs the time in its primary key, so that (device, boot, seq) alone is no longer kept unique by
the database; the writer does it, under a lock on the life that the events are of.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timezone

from sorter.model.rollups import Resolution
from sorter.store.schema import (
    COUNTS_TABLES,
    EVENT_TABLES,
    ITEMS_TABLES,
    POSTGRESQL,
    TABLES,
    Column,
    Table,
    create_statements,
)

VERSION_TABLE = Table("schema_version", (Column("version", "integer"),), ("version",))
# table → the column that it is split by
SPLIT_BY: dict[str, str] = {
    **{table.name: "at_ms" for table in EVENT_TABLES.values()},
    ITEMS_TABLES[Resolution.MINUTE].name: "start_ms",
    COUNTS_TABLES[Resolution.MINUTE].name: "start_ms",
}
# a clock that was never set says 1970; all months before and after these share one part each
FIRST_YEAR, LAST_YEAR = 2020, 2099


def months_of(instants_ms: Iterable[int]) -> list[tuple[int, int]]:
    """Years and months (UTC) that instants lie in, in order; those that have no part of their own are left out."""
    low, high = _ms_of(FIRST_YEAR, 1), _ms_of(LAST_YEAR + 1, 1)
    found = {datetime.fromtimestamp(at_ms / 1000, timezone.utc) for at_ms in instants_ms if low <= at_ms < high}
    return sorted({(at.year, at.month) for at in found})


def whole_schema() -> Iterator[str]:
    """The statements that make every table in an empty database."""
    for table in (*TABLES, VERSION_TABLE):
        if table.name not in SPLIT_BY:
            yield from create_statements(table, POSTGRESQL)
            continue
        yield from _split_table(table)
        yield _part(table.name, "early", "MINVALUE", str(_ms_of(FIRST_YEAR, 1)))
        yield _part(table.name, "late", str(_ms_of(LAST_YEAR + 1, 1)), "MAXVALUE")


def part_of_month(table: str, year: int, month: int) -> Iterator[str]:
    """The statements that make a table's part for one month, without making readers wait.

    A part is made apart and attached: making it in place would lock out everybody, and wait for the slowest of them.
    """
    part = part_name(table, year, month)
    yield f"CREATE TABLE {part} (LIKE {table} INCLUDING ALL)"
    low, high = _ms_of(year, month), end_of_month_ms(year, month)
    yield f"ALTER TABLE {table} ATTACH PARTITION {part} FOR VALUES FROM ({low}) TO ({high})"


def end_of_month_ms(year: int, month: int) -> int:
    """When the month after begins, milliseconds since 1970 UTC."""
    return _ms_of(year + month // 12, month % 12 + 1)


def part_name(table: str, year: int, month: int) -> str:
    """What the part of a month is called."""
    return f"{table}_y{year}m{month:02}"


def _split_table(table: Table) -> Iterator[str]:
    column = SPLIT_BY[table.name]
    key = table.primary_key if column in table.primary_key else (*table.primary_key, column)
    first, *rest = create_statements(Table(table.name, table.columns, key, table.indexes), POSTGRESQL)
    yield f"{first} PARTITION BY RANGE ({column})"
    yield from rest


def _part(table: str, suffix: str, low: str, high: str) -> str:
    return f"CREATE TABLE {table}_{suffix} PARTITION OF {table} FOR VALUES FROM ({low}) TO ({high})"


def _ms_of(year: int, month: int) -> int:
    return int(datetime(year, month, 1, tzinfo=timezone.utc).timestamp()) * 1000
