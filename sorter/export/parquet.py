"""Structs as Arrow tables and Parquet files: the one module that knows pyarrow, heavy and so loaded when needed."""

import enum
import io
import types
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from sorter.errors import BadInputError

if TYPE_CHECKING:
    import pyarrow as pa

_COMPRESSION = "zstd"


def parquet_table(row_type: type[msgspec.Struct], rows: Sequence[msgspec.Struct]) -> bytes:
    """Rows of one type as a Parquet file.

    Raises:
        BadInputError: if pyarrow is not installed.
    """
    sink = io.BytesIO()
    _write(arrow_table(row_type, rows), sink)
    return sink.getvalue()


def write_parquet(path: Path, table: "pa.Table") -> None:
    """Write a table to a file."""
    with path.open("wb") as sink:
        _write(table, sink)


def arrow_table(
    row_type: type[msgspec.Struct],
    rows: Sequence[msgspec.Struct],
    descriptions: Mapping[str, Mapping[str, str]] | None = None,
) -> "pa.Table":
    """Rows of one type as a table whose columns are the type's fields.

    Args:
        row_type: of all rows.
        rows: in the order that the table keeps.
        descriptions: metadata of columns by name, such as unit and description.
    """
    arrow = _pyarrow()
    schema = _schema(row_type, descriptions or {})
    values = list(zip(*(msgspec.structs.astuple(row) for row in rows), strict=True)) if rows else []
    columns = [
        arrow.array([_plain(value) for value in (values[index] if values else ())], type=field.type)
        for index, field in enumerate(schema)
    ]
    return arrow.Table.from_arrays(columns, schema=schema)


def column_types(row_type: type[msgspec.Struct]) -> dict[str, str]:
    """The name of each column's Parquet type, as Arrow calls it."""
    return {field.name: str(field.type) for field in _schema(row_type, {})}


def _schema(row_type: type[msgspec.Struct], descriptions: Mapping[str, Mapping[str, str]]) -> "pa.Schema":
    arrow = _pyarrow()
    hints = get_type_hints(row_type)
    names = zip(row_type.__struct_fields__, row_type.__struct_encode_fields__, strict=True)
    fields = []
    for name, shown in names:
        kind, is_nullable = _kind(hints[name])
        fields.append(arrow.field(shown, kind, is_nullable, dict(descriptions.get(shown, {})) or None))
    return arrow.schema(fields)


def _kind(annotation: Any) -> tuple[Any, bool]:
    """The Arrow type of an annotation, and whether None is among its values."""
    if get_origin(annotation) is Annotated:
        return _kind(get_args(annotation)[0])
    if get_origin(annotation) in {Union, types.UnionType}:
        inner = [part for part in get_args(annotation) if part is not types.NoneType]
        return _kind(inner[0])[0], True
    return _plain_kind(annotation), False


def _plain_kind(annotation: Any) -> Any:
    arrow = _pyarrow()
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is dict:
        return arrow.map_(arrow.string(), _kind(parts[1])[0])
    if origin is tuple:
        return arrow.list_(_kind(parts[0])[0])
    if origin is Literal or (isinstance(annotation, type) and issubclass(annotation, enum.Enum)):
        return arrow.string()
    kinds = {
        bool: arrow.bool_(),
        int: arrow.int64(),
        float: arrow.float64(),
        str: arrow.string(),
        datetime: arrow.timestamp("ms", tz="UTC"),
    }
    return kinds[annotation]


def _plain(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return value.value
    return list(value.items()) if isinstance(value, dict) else value


def _write(table: "pa.Table", sink: Any) -> None:
    import pyarrow.parquet

    pyarrow.parquet.write_table(table, sink, compression=_COMPRESSION)


def _pyarrow() -> Any:
    try:
        import pyarrow as pa
    except ModuleNotFoundError as error:
        raise BadInputError("Parquet needs pyarrow: pip install 'farz[export]'") from error
    return pa
