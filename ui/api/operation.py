"""What an operation of the API is: one value that routes it, guards it, reads it, and describes it in OpenAPI."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Literal, NamedTuple

import msgspec

from sorter.model.events import AuditEntry
from sorter.model.settings import Settings
from sorter.runtime.api_keys import Scope
from sorter.store.protocol import StoreReader
from ui.api.access import Caller
from ui.api.query import Query
from ui.page_messages import StateReport

MethodName = Literal["GET", "POST"]


class ApiLink(NamedTuple):
    """What the API needs of the process that it runs in.

    Attributes:
        reader: lends a reader of the store for one answer; raises StoreError while there is no store.
        now_ms: wall time, milliseconds since 1970 UTC.
        now_ns: the monotonic clock.
        state: the newest state of the line; None where no line runs here, or it has said nothing yet.
        enter_audit: hands an audit to the line; None where none can be entered.
    """

    reader: Callable[[], AbstractContextManager[StoreReader]]
    now_ms: Callable[[], int]
    now_ns: Callable[[], int]
    state: Callable[[], StateReport | None]
    enter_audit: Callable[[AuditEntry], None] | None


class Asking(NamedTuple):
    """One request, as an operation is given it.

    Attributes:
        settings: the line's configuration.
        link: the process around.
        caller: who asks.
        query: the operation's own query type.
        body: the operation's own body type, None where it has none.
    """

    settings: Settings
    link: ApiLink
    caller: Caller
    query: Any
    body: Any


class Deprecation(msgspec.Struct, frozen=True):
    """When an operation was given up, when it will be gone, and what takes its place (RFC 9745, RFC 8594)."""

    since: datetime
    sunset: datetime
    successor: str


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation.

    Attributes:
        name: its id; path: below /api/v1; summary: one line.
        scope: what a caller needs, None for everybody.
        query, body, answer: types, from which reading, checking and the OpenAPI document follow.
        row: where the answer's `data` are rows of one type, which can be had as CSV and Parquet too.
        handle: does the work.
    """

    name: str
    path: str
    summary: str
    scope: Scope | None
    answer: type[msgspec.Struct]
    handle: Callable[[Asking], msgspec.Struct]
    query: type[Query] = Query
    body: type[msgspec.Struct] | None = None
    row: type[msgspec.Struct] | None = None
    method: MethodName = "GET"
    status: int = 200
    deprecation: Deprecation | None = None
