"""Events as rows of their tables, and back: the same values whichever database holds them."""

import enum
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, cast, get_args, get_origin

import msgspec

from sorter.model.events import AnyEvent, Event
from sorter.store.schema import EVENT_TABLES

Value = int | float | str | None
Row = tuple[Value, ...]
_Convert = Callable[[Any], Any]

_JSON = msgspec.json.Encoder(order="deterministic")


def row_of(event: AnyEvent) -> Row:
    """The values of an event in the order of its table's columns."""
    values_of, converted = _WRITERS[type(event)]
    row = list(values_of(event))
    for index, convert in converted:
        row[index] = convert(row[index])
    return tuple(row)


def event_of(kind: type[Event], row: Sequence[Value]) -> AnyEvent:
    """The event that a row of its kind's table stands for.

    Raises:
        msgspec.ValidationError: if the row is none that `row_of` has made.
    """
    values: dict[str, Any] = dict(zip(EVENT_TABLES[kind].column_names, row, strict=True))
    for name, read in _READERS[kind]:
        values[name] = read(values[name])
    values["kind"] = kind.__struct_config__.tag
    return cast("AnyEvent", msgspec.convert(values, kind))


def _enum_value(value: enum.Enum | None) -> Any:
    return None if value is None else value.value


def _as_json(value: Any) -> str:
    return _JSON.encode(value).decode()


def _from_json(value: Any) -> Any:
    return msgspec.json.decode(value)


def _is_json(annotation: Any) -> bool:
    return get_origin(annotation) in {dict, tuple}


def _writer_of(annotation: Any) -> _Convert | None:
    if annotation is bool:
        return int
    if _is_json(annotation):
        return _as_json
    kinds = get_args(annotation) or (annotation,)
    return _enum_value if any(isinstance(kind, type) and issubclass(kind, enum.Enum) for kind in kinds) else None


def _reader_of(annotation: Any) -> _Convert | None:
    if annotation is bool:
        return bool
    return _from_json if _is_json(annotation) else None


def _writers(kind: type[Event]) -> tuple[Callable[[Event], tuple[Any, ...]], tuple[tuple[int, _Convert], ...]]:
    fields = msgspec.structs.fields(kind)
    found = [(index, _writer_of(field.type)) for index, field in enumerate(fields)]
    converted = tuple((index, convert) for index, convert in found if convert is not None)
    return attrgetter(*(field.name for field in fields)), converted


# what a column does not hold as it is: looked up once, for a store takes thousands of events a second
_WRITERS = {kind: _writers(kind) for kind in EVENT_TABLES}
_READERS: dict[type[Event], tuple[tuple[str, _Convert], ...]] = {
    kind: tuple(
        (field.name, read)
        for field in msgspec.structs.fields(kind)
        for read in [_reader_of(field.type)]
        if read is not None
    )
    for kind in EVENT_TABLES
}
