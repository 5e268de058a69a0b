"""The one character that PostgreSQL's texts cannot hold is taken out of events before anything is made of them."""

from collections.abc import Sequence
from typing import Any

import msgspec

from sorter.model.events import AnyEvent

_ZERO, _INSTEAD = "\0", "\N{REPLACEMENT CHARACTER}"
# how JSON writes it; a text may have these six characters itself, so this only says where to look closer
_HINT = b"\\u0000"
_JSON = msgspec.json.Encoder()


def without_zeros(events: Sequence[AnyEvent]) -> Sequence[AnyEvent]:
    """The same events, characters of value 0 in their texts replaced; nearly always the very same sequence."""
    if _HINT not in _JSON.encode(events):
        return events
    return [_mended(event) if _HINT in _JSON.encode(event) else event for event in events]


def _mended(event: AnyEvent) -> AnyEvent:
    mended: AnyEvent = msgspec.convert(_replaced(msgspec.to_builtins(event)), type(event))
    return mended


def _replaced(value: Any) -> Any:
    match value:
        case str():
            return value.replace(_ZERO, _INSTEAD)
        case dict():
            return {_replaced(key): _replaced(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_replaced(inner) for inner in value]
    return value
