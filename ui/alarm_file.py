"""The file in which alarms outlive the page's process: read once at the start, replaced whole at every change.

Alarms matter more than their file. One that cannot be read or written is said in the log, once for each time that it
begins, and the line's alarms go on in memory.
"""

import logging
from pathlib import Path

import msgspec

from sorter.model.units import NS_PER_S
from sorter.policy.alarm_keeping import KeptBook, restored
from sorter.policy.alarms import AlarmBook
from sorter.runtime.stamp import Stamp, passed_ns, stamp
from sorter.runtime.whole_file import write_whole_file

ALARM_FILE_NAME = "alarms.json"
RETRY_AFTER_NS = 10 * NS_PER_S
_LOG = logging.getLogger("ui")


class _Kept(msgspec.Struct, frozen=True):
    """The file's content."""

    written: Stamp
    book: KeptBook


class AlarmFile:
    """Reads and writes the file; to be written by one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # set while writing fails
        self._retry_at_ns: int | None = None

    def read(self, now: Stamp) -> AlarmBook:
        """The book as it was kept, by the clock of this moment; an empty one where nothing can be read."""
        try:
            found = msgspec.json.decode(self._path.read_bytes(), type=_Kept)
        except FileNotFoundError:
            _LOG.info("no alarms of an earlier life in %s", self._path)
            return AlarmBook()
        except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            _LOG.warning("alarms of an earlier life are lost, %s cannot be read: %s", self._path, error)
            return AlarmBook()
        return restored(found.book, found.written.at_ns, passed_ns(found.written, now), now.at_ns)

    def write(self, book: KeptBook, now_ns: int) -> bool:
        """Keep a book; False if it is not on the disk, which is tried again after a while."""
        if self._retry_at_ns is not None and now_ns < self._retry_at_ns:
            return False
        try:
            data = msgspec.json.encode(_Kept(stamp(now_ns), book))
            write_whole_file(self._path, msgspec.json.format(data, indent=1) + b"\n")
        except OSError as error:
            if self._retry_at_ns is None:
                _LOG.warning("alarms are kept in memory alone, %s cannot be written: %s", self._path, error)
            self._retry_at_ns = now_ns + RETRY_AFTER_NS
            return False
        if self._retry_at_ns is not None:
            _LOG.info("alarms are kept in %s again", self._path)
            self._retry_at_ns = None
        return True
