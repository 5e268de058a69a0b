"""The hub's connections to its database: so many batches are written at once, and who comes on top is asked to wait."""

import queue
from collections.abc import Iterator
from contextlib import contextmanager

from sorter.store.postgres_writer import PostgresWriter

_WAIT_S = 2.0


class HubBusyError(Exception):
    """All connections are at work, and stayed so for a while."""


class Writers:
    """A fixed number of places; a connection is made when a place is first used."""

    def __init__(self, dsn: str, count: int) -> None:
        """Connect once, so that what is wrong with the database shows now.

        Raises:
            StoreError: if the database cannot be had.
        """
        self._dsn = dsn
        # the last one used is used first, so that no more connections are made than are needed
        self._places: queue.LifoQueue[PostgresWriter | None] = queue.LifoQueue()
        for _ in range(count - 1):
            self._places.put(None)
        self._places.put(PostgresWriter(dsn))

    @contextmanager
    def one(self) -> Iterator[PostgresWriter]:
        """A writer for one batch.

        Raises:
            HubBusyError: if none came free within two seconds.
            StoreError: if the database cannot be had.
        """
        try:
            writer = self._places.get(timeout=_WAIT_S)
        except queue.Empty as error:
            raise HubBusyError from error
        try:
            writer = writer or PostgresWriter(self._dsn)
            yield writer
        finally:
            self._places.put(writer)

    def close(self) -> None:
        """Close what is not at work."""
        while not self._places.empty():
            writer = self._places.get_nowait()
            if writer is not None:
                writer.close()
