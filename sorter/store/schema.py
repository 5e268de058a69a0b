"""The schema as values, the same for every database: tables, columns, keys; how a dialect spells it is told to it.

Event tables follow from the events' own types, so that there is one description of what an event is. Migrations do not:
those are frozen text, see `migrations`.
"""

import enum
import types
from typing import Any, Literal, Union, get_args, get_origin

import msgspec

from sorter.model.events import (
    AuditTaken,
    EnergyUsed,
    Event,
    FaultNoted,
    ItemDecided,
    ModeChanged,
    ModeTime,
    RecipeUsed,
)
from sorter.model.rollups import CountKey, ItemsKey, ItemsSum, Resolution

ColumnKind = Literal["integer", "real", "text"]
# raised with every change of a table; each step from one to the next is in `migrations`
SCHEMA_VERSION = 1


class Column(msgspec.Struct, frozen=True):
    """One column; integers have 64 bits, lists and dictionaries are JSON in text, enums their value, flags 0 or 1."""

    name: str
    kind: ColumnKind
    is_nullable: bool = False


class Table(msgspec.Struct, frozen=True):
    """One table; each of `indexes` is a list of columns."""

    name: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]
    indexes: tuple[tuple[str, ...], ...] = ()

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names in order."""
        return tuple(column.name for column in self.columns)


class Dialect(msgspec.Struct, frozen=True):
    """How a database spells the kinds of columns, and what it wants after a table's closing bracket."""

    kinds: dict[ColumnKind, str]
    table_suffix: str = ""


SQLITE = Dialect({"integer": "INTEGER", "real": "REAL", "text": "TEXT"}, " STRICT, WITHOUT ROWID")
POSTGRESQL = Dialect({"integer": "BIGINT", "real": "DOUBLE PRECISION", "text": "TEXT"})

EVENT_KEY = ("device_id", "boot_id", "seq")
# pages of events go by time, then by key, so that a cursor of the four is exact
EVENT_ORDER = ("at_ms", *EVENT_KEY)


def table_of(struct: type[msgspec.Struct], name: str, primary_key: tuple[str, ...], **extra: Any) -> Table:
    """A table with a column for each field of a struct."""
    fields = msgspec.structs.fields(struct)
    return Table(name, tuple(_column(field.name, field.type) for field in fields), primary_key, **extra)


def create_statements(table: Table, dialect: Dialect) -> list[str]:
    """The statements that make a table and its indexes."""
    lines = [
        f"{column.name} {dialect.kinds[column.kind]}{'' if column.is_nullable else ' NOT NULL'}"
        for column in table.columns
    ]
    lines.append(f"PRIMARY KEY ({', '.join(table.primary_key)})")
    body = ",\n  ".join(lines)
    indexes = [
        f"CREATE INDEX {table.name}_by_{'_'.join(columns[:1])} ON {table.name} ({', '.join(columns)})"
        for columns in table.indexes
    ]
    return [f"CREATE TABLE {table.name} (\n  {body}\n){dialect.table_suffix}", *indexes]


def _column(name: str, annotation: Any) -> Column:
    if get_origin(annotation) in {Union, types.UnionType}:
        inner = next(part for part in get_args(annotation) if part is not types.NoneType)
        return Column(name, _kind(inner), is_nullable=True)
    return Column(name, _kind(annotation))


def _kind(annotation: Any) -> ColumnKind:
    if annotation in {int, bool}:
        return "integer"
    if annotation is float:
        return "real"
    is_text = annotation is str or get_origin(annotation) in {dict, tuple} or issubclass(annotation, enum.Enum)
    if not is_text:
        raise TypeError(f"no column holds {annotation}")
    return "text"


EVENT_TABLES: dict[type[Event], Table] = {
    kind: table_of(kind, name, EVENT_KEY, indexes=(EVENT_ORDER,))
    for kind, name in (
        (ItemDecided, "items"),
        (ModeChanged, "mode_changes"),
        (ModeTime, "mode_times"),
        (FaultNoted, "faults"),
        (AuditTaken, "audits"),
        (EnergyUsed, "energy"),
        (RecipeUsed, "recipes"),
    )
}
_ITEMS_KEY = tuple(field.name for field in msgspec.structs.fields(ItemsKey))
_COUNT_KEY = tuple(field.name for field in msgspec.structs.fields(CountKey))
_ITEMS_COLUMNS = (*table_of(ItemsKey, "", ()).columns, *table_of(ItemsSum, "", ()).columns)
_COUNT_COLUMNS = (*table_of(CountKey, "", ()).columns, Column("value", "integer"))
# keyed time first, so that a period is one stretch of the table
ITEMS_TABLES: dict[Resolution, Table] = {
    resolution: Table(f"items_by_{resolution.name.lower()}", _ITEMS_COLUMNS, _ITEMS_KEY) for resolution in Resolution
}
COUNTS_TABLES: dict[Resolution, Table] = {
    resolution: Table(f"counts_by_{resolution.name.lower()}", _COUNT_COLUMNS, _COUNT_KEY) for resolution in Resolution
}
# lives of lines in the order in which this store met them; with it, (ordinal, seq) is the order of writing
BOOTS_TABLE = Table(
    "boots",
    (
        Column("ordinal", "integer"),
        Column("device_id", "text"),
        Column("boot_id", "text"),
        Column("first_at_ms", "integer"),
        Column("last_seq", "integer"),
    ),
    ("device_id", "boot_id"),
)
# what else is known of a store, one number a name
FACTS_TABLE = Table("facts", (Column("name", "text"), Column("value", "integer")), ("name",))
# single events before this instant were forgotten; their sums are still there
FORGOTTEN_BEFORE_MS = "forgotten_before_ms"
# how often sums of events that are not kept singly were added
SUMS_COUNT = "sums_count"
# kinds that are forgotten: audits and recipes are few, and figures of long ago need them
FORGETTABLE: tuple[type[Event], ...] = (ItemDecided, ModeChanged, ModeTime, FaultNoted, EnergyUsed)
TABLES: tuple[Table, ...] = (
    *EVENT_TABLES.values(), *ITEMS_TABLES.values(), *COUNTS_TABLES.values(), BOOTS_TABLE, FACTS_TABLE,
)  # fmt: skip
