"""The API of the line that this process belongs to: its own store, its own state, audits by the line's bus."""

from collections.abc import Callable

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

    readers = Readers(open_reader)
    return with_api(page, create_api(settings, ApiLink(readers.borrow, wall_ms, clock.now_ns, state, enter_audit)))
