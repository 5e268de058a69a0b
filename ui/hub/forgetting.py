"""Once an hour the hub forgets what is older than it was told to keep."""

import logging

from sorter.errors import StoreError
from sorter.model.rollups import Resolution
from sorter.model.settings import HubSettings
from sorter.model.units import NS_PER_S
from sorter.store.postgres_forgetting import forget_before

_PERIOD_NS = 3600 * NS_PER_S


class Forgetting:
    """Instants are arguments: the monotonic clock says when, wall time what is old."""

    def __init__(self, settings: HubSettings) -> None:
        self._settings = settings
        self._due_ns: int | None = None

    def step(self, now_ns: int, wall_ms: int) -> None:
        """Forget when it is due; what goes wrong is said, and tried again when it is due again."""
        if self._due_ns is not None and now_ns < self._due_ns:
            return
        self._due_ns = now_ns + _PERIOD_NS
        try:
            months = forget_before(self._settings.database, wall_ms - self._settings.keep_days * Resolution.DAY.value)
        except StoreError as error:
            logging.getLogger("hub").warning("old events stay for now: %s", error)
            return
        if months:
            logging.getLogger("hub").info("single events of %s are no longer kept", ", ".join(months))
