"""Lends readers of a store, one an answer: opened when first needed, kept for the next, thrown away when they fail."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sorter.errors import StoreError
from sorter.store.protocol import StoreReader


class Readers:
    """A reader serves one thread at a time, so each answer borrows one.

    Args:
        open_reader: opens another; raises StoreError while there is no store.
    """

    def __init__(self, open_reader: Callable[[], StoreReader]) -> None:
        self._open_reader = open_reader
        self._turn = threading.Lock()
        self._idle: list[StoreReader] = []
        self._is_closed = False

    @contextmanager
    def borrow(self) -> Iterator[StoreReader]:
        """A reader for one answer.

        Raises:
            StoreError: if there is no store that can be read.
        """
        with self._turn:
            reader = self._idle.pop() if self._idle else None
        if reader is None:
            reader = self._open_reader()
        try:
            yield reader
        except StoreError:
            reader.close()
            raise
        except BaseException:
            self._give_back(reader)
            raise
        self._give_back(reader)

    def close(self) -> None:
        """Close those that are idle; the others close when they come back."""
        with self._turn:
            self._is_closed = True
            idle, self._idle = self._idle, []
        for reader in idle:
            reader.close()

    def _give_back(self, reader: StoreReader) -> None:
        with self._turn:
            if not self._is_closed:
                self._idle.append(reader)
                return
        reader.close()
