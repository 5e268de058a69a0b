"""Events as rows of their tables, and back: the same values whichever database holds them."""

import enum
from collections.abc import Callable, Sequence
from typing import Any, cast

import msgspec

from sorter.model.events import AnyEvent, Event
from sorter.store.schema import EVENT_TABLES

Value = int | float | str | None
Row = tuple[Value, ...]

_JSON = msgspec.json.Encoder(order="deterministic")


def row_of(event: AnyEvent) -> Row:
    """The values of an event in the order of its table's columns."""
    return tuple(_stored(getattr(event, name)) for name in EVENT_TABLES[type(event)].column_names)


def event_of(kind: type[Event], row: Sequence[Value]) -> AnyEvent:
    """The event that a row of its kind's table stands for.

    Raises:
        msgspec.ValidationError: if the row is none that `row_of` has made.
    """
    readers = _READERS[kind]
    values = {name: read(value) for (name, read), value in zip(readers, row, strict=True)}
    return cast("AnyEvent", msgspec.convert(values | {"kind": kind.__struct_config__.tag}, kind))


def _stored(value: Any) -> Value:
    if isinstance(value, enum.Enum):
        stored: Value = value.value
        return stored
    if isinstance(value, dict | tuple):
        return _JSON.encode(value).decode()
    return int(value) if isinstance(value, bool) else value


def _as_it_is(value: Value) -> Any:
    return value


def _from_json(value: Value) -> Any:
    return msgspec.json.decode(str(value))


def _flag(value: Value) -> Any:
    return bool(value)


def _reader(annotation: Any) -> Callable[[Value], Any]:
    if annotation is bool:
        return _flag
    text = getattr(annotation, "__origin__", None)
    return _from_json if text in {dict, tuple} else _as_it_is


_READERS: dict[type[Event], tuple[tuple[str, Callable[[Value], Any]], ...]] = {
    kind: tuple((field.name, _reader(field.type)) for field in msgspec.structs.fields(kind)) for kind in EVENT_TABLES
}
