"""The API over a store: that of the line which this process belongs to, or a hub's with the records of many lines."""

from collections.abc import Callable

import flask

from sorter.errors import StoreError
from sorter.model.events import AuditEntry
from sorter.model.settings import Settings
from sorter.runtime.clock import Clock, wall_ms
from sorter.store.place import store_path
from sorter.store.protocol import StoreReader
from ui.api.operation import ApiLink
from ui.api.readers import Readers
from ui.api.site import Wsgi, create_api, with_api
from ui.page_messages import StateReport


def api_over_store(
    settings: Settings,
    open_reader: Callable[[], StoreReader],
    clock: Clock,
    state: Callable[[], StateReport | None] = lambda: None,
    enter_audit: Callable[[AuditEntry], None] | None = None,
) -> flask.Flask:
    """The API over any store.

    Args:
        settings: its tables `api`, `figures` and `recipe` count.
        open_reader: opens a reader, for as many answers at once as `api.max_concurrent_count` says.
        clock: the monotonic clock.
        state: the newest state of the line; left out where no line runs here.
        enter_audit: hands an audit to the line; left out, audits are entered elsewhere.
    """
    readers = Readers(open_reader)
    return create_api(settings, ApiLink(readers.borrow, wall_ms, clock.now_ns, state, enter_audit))


def beside_page(
    page: Wsgi,
    settings: Settings,
    clock: Clock,
    state: Callable[[], StateReport | None],
    enter_audit: Callable[[AuditEntry], None],
) -> Wsgi:
    """The page and the API of its line as one application."""

    def open_reader() -> StoreReader:
        if not settings.store.enabled:
            raise StoreError("store.enabled is false: this line remembers nothing")
        # the page starts quicker without a database
        from sorter.store.sqlite_reader import SqliteReader

        return SqliteReader(store_path(settings))

    return with_api(page, api_over_store(settings, open_reader, clock, state, enter_audit))
