"""What of an alarm book outlives the process that holds it: as values, and moved to the clock of a later life.

Writing and reading them is others' matter, as is knowing how much time has passed meanwhile.
"""

from collections.abc import Iterator

import msgspec

from sorter.policy.alarms import LONGEST_SHELVING_NS, Alarm, AlarmBook, AlarmState, Priority

# instants are moved by some years at most, and stay within 64 bits
_FARTHEST_INSTANT_NS = 2**60
_LARGEST_COUNT = 2**31
_ACTIVE_STATES = {AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED}


class KeptBook(msgspec.Struct, frozen=True):
    """An alarm book at one instant of the line's clock.

    Attributes:
        alarms: all that are not normal.
        raised_at_ns: when alarms came lately, which tells a flood.
    """

    alarms: tuple[Alarm, ...]
    raised_at_ns: tuple[int, ...]

    def __post_init__(self) -> None:
        """Refuse what no book can hold, as from a file that was damaged or written by hand."""
        for alarm in self.alarms:
            if not _is_possible(alarm):
                raise ValueError(f"alarm {alarm.condition.key!r}: no alarm can be like this")
        if not all(map(_is_near, self.raised_at_ns)):
            raise ValueError("raised_at_ns: out of range")


def kept(book: AlarmBook) -> KeptBook:
    """What is to be kept of a book."""
    return KeptBook(tuple(book.alarms()), book.raised_at_ns)


def restored(kept_book: KeptBook, written_at_ns: int, passed_ns: int | None, now_ns: int) -> AlarmBook:
    """The book of which something was kept, by the clock as it runs now; no shelving is longer than one begun now.

    Args:
        kept_book: what was kept.
        written_at_ns: when, by the clock as it ran then.
        passed_ns: how much time has passed since; None if nobody knows, and then no shelving goes on.
        now_ns: the present instant.
    """
    shift_ns = now_ns - (passed_ns or 0) - written_at_ns
    last_end_ns = now_ns if passed_ns is None else now_ns + LONGEST_SHELVING_NS
    alarms = [_moved(alarm, shift_ns, last_end_ns) for alarm in kept_book.alarms]
    return AlarmBook(alarms, [instant_ns + shift_ns for instant_ns in kept_book.raised_at_ns])


def _moved(alarm: Alarm, shift_ns: int, last_end_ns: int) -> Alarm:
    cleared_at_ns, until_ns = alarm.cleared_at_ns, alarm.shelved_until_ns
    return msgspec.structs.replace(
        alarm,
        raised_at_ns=alarm.raised_at_ns + shift_ns,
        cleared_at_ns=None if cleared_at_ns is None else cleared_at_ns + shift_ns,
        shelved_until_ns=None if until_ns is None else min(until_ns + shift_ns, last_end_ns),
    )


def _is_possible(alarm: Alarm) -> bool:
    is_shelved = alarm.state is AlarmState.SHELVED
    is_whole_shelving = is_shelved == (alarm.shelved_until_ns is not None) == (alarm.shelf_reason is not None)
    is_alarm = alarm.state is not AlarmState.NORMAL and 0 < alarm.count < _LARGEST_COUNT
    is_active_as_told = is_shelved or alarm.is_active == (alarm.state in _ACTIVE_STATES)
    may_lie_there = not is_shelved or alarm.condition.priority is not Priority.CRITICAL
    is_near = all(map(_is_near, _instants(alarm)))
    return is_alarm and is_whole_shelving and is_active_as_told and may_lie_there and is_near


def _instants(alarm: Alarm) -> Iterator[int]:
    yield alarm.raised_at_ns
    yield from (instant for instant in (alarm.cleared_at_ns, alarm.shelved_until_ns) if instant is not None)


def _is_near(instant_ns: int) -> bool:
    return abs(instant_ns) <= _FARTHEST_INSTANT_NS
