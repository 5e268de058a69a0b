"""The alarms of the line as the page's process holds them: fed by one thread, read and answered by the web server's."""

import threading
from collections.abc import Iterable

from sorter.policy.alarms import Alarm, AlarmBook, AlarmState, Condition, Priority, ShelfReason
from sorter.runtime.clock import Clock
from ui.page_messages import AlarmSummary


class AlarmDesk:
    """An alarm book with a lock around it, and a number that grows whenever the list looks different."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._book = AlarmBook()
        self._lock = threading.Lock()
        self._version = 0
        self._seen: list[tuple[str, AlarmState, bool]] = []

    def step(self, conditions: Iterable[Condition]) -> AlarmSummary:
        """Take in what is wrong now; what the page's band says about it."""
        with self._lock:
            self._book.step(conditions, self._clock.now_ns())
            alarms = self._book.alarms()
            looks = [(alarm.condition.key, alarm.state, alarm.is_active) for alarm in alarms]
            self._version += looks != self._seen
            self._seen = looks
            return _summary(alarms, self._version)

    def alarms(self) -> tuple[list[Alarm], bool]:
        """All alarms that are not normal, and whether they are a flood."""
        with self._lock:
            return self._book.alarms(), self._book.is_flood()

    def acknowledge(self, key: str, who: str) -> bool:
        """An operator has seen an alarm."""
        with self._lock:
            return self._book.acknowledge(key, who)

    def shelve(self, key: str, duration_ns: int, reason: ShelfReason, who: str) -> bool:
        """Set an alarm aside for a time."""
        with self._lock:
            return self._book.shelve(key, duration_ns, reason, who, self._clock.now_ns())

    def unshelve(self, key: str) -> bool:
        """Take an alarm off the shelf."""
        with self._lock:
            return self._book.unshelve(key)

    def now_ns(self) -> int:
        """The instant that alarms' instants are to be compared with."""
        return self._clock.now_ns()


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
