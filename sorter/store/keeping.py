"""Keeping what a line records, come what may: in batches, as sums alone where the disk is full, and never waiting.

Loss rule: what cannot be kept singly is kept as sums and counted as such; what cannot be written at all waits in
memory, and beyond a limit waits as sums. Nothing here raises: what is wrong is said by `trouble`.
"""

import shutil
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from sorter.errors import StoreError, StoreFullError
from sorter.model.events import AnyEvent
from sorter.model.rollups import Resolution, RollUp, summed_only
from sorter.model.settings import StoreSettings
from sorter.model.units import BYTES_PER_MIB, NS_PER_MS, NS_PER_S
from sorter.store.sqlite_writer import SqliteWriter

MAX_WAITING_COUNT = 100_000
_MAX_BATCH_COUNT = 5_000
# sums by the minute that wait in memory; above it they are lumped by the hour
_MAX_OWED_COUNT = 100_000
_REOPEN_AFTER_NS = 10 * NS_PER_S
_TIDY_EVERY_NS = 60 * NS_PER_S
# a wall clock that was set by more than this while the line ran is not believed when events are to be forgotten
_MAX_CLOCK_SHIFT_MS = Resolution.HOUR.value
# items that make room when the file has grown too large; its sums, not its events, are what stays for good
_FORGET_COUNT = 20_000


class StoreTrouble(msgspec.Struct, frozen=True):
    """What is wrong with the store: a code for screens and tests, and a sentence."""

    code: str
    detail: str


class Keeping:
    """The writer's side of a line's record; `put` from the deciding thread, `step` from the writing one."""

    def __init__(
        self,
        path: Path,
        settings: StoreSettings,
        *,
        open_writer: Callable[[Path], SqliteWriter] = SqliteWriter,
        free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self._path = path
        self._settings = settings
        self._open_writer = open_writer
        self._free_bytes = free_bytes
        # deque: appending and taking from the other end are safe between two threads
        self._waiting: deque[AnyEvent] = deque()
        self._batch: list[AnyEvent] = []
        self._owed = RollUp()
        # sums of an attempt of which nothing more is known, and how many had been written before
        self._in_doubt: tuple[RollUp, int] | None = None
        self._writer: SqliteWriter | None = None
        self._retry_at_ns = 0
        self._tidy_at_ns = 0
        self._wall_zero_ms: int | None = None
        self.trouble: StoreTrouble | None = None
        self.stored_count = 0
        self.summed_only_count = 0

    @property
    def waiting_count(self) -> int:
        """Events that are not durable yet."""
        return len(self._waiting) + len(self._batch)

    def put(self, event: AnyEvent) -> None:
        """Hand over an event; never blocks."""
        self._waiting.append(event)

    def step(self, now_ns: int, wall_ms: int) -> None:
        """Write what waits, and once a minute forget what is old."""
        self._take_waiting()
        try:
            writer = self._opened(now_ns)
            if writer is not None:
                self._write(writer)
                self._tidy(writer, now_ns, wall_ms)
        except StoreFullError as error:
            self._sum_up(self._batch)
            self._say("store_full", f"{error}; the line remembers sums alone, and those in memory")
        except StoreError as error:
            self._let_go(now_ns)
            self._say("store_fault", f"{error}; the line sorts on, and tries again to remember")

    def close(self) -> None:
        """Let go of the store; what `step` has not written is lost."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _take_waiting(self) -> None:
        while self._waiting and len(self._batch) < _MAX_BATCH_COUNT:
            self._batch.append(self._waiting.popleft())
        surplus_count = len(self._waiting) - MAX_WAITING_COUNT
        if surplus_count > 0:
            self._sum_up([self._waiting.popleft() for _ in range(surplus_count)])

    def _opened(self, now_ns: int) -> SqliteWriter | None:
        if self._writer is None and now_ns >= self._retry_at_ns:
            self._writer = self._open_writer(self._path)
        return self._writer

    def _write(self, writer: SqliteWriter) -> None:
        if self._is_disk_full():
            self._sum_up(self._batch)
            self._write_owed(writer)
            limit_mib = self._settings.min_free_mib
            self._say("store_full", f"less than {limit_mib} MiB free at {self._path.parent}: sums alone are remembered")
            return
        self._write_owed(writer)
        if self._batch:
            self.stored_count += writer.record(self._batch).stored_count
            self._batch = []
        self.trouble = None

    def _is_disk_full(self) -> bool:
        try:
            return self._free_bytes(self._path.parent) < self._settings.min_free_mib * BYTES_PER_MIB
        except OSError as error:
            raise StoreError(f"store {self._path}: {error.strerror}") from error

    def _write_owed(self, writer: SqliteWriter) -> None:
        """Add owed sums once: they themselves do not show whether an attempt that failed was written all the same."""
        if self._in_doubt is not None:
            sums, count = self._in_doubt
            if writer.sums_count() == count:
                self._owed.add(sums)
            self._in_doubt = None
        if self._owed.items or self._owed.counts:
            self._in_doubt = (self._owed, writer.sums_count())
            self._owed = RollUp()
            writer.add_sums(self._in_doubt[0])
            self._in_doubt = None

    def _sum_up(self, events: Sequence[AnyEvent]) -> None:
        """Keep events as sums in memory; those of the batch are no longer in it."""
        self._owed.add(summed_only(events))
        self.summed_only_count += len(events)
        if events is self._batch:
            self._batch = []
        if len(self._owed.items) + len(self._owed.counts) > _MAX_OWED_COUNT:
            self._owed = self._owed.to(Resolution.HOUR)

    def _tidy(self, writer: SqliteWriter, now_ns: int, wall_ms: int) -> None:
        """One slice of forgetting; the next one at once if there is more to forget."""
        if now_ns < self._tidy_at_ns:
            return
        deleted_count = 0
        if self._is_clock_steady(now_ns, wall_ms):
            deleted_count = writer.forget_before(wall_ms - self._settings.keep_days * Resolution.DAY.value)
        if writer.used_bytes() > self._settings.max_file_mib * BYTES_PER_MIB:
            cutoff_ms = writer.at_ms_of_oldest(_FORGET_COUNT)
            deleted_count += writer.forget_before(cutoff_ms) if cutoff_ms is not None else 0
        if deleted_count == 0:
            self._tidy_at_ns = now_ns + _TIDY_EVERY_NS

    def _is_clock_steady(self, now_ns: int, wall_ms: int) -> bool:
        """Whether the wall clock has run on since the first step; one that was set may make all events look old."""
        zero_ms = wall_ms - now_ns // NS_PER_MS
        if self._wall_zero_ms is None:
            self._wall_zero_ms = zero_ms
        return abs(zero_ms - self._wall_zero_ms) <= _MAX_CLOCK_SHIFT_MS

    def _let_go(self, now_ns: int) -> None:
        self._retry_at_ns = now_ns + _REOPEN_AFTER_NS
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.abandon()

    def _say(self, code: str, detail: str) -> None:
        self.trouble = StoreTrouble(code, detail)
