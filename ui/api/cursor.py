"""Where a page of entries ended, as text that means something here alone.

A cursor belongs to the query that it was given for: continued with another, it would skip entries, so it is refused.
"""

import base64
import binascii
import hashlib
from http import HTTPStatus
from typing import TypeVar

import msgspec

from ui.api.problem import ProblemError

_MARK_LENGTH = 6
PlaceType = TypeVar("PlaceType", bound=msgspec.Struct)


def cursor_text(place: msgspec.Struct, belongs_to: tuple[object, ...]) -> str:
    """A place as text; `belongs_to` is what must be the same on the next page."""
    content = msgspec.msgpack.encode(list(msgspec.structs.astuple(place)))
    return base64.urlsafe_b64encode(_mark(content, belongs_to) + content).decode().rstrip("=")


def cursor_place(text: str, kind: type[PlaceType], belongs_to: tuple[object, ...]) -> PlaceType:
    """The place that a cursor names.

    Raises:
        ProblemError: 422 if it is none of ours, or was given for another query.
    """
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        mark, content = raw[:_MARK_LENGTH], raw[_MARK_LENGTH:]
        if mark == _mark(content, belongs_to):
            values = msgspec.msgpack.decode(content, type=list)
            return msgspec.convert(dict(zip(kind.__struct_fields__, values, strict=True)), kind)
    except (binascii.Error, msgspec.MsgspecError, ValueError) as error:
        raise _refusal() from error
    raise _refusal()


def _mark(content: bytes, belongs_to: tuple[object, ...]) -> bytes:
    return hashlib.sha256(content + repr(belongs_to).encode()).digest()[:_MARK_LENGTH]


def _refusal() -> ProblemError:
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "cursor belongs to no page of this query; begin without one")
