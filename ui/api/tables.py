"""Rows of one type as CSV or Parquet: the columns are the type's fields, in their order."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

import msgspec

# a cell that a spreadsheet would take for a formula gets a quote before it, as OWASP advises (CSV injection)
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def csv_bytes(row_type: type[msgspec.Struct], rows: Sequence[msgspec.Struct]) -> bytes:
    """CSV by RFC 4180, UTF-8, one heading line; an empty cell is "not known"."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(row_type.__struct_encode_fields__)
    for row in rows:
        writer.writerow([_cell(value) for value in msgspec.structs.astuple(row)])
    return text.getvalue().encode()


def parquet_bytes(row_type: type[msgspec.Struct], rows: Sequence[msgspec.Struct]) -> bytes:
    """One Parquet file, compressed with Zstandard; null is "not known"."""
    # heavy, and few ask for it
    from sorter.export.parquet import parquet_table

    return parquet_table(row_type, rows)


def _cell(value: Any) -> Any:
    plain = msgspec.to_builtins(value)
    if isinstance(plain, dict | list | tuple):
        return json.dumps(plain, ensure_ascii=False, sort_keys=True)
    if isinstance(plain, str) and plain.startswith(_FORMULA_STARTS):
        return f"'{plain}"
    return plain
