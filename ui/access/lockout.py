"""Wrong PINs in a row, and how long a name is locked after them; a file of its own, so that no restart forgives any.

A wrong PIN is on the disk before it is answered. By the line's clock alone: a wall clock that jumps unlocks nobody. A
restart of the machine, which begins that clock anew, begins the locks that were running anew as well.
"""

import logging
import threading
from pathlib import Path
from typing import Annotated

import msgspec

from sorter.model.units import NS_PER_S
from sorter.runtime.stamp import Stamp, stamp
from sorter.runtime.whole_file import write_whole_file

LOCKOUT_FILE_NAME = "wrong_pins.json"
# so many wrong PINs in a row lock a user's name out; each further one doubles the time, up to the longest
_FREE_TRIES = 5
_FIRST_LOCK_NS = 30 * NS_PER_S
_LONGEST_LOCK_NS = 900 * NS_PER_S
_LOG = logging.getLogger("ui")


class Tries(msgspec.Struct, frozen=True):
    """Wrong PINs in a row, and until when no further one is looked at."""

    wrong_count: Annotated[int, msgspec.Meta(ge=0, le=2**31)] = 0
    locked_until_ns: Annotated[int, msgspec.Meta(ge=0, le=2**61)] = 0


class _Kept(msgspec.Struct, frozen=True):
    """The file's content."""

    written: Stamp
    tries: dict[str, Tries]


class Lockout:
    """Tries by name.

    Args:
        path: the file; missing means that nobody has been wrong.
        now: this moment.
    """

    def __init__(self, path: Path, now: Stamp) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._is_failing = False
        self._tries = _read(path, now)

    def locked_for_s(self, name: str, now_ns: int) -> int:
        """For how many seconds no PIN of a name is looked at."""
        return max(0, -((now_ns - self._tries.get(name, Tries()).locked_until_ns) // NS_PER_S))

    def note_wrong(self, name: str, now_ns: int) -> None:
        """One more wrong PIN of a name."""
        with self._lock:
            wrong_count = self._tries.get(name, Tries()).wrong_count + 1
            until_ns = 0
            if wrong_count >= _FREE_TRIES:
                doublings = min(wrong_count - _FREE_TRIES, 10)
                until_ns = now_ns + min(_FIRST_LOCK_NS << doublings, _LONGEST_LOCK_NS)
            self._write({**self._tries, name: Tries(wrong_count, until_ns)}, now_ns)

    def forgive(self, name: str, now_ns: int) -> None:
        """A right PIN ends the row."""
        with self._lock:
            if name in self._tries:
                self._write({key: tries for key, tries in self._tries.items() if key != name}, now_ns)

    def _write(self, tries: dict[str, Tries], now_ns: int) -> None:
        """A disk that takes nothing is said in the log, once; whoever is right must be able to stop the line."""
        self._tries = tries
        try:
            write_whole_file(self._path, msgspec.json.encode(_Kept(stamp(now_ns), tries)) + b"\n")
        except OSError as error:
            if not self._is_failing:
                _LOG.warning("wrong PINs are counted in memory alone, %s cannot be written: %s", self._path, error)
            self._is_failing = True
        else:
            self._is_failing = False


def _read(path: Path, now: Stamp) -> dict[str, Tries]:
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_Kept)
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        _LOG.warning("wrong PINs of an earlier life are forgotten, %s cannot be read: %s", path, error)
        return {}
    written = found.written
    is_same_clock = written.machine_boot_id == now.machine_boot_id != "" and now.at_ns >= written.at_ns
    begins_at_ns = written.at_ns if is_same_clock else now.at_ns
    return {name: _begun(tries, written.at_ns, begins_at_ns) for name, tries in found.tries.items()}


def _begun(tries: Tries, written_at_ns: int, begins_at_ns: int) -> Tries:
    """Tries whose lock, as far as it was still running when it was written, runs from an instant on."""
    remaining_ns = min(max(tries.locked_until_ns - written_at_ns, 0), _LONGEST_LOCK_NS)
    return Tries(tries.wrong_count, begins_at_ns + remaining_ns if remaining_ns else 0)
