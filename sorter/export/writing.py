"""Writes the tables of a period as partitioned Parquet, beside them the materials and the data dictionary.

    FOLDER/README.md
    FOLDER/data_dictionary.csv, .parquet    every column: type, unit, meaning
    FOLDER/materials.parquet
    FOLDER/items/line=north/date=2026-03-29/part-0.parquet, and so on for each table

A folder that exists is whole: everything is written under another name first.
"""

import csv
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

import msgspec

from sorter.errors import BadInputError
from sorter.export.parquet import arrow_table, column_types, write_parquet
from sorter.export.rows import DictionaryRow, ExportRow, HourRow, MaterialExportRow
from sorter.export.tables import EVENT_EXPORTS, hour_row, material_row, utc
from sorter.model.events import AnyEvent, Event
from sorter.model.reporting_codes import REPORTING_CODES, reporting_codes
from sorter.model.rollups import ItemsKey, ItemsSum, Period, Resolution
from sorter.store.protocol import EventCursor, StoreReader

_PAGE_COUNT = 10_000
_PART_COUNT = 100_000
_DAY_MS = Resolution.DAY.value
_HOURS, _MATERIALS, _DICTIONARY = "hours", "materials", "data_dictionary"
_README = """# Records of waste-sorting lines

Written by `farz export`. Each folder is a table in Parquet, partitioned by line and UTC day; `data_dictionary.csv`
tells every column's type, unit and meaning, `materials.parquet` what each class is called in the European List of
Waste, by packaging material and by UN-Habitat. What a line takes out is called sorted, never recycled.

    duckdb -c "SELECT class_name, count(*) FROM read_parquet('items/**/*.parquet', hive_partitioning=true) GROUP BY 1"

Period: {begin} to {end}. Times are UTC. `null` is: not known, or does not apply. Masses are estimates with a standard
deviation. Names of people and pictures are not among the records.
"""


class Exported(msgspec.Struct, frozen=True):
    """What was written: rows by table."""

    row_counts: dict[str, int]


def export_period(
    reader: StoreReader, period: Period, folder: Path, tell: Callable[[float], None] = lambda _share: None
) -> Exported:
    """Write all tables of a period to a folder, which must not exist yet.

    Args:
        reader: of the store.
        period: which events, by wall time.
        folder: made here.
        tell: told how much is done, 0 to 1.

    Raises:
        BadInputError: if the folder exists or cannot be written, or pyarrow is not installed.
        StoreError: if the store cannot be read.
    """
    if folder.exists():
        raise BadInputError(f"FOLDER {folder} is there already; name one that is not")
    fresh = folder.with_name(f"{folder.name}.part")
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        counts = _write_all(reader, period, fresh, tell)
        fresh.replace(folder)
    except OSError as error:
        raise BadInputError(f"FOLDER {folder} cannot be written: {error}") from error
    return Exported(counts)


def data_dictionary() -> list[DictionaryRow]:
    """Every column of every table."""
    types: dict[str, type[ExportRow]] = {name: kind for name, (_, kind, _) in EVENT_EXPORTS.items()}
    types |= {_HOURS: HourRow, _MATERIALS: MaterialExportRow, _DICTIONARY: DictionaryRow}
    return [row for name, kind in types.items() for row in _columns(name, kind)]


def _write_all(reader: StoreReader, period: Period, folder: Path, tell: Callable[[float], None]) -> dict[str, int]:
    counts = dict.fromkeys([*EVENT_EXPORTS, _HOURS], 0)
    classes = dict.fromkeys(codes.class_name for codes in REPORTING_CODES)
    for name in counts:
        (folder / name).mkdir()
    for day in _days(period):
        for name, (kind, row_type, make) in EVENT_EXPORTS.items():
            rows = ((event.device_id, make(event)) for event in _events(reader, kind, day))
            counts[name] += _write_day(folder / name, day, row_type, rows)
        sums = sorted(reader.series(day, Resolution.HOUR).items.items(), key=_by_time)
        hours = ((key.device_id, hour_row(key, value)) for key, value in sums)
        counts[_HOURS] += _write_day(folder / _HOURS, day, HourRow, hours)
        classes |= dict.fromkeys(key.class_name for key, _ in sums)
        tell((day.to_ms - period.from_ms) / period.duration_ms)
    materials = [material_row(reporting_codes(name)) for name in classes]
    counts[_MATERIALS] = _write_table(folder / f"{_MATERIALS}.parquet", MaterialExportRow, materials)
    _write_dictionary(folder)
    (folder / "README.md").write_text(_README.format(begin=utc(period.from_ms), end=utc(period.to_ms)))
    return counts


