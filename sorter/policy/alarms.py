"""Alarms after ISA-18.2 (IEC 62682): their states as a table, shelving that ends by itself, first-out, floods.

What is wrong is told from outside, by key; this says what an operator sees of it. Two promises hold whatever happens:
an alarm that is active is always in the list, shelved or not, and nothing but an operator's reason shelves it.
"""

import enum
from collections import deque
from collections.abc import Collection, Iterable, Mapping

import msgspec

from sorter.model.units import NS_PER_S

# ISA-18.2: more than ten new alarms in ten minutes are a flood, which one operator cannot follow one by one
FLOOD_COUNT = 10
FLOOD_WINDOW_NS = 600 * NS_PER_S
LONGEST_SHELVING_NS = 8 * 3600 * NS_PER_S


class Priority(enum.IntEnum):
    """How soon somebody must act: at once, within minutes, within the shift, when there is time."""

    CRITICAL = 4
    HIGH = 3
    MEDIUM = 2
    LOW = 1


class AlarmState(enum.Enum):
    """The states of ISA-18.2 that a line needs; the letters of its figure are in the comments."""

    NORMAL = "normal"  # A
    UNACKNOWLEDGED = "unacknowledged"  # B
    ACKNOWLEDGED = "acknowledged"  # C
    RETURNED = "returned"  # D: over, and nobody has seen it
    SHELVED = "shelved"  # G


class AlarmEvent(enum.Enum):
    """What moves an alarm from state to state."""

    RAISE = "raise"
    CLEAR = "clear"
    ACKNOWLEDGE = "acknowledge"
    SHELVE = "shelve"


TRANSITIONS: dict[tuple[AlarmState, AlarmEvent], AlarmState] = {
    (AlarmState.NORMAL, AlarmEvent.RAISE): AlarmState.UNACKNOWLEDGED,
    (AlarmState.UNACKNOWLEDGED, AlarmEvent.ACKNOWLEDGE): AlarmState.ACKNOWLEDGED,
    (AlarmState.UNACKNOWLEDGED, AlarmEvent.CLEAR): AlarmState.RETURNED,
    (AlarmState.ACKNOWLEDGED, AlarmEvent.CLEAR): AlarmState.NORMAL,
    (AlarmState.RETURNED, AlarmEvent.RAISE): AlarmState.UNACKNOWLEDGED,
    (AlarmState.RETURNED, AlarmEvent.ACKNOWLEDGE): AlarmState.NORMAL,
    (AlarmState.UNACKNOWLEDGED, AlarmEvent.SHELVE): AlarmState.SHELVED,
    (AlarmState.ACKNOWLEDGED, AlarmEvent.SHELVE): AlarmState.SHELVED,
}


class ShelfReason(enum.Enum):
    """Why an operator shelves an alarm; chosen, not typed."""

    MAINTENANCE = "maintenance"
    KNOWN_CAUSE = "known_cause"
    NUISANCE = "nuisance"
    SENSOR = "sensor"


class Condition(msgspec.Struct, frozen=True):
    """Something that is wrong just now.

    Attributes:
        code: its kind, which priority and texts hang on.
        source: the process, station or nozzle that it is about.
        priority: how soon somebody must act.
        detail: what the line says of it.
    """

    code: str
    source: str
    priority: Priority
    detail: str = ""

    @property
    def key(self) -> str:
        """What tells it from all others."""
        return f"{self.code}:{self.source}"


class Alarm(msgspec.Struct, frozen=True):
    """A condition with its history; instants are of the line's clock.

    Attributes:
        is_active: whether the condition is there; told apart from the state because shelved ones come and go as well.
        count: how often it was raised since it was last normal.
        is_first_out: whether it was the first of those that are there: most likely the cause of the others.
    """

    condition: Condition
    state: AlarmState
    is_active: bool
    raised_at_ns: int
    count: int = 1
    is_first_out: bool = False
    cleared_at_ns: int | None = None
    acknowledged_by: str = ""
    shelved_by: str = ""
    shelved_until_ns: int | None = None
    shelf_reason: ShelfReason | None = None


