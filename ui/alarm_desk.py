"""The alarms of the line as the page's process holds them: fed by one thread, read and answered by the web server's."""

import threading
from collections.abc import Callable, Iterable

import msgspec

from sorter.model.units import NS_PER_MS
from sorter.policy.alarm_keeping import kept
from sorter.policy.alarms import Alarm, AlarmBook, AlarmState, Condition, Priority, ShelfReason
from sorter.runtime.clock import Clock
from sorter.runtime.stamp import stamp
from ui.alarm_file import AlarmFile
from ui.page_messages import AlarmSummary


class _Look(msgspec.Struct, frozen=True):
    """What of an alarm is worth showing anew and writing down; what the line says in detail changes all the time."""

    key: str
    state: AlarmState
    is_active: bool
    count: int
    raised_at_ns: int
    acknowledged_by: str
    shelved_until_ns: int | None


class AlarmDesk:
    """An alarm book with a lock around it, and a number that grows whenever the list looks different.

    What operators have done is in the file when it returns; what the line does, when `keep` returns.

    Args:
        clock: the line's clock.
        file: where alarms outlive this process; None: nowhere.
    """

    def __init__(self, clock: Clock, file: AlarmFile | None = None) -> None:
        self._clock = clock
        self._file = file
        self._book = AlarmBook() if file is None else file.read(stamp(clock.now_ns()))
        self._lock = threading.Lock()
        # a page that was loaded in an earlier life shall not take this one's list for the one it has
        self._version = clock.now_ns() // NS_PER_MS
        self._seen = self._kept = _looks(self._book.alarms())
        self._keeping = threading.Lock()

    def step(self, conditions: Iterable[Condition], is_told: Callable[[Condition], bool] | None = None) -> AlarmSummary:
        """Take in what is wrong now; what the page's band says about it.

        Args:
            conditions: what is wrong.
            is_told: whether the line would have said by now that a condition is there; None: it would.
        """
        with self._lock:
            untold = {one.condition.key for one in self._book.alarms() if is_told and not is_told(one.condition)}
            self._book.step(conditions, self._clock.now_ns(), untold)
            alarms = self._book.alarms()
            looks = _looks(alarms)
            self._version += looks != self._seen
            self._seen = looks
            return _summary(alarms, self._version)

    def keep(self) -> None:
        """Write alarms down if they look different from what is written; readers of the list need not wait for it."""
        if self._file is None:
            return
        with self._keeping:
            with self._lock:
                looks, book = _looks(self._book.alarms()), kept(self._book)
            if looks != self._kept and self._file.write(book, self._clock.now_ns()):
                self._kept = looks

    def alarms(self) -> tuple[list[Alarm], bool]:
        """All alarms that are not normal, and whether they are a flood."""
        with self._lock:
            return self._book.alarms(), self._book.is_flood()

    def acknowledge(self, key: str, who: str) -> bool:
        """An operator has seen an alarm."""
        return self._kept_after(lambda: self._book.acknowledge(key, who))

    def acknowledge_all(self, keys: Iterable[str], who: str) -> bool:
        """An operator has seen several alarms; False where there is nothing to see in any."""
        return self._kept_after(lambda: sum(self._book.acknowledge(key, who) for key in keys) > 0)

    def shelve(self, key: str, duration_ns: int, reason: ShelfReason, who: str) -> bool:
        """Set an alarm aside for a time."""
        return self._kept_after(lambda: self._book.shelve(key, duration_ns, reason, who, self._clock.now_ns()))

    def unshelve(self, key: str) -> bool:
        """Take an alarm off the shelf."""
        return self._kept_after(lambda: self._book.unshelve(key))

    def now_ns(self) -> int:
        """The instant that alarms' instants are to be compared with."""
        return self._clock.now_ns()

    def _kept_after(self, act: Callable[[], bool]) -> bool:
        with self._lock:
            has_changed = act()
        self.keep()
        return has_changed


def _looks(alarms: Iterable[Alarm]) -> list[_Look]:
    return [
        _Look(
            alarm.condition.key,
            alarm.state,
            alarm.is_active,
            alarm.count,
            alarm.raised_at_ns,
            alarm.acknowledged_by,
            alarm.shelved_until_ns,
        )
        for alarm in alarms
    ]


def _summary(alarms: list[Alarm], version: int) -> AlarmSummary:
    active = [alarm for alarm in alarms if alarm.is_active and alarm.state is not AlarmState.SHELVED]
    unseen = [alarm for alarm in alarms if alarm.state in {AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED}]
    there = [alarm for alarm in active if alarm.state is AlarmState.UNACKNOWLEDGED]
    worst = max((alarm.condition.priority for alarm in there or active), default=None)
    return AlarmSummary(
        active_count=len(active),
        unacknowledged_count=len(unseen),
        shelved_count=sum(alarm.state is AlarmState.SHELVED for alarm in alarms),
        worst=None if worst is None else Priority(worst).name.lower(),
        is_seen=not there,
        version=version,
    )