def _days(period: Period) -> Iterator[Period]:
    """A period cut at midnights of UTC."""
    at_ms = period.from_ms
    while at_ms < period.to_ms:
        next_ms = min(period.to_ms, at_ms + _DAY_MS - at_ms % _DAY_MS)
        yield Period(at_ms, next_ms)
        at_ms = next_ms


def _events(reader: StoreReader, kind: type[Event], period: Period) -> Iterator[AnyEvent]:
    after: EventCursor | None = None
    while True:
        page = reader.events(kind, period, after=after, limit=_PAGE_COUNT)
        yield from page
        if len(page) < _PAGE_COUNT:
            return
        last = page[-1]
        after = EventCursor(last.at_ms, last.device_id, last.boot_id, last.seq)


def _write_day(folder: Path, day: Period, row_type: type[ExportRow], rows: Iterable[tuple[str, ExportRow]]) -> int:
    """The rows of one day, a folder for each line; a part is kept small enough for memory."""
    count, numbers = 0, Counter[str]()
    parts: dict[str, list[ExportRow]] = {}
    for line, row in rows:
        count += 1
        parts.setdefault(line, []).append(row)
        if len(parts[line]) == _PART_COUNT:
            _write_part(_place(folder, line, day), numbers[line], row_type, parts.pop(line))
            numbers[line] += 1
    for line, part in parts.items():
        _write_part(_place(folder, line, day), numbers[line], row_type, part)
    return count


def _place(folder: Path, line: str, day: Period) -> Path:
    # line names are anything; Hive's partitions percent-encode what a path cannot hold
    return folder / f"line={quote(line, safe='')}" / f"date={utc(day.from_ms).date()}"


def _write_part(place: Path, number: int, row_type: type[ExportRow], rows: Sequence[ExportRow]) -> None:
    place.mkdir(parents=True, exist_ok=True)
    _write_table(place / f"part-{number}.parquet", row_type, rows)


def _write_table(path: Path, row_type: type[ExportRow], rows: Sequence[ExportRow]) -> int:
    descriptions = {
        row.column_name: {"unit": row.unit, "description": row.description} for row in _columns(path.stem, row_type)
    }
    write_parquet(path, arrow_table(row_type, rows, descriptions))
    return len(rows)


def _write_dictionary(folder: Path) -> None:
    rows = data_dictionary()
    _write_table(folder / f"{_DICTIONARY}.parquet", DictionaryRow, rows)
    with (folder / f"{_DICTIONARY}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(DictionaryRow.__struct_fields__)
        writer.writerows(msgspec.structs.astuple(row) for row in rows)


def _columns(table: str, row_type: type[ExportRow]) -> list[DictionaryRow]:
    types = column_types(row_type)
    return [
        DictionaryRow(
            table_name=table,
            column_name=column.name,
            arrow_type=types[column.name],
            unit=column.unit,
            is_nullable=column.is_nullable,
            description=column.description,
        )
        for column in described_columns(row_type)
    ]


class DescribedColumn(msgspec.Struct, frozen=True):
    """What a column's type says of it."""

    name: str
    unit: str
    description: str
    is_nullable: bool


def described_columns(row_type: type[ExportRow]) -> list[DescribedColumn]:
    """The columns of a table as its type describes them."""
    info = msgspec.inspect.type_info(row_type)
    assert isinstance(info, msgspec.inspect.StructType)
    return [_described(field.encode_name, field.type) for field in info.fields]


def _described(name: str, kind: msgspec.inspect.Type) -> DescribedColumn:
    is_nullable = isinstance(kind, msgspec.inspect.UnionType)
    parts = kind.types if isinstance(kind, msgspec.inspect.UnionType) else (kind,)
    extra: dict[str, str] = {}
    description = ""
    for part in parts:
        if isinstance(part, msgspec.inspect.Metadata):
            extra |= part.extra or {}
            description = (part.extra_json_schema or {}).get("description", description)
    return DescribedColumn(name, extra.get("unit", ""), description, is_nullable)


def _by_time(entry: tuple[ItemsKey, ItemsSum]) -> ItemsKey:
    return entry[0]