class AlarmBook:
    """All alarms that are not normal.

    Args:
        alarms: those of an earlier life, and
        raised_at_ns: when alarms came lately in it, oldest first.
    """

    def __init__(self, alarms: Iterable[Alarm] = (), raised_at_ns: Iterable[int] = ()) -> None:
        self._alarms: dict[str, Alarm] = {alarm.condition.key: alarm for alarm in alarms}
        self._raised_at_ns: deque[int] = deque(raised_at_ns)

    @property
    def raised_at_ns(self) -> tuple[int, ...]:
        """When alarms came lately, oldest first."""
        return tuple(self._raised_at_ns)

    def step(self, conditions: Iterable[Condition], now_ns: int, untold: Collection[str] = ()) -> None:
        """Take in what is wrong at an instant: everything else is not, unless nobody can tell.

        Args:
            conditions: what is wrong.
            now_ns: the instant.
            untold: keys of what may be wrong or not, because who would say it has not been heard; it stays as it is.
        """
        there = {condition.key: condition for condition in conditions}
        self._end_shelving(now_ns)
        for key, condition in there.items():
            self._see(key, condition, now_ns)
        known = {*there, *untold}
        for key in [key for key, alarm in self._alarms.items() if alarm.is_active and key not in known]:
            self._clear(key, now_ns)
        while self._raised_at_ns and self._raised_at_ns[0] <= now_ns - FLOOD_WINDOW_NS:
            self._raised_at_ns.popleft()

    def acknowledge(self, key: str, who: str) -> bool:
        """An operator has seen an alarm; False where there is nothing to see."""
        alarm = self._alarms.get(key)
        state = TRANSITIONS.get((alarm.state, AlarmEvent.ACKNOWLEDGE)) if alarm else None
        if alarm is None or state is None:
            return False
        self._put(key, msgspec.structs.replace(alarm, state=state, acknowledged_by=who))
        return True

    def shelve(self, key: str, duration_ns: int, reason: ShelfReason, who: str, now_ns: int) -> bool:
        """Set an alarm aside for a time; False for what must not be: critical ones, and such as are over.

        The time is held to `LONGEST_SHELVING_NS`; afterwards an alarm that is still there must be acknowledged anew.
        """
        alarm = self._alarms.get(key)
        if alarm is None or not may_be_shelved(alarm) or duration_ns <= 0:
            return False
        until_ns = now_ns + min(duration_ns, LONGEST_SHELVING_NS)
        shelved = msgspec.structs.replace(
            alarm, state=AlarmState.SHELVED, shelved_by=who, shelved_until_ns=until_ns, shelf_reason=reason
        )
        self._put(key, shelved)
        return True

    def unshelve(self, key: str) -> bool:
        """Take an alarm off the shelf before its time; False where it lies on none."""
        alarm = self._alarms.get(key)
        if alarm is None or alarm.state is not AlarmState.SHELVED:
            return False
        self._put(key, _off_the_shelf(alarm))
        return True

    def alarms(self) -> list[Alarm]:
        """All that are not normal, the most urgent and of these the newest first."""
        return sorted(self._alarms.values(), key=_urgency)

    def is_flood(self) -> bool:
        """Whether more alarms have come lately than one operator can follow."""
        return len(self._raised_at_ns) > FLOOD_COUNT

    def _see(self, key: str, condition: Condition, now_ns: int) -> None:
        alarm = self._alarms.get(key)
        if alarm is not None and alarm.is_active:
            told = msgspec.structs.replace(alarm, condition=condition)
            has_grown = told.state is AlarmState.SHELVED and condition.priority is Priority.CRITICAL
            self._put(key, _off_the_shelf(told) if has_grown else told)
            return
        self._raised_at_ns.append(now_ns)
        before = AlarmState.NORMAL if alarm is None else alarm.state
        self._alarms[key] = Alarm(
            condition=condition,
            state=TRANSITIONS.get((before, AlarmEvent.RAISE), before),
            is_active=True,
            raised_at_ns=now_ns,
            count=1 if alarm is None else alarm.count + 1,
            is_first_out=not any(one.is_active for one in self._alarms.values()),
            shelved_by=alarm.shelved_by if alarm else "",
            shelved_until_ns=alarm.shelved_until_ns if alarm else None,
            shelf_reason=alarm.shelf_reason if alarm else None,
        )

    def _clear(self, key: str, now_ns: int) -> None:
        alarm = self._alarms[key]
        state = TRANSITIONS.get((alarm.state, AlarmEvent.CLEAR), alarm.state)
        self._put(key, msgspec.structs.replace(alarm, state=state, is_active=False, cleared_at_ns=now_ns))

    def _end_shelving(self, now_ns: int) -> None:
        for key, alarm in list(self._alarms.items()):
            if alarm.shelved_until_ns is not None and now_ns >= alarm.shelved_until_ns:
                self._put(key, _off_the_shelf(alarm))

    def _put(self, key: str, alarm: Alarm) -> None:
        if alarm.state is AlarmState.NORMAL:
            self._alarms.pop(key, None)
        else:
            self._alarms[key] = alarm


def may_be_shelved(alarm: Alarm) -> bool:
    """Whether an operator may set an alarm aside."""
    is_way = (alarm.state, AlarmEvent.SHELVE) in TRANSITIONS
    return is_way and alarm.condition.priority is not Priority.CRITICAL


def by_source(alarms: Iterable[Alarm]) -> Mapping[str, list[Alarm]]:
    """Alarms together with others of their source, for a flood; their order stays, and none is left out."""
    groups: dict[str, list[Alarm]] = {}
    for alarm in alarms:
        groups.setdefault(alarm.condition.source.partition(":")[0], []).append(alarm)
    return groups


def _off_the_shelf(alarm: Alarm) -> Alarm:
    state = AlarmState.UNACKNOWLEDGED if alarm.is_active else AlarmState.NORMAL
    return msgspec.structs.replace(alarm, state=state, shelved_by="", shelved_until_ns=None, shelf_reason=None)


def _urgency(alarm: Alarm) -> tuple[bool, bool, int, int, str]:
    is_shelved = alarm.state is AlarmState.SHELVED
    is_seen = alarm.state is AlarmState.ACKNOWLEDGED
    return is_shelved, is_seen, -alarm.condition.priority, -alarm.raised_at_ns, alarm.condition.key
