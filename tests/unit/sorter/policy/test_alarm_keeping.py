"""An alarm book written down and read again is the same book, by whatever clock, and no shelving grows on the way."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sorter.model.units import NS_PER_S
from sorter.policy.alarm_keeping import KeptBook, kept, restored
from sorter.policy.alarms import (
    FLOOD_COUNT,
    LONGEST_SHELVING_NS,
    Alarm,
    AlarmBook,
    AlarmState,
    Condition,
    Priority,
    ShelfReason,
)

CONDITIONS = (
    Condition("emergency_stop", "line", Priority.CRITICAL),
    Condition("no_air", "line", Priority.HIGH, "0.1 bar"),
    Condition("purity_low", "pet", Priority.MEDIUM, "ضغط"),
    *(Condition("nozzle_suspected", f"pet:{number}", Priority.LOW, "dead") for number in range(FLOOD_COUNT)),
)
CONDITION = st.sampled_from(CONDITIONS)
ACTS = st.one_of(
    st.tuples(st.just("step"), st.sets(CONDITION), st.integers(0, 1000)),
    st.tuples(st.just("acknowledge"), CONDITION, st.just(0)),
    st.tuples(st.just("shelve"), CONDITION, st.integers(1, 40_000)),
    st.tuples(st.just("unshelve"), CONDITION, st.just(0)),
)
HISTORIES = st.lists(ACTS, max_size=25)
AIR, PET = CONDITIONS[1], CONDITIONS[2]
START_NS = 10**13


def act(book: AlarmBook, history: list[tuple], now_ns: int) -> int:
    """Let a history happen to a book; the instant at its end."""
    for kind, about, seconds in history:
        if kind == "step":
            now_ns += seconds * NS_PER_S
            book.step(about, now_ns)
        elif kind == "acknowledge":
            book.acknowledge(about.key, "Omar")
        elif kind == "shelve":
            book.shelve(about.key, seconds * NS_PER_S, ShelfReason.SENSOR, "Omar", now_ns)
        else:
            book.unshelve(about.key)
    return now_ns


def through_a_file(book: AlarmBook) -> KeptBook:
    return msgspec.json.decode(msgspec.json.encode(kept(book)), type=KeptBook)


@given(before=HISTORIES, after=HISTORIES)
@settings(max_examples=150, deadline=None)
def test_a_book_that_was_read_again_goes_on_as_if_nothing_had_been(before: list[tuple], after: list[tuple]) -> None:
    book = AlarmBook()
    now_ns = act(book, before, START_NS)
    again = restored(through_a_file(book), now_ns, 0, now_ns)
    assert (again.alarms(), again.is_flood()) == (book.alarms(), book.is_flood())
    act(book, after, now_ns)
    act(again, after, now_ns)
    assert (again.alarms(), again.is_flood()) == (book.alarms(), book.is_flood())


@given(before=HISTORIES, passed_s=st.integers(0, 50_000), restarted_at_s=st.integers(0, 10**6))
@settings(max_examples=150, deadline=None)
def test_on_another_clock_everything_is_as_long_ago_as_it_is(
    before: list[tuple], passed_s: int, restarted_at_s: int
) -> None:
    book = AlarmBook()
    written_at_ns = act(book, before, START_NS)
    now_ns, passed_ns = restarted_at_s * NS_PER_S, passed_s * NS_PER_S
    again = restored(through_a_file(book), written_at_ns, passed_ns, now_ns)
    there = [alarm.condition for alarm in book.alarms() if alarm.is_active]
    book.step(there, written_at_ns + passed_ns)
    again.step(there, now_ns)
    assert ages(again, now_ns) == ages(book, written_at_ns + passed_ns)
    assert again.is_flood() == book.is_flood()


def ages(book: AlarmBook, now_ns: int) -> list[tuple]:
    """Alarms with how long ago or ahead their instants are."""
    return [
        (
            msgspec.structs.replace(alarm, raised_at_ns=0, cleared_at_ns=None, shelved_until_ns=None),
            now_ns - alarm.raised_at_ns,
            None if alarm.cleared_at_ns is None else now_ns - alarm.cleared_at_ns,
            None if alarm.shelved_until_ns is None else now_ns - alarm.shelved_until_ns,
        )
        for alarm in book.alarms()
    ]


@given(before=HISTORIES, passed_s=st.one_of(st.none(), st.integers(0, 10**8)), now_s=st.integers(0, 10**6))
@settings(deadline=None)
def test_no_shelving_goes_on_longer_than_it_would_have_and_none_where_nobody_knows(
    before: list[tuple], passed_s: int | None, now_s: int
) -> None:
    book = AlarmBook()
    written_at_ns, now_ns = act(book, before, START_NS), now_s * NS_PER_S
    passed_ns = None if passed_s is None else passed_s * NS_PER_S
    again = restored(through_a_file(book), written_at_ns, passed_ns, now_ns)
    left = {one.condition.key: (one.shelved_until_ns or 0) - written_at_ns for one in book.alarms()}
    again.step([alarm.condition for alarm in book.alarms() if alarm.is_active], now_ns)
    for alarm in again.alarms():
        if alarm.state is AlarmState.SHELVED:
            assert passed_ns is not None
            assert 0 < alarm.shelved_until_ns - now_ns <= left[alarm.condition.key] - passed_ns


def test_an_alarm_that_was_over_and_unseen_is_still_there() -> None:
    book = AlarmBook()
    book.step([AIR], 0)
    book.step([], 1)
    again = restored(through_a_file(book), 1, NS_PER_S, 0)
    again.step([], 0)
    assert [(alarm.condition, alarm.state) for alarm in again.alarms()] == [(AIR, AlarmState.RETURNED)]


def test_what_is_over_meanwhile_returns_or_is_gone_if_it_had_been_seen() -> None:
    book = AlarmBook()
    book.step([AIR, PET], 0)
    book.acknowledge(PET.key, "Omar")
    again = restored(through_a_file(book), 0, 0, 0)
    again.step([], 1)
    assert [(alarm.condition, alarm.state) for alarm in again.alarms()] == [(AIR, AlarmState.RETURNED)]


def test_what_nobody_can_tell_yet_stays_as_it_is() -> None:
    book = AlarmBook()
    book.step([AIR, PET], 0)
    book.acknowledge(PET.key, "Omar")
    again = restored(through_a_file(book), 0, 0, 0)
    again.step([], 1, untold={AIR.key, PET.key})
    assert again.alarms() == book.alarms()
    again.step([PET], 2)
    assert [alarm.state for alarm in again.alarms()] == [AlarmState.RETURNED, AlarmState.ACKNOWLEDGED]


SHELVED = Alarm(PET, AlarmState.SHELVED, True, 0, 1, False, None, "", "Omar", 100, ShelfReason.SENSOR)


@pytest.mark.parametrize(
    "changes",
    [
        {"state": AlarmState.NORMAL},
        {"state": AlarmState.UNACKNOWLEDGED},
        {"shelved_until_ns": None},
        {"shelf_reason": None},
        {"condition": CONDITIONS[0]},
        {"count": 0},
        {"count": 2**40},
        {"raised_at_ns": 2**61},
        {"cleared_at_ns": -(2**61)},
    ],
)
def test_what_no_book_can_hold_is_refused(changes: dict) -> None:
    assert KeptBook((SHELVED,), ())
    with pytest.raises(ValueError, match="no alarm can be like this"):
        KeptBook((msgspec.structs.replace(SHELVED, **changes),), ())


def test_a_shelving_that_a_file_makes_too_long_is_cut() -> None:
    endless = msgspec.structs.replace(SHELVED, shelved_until_ns=2**59)
    again = restored(KeptBook((endless,), ()), 0, 0, 7)
    assert again.alarms()[0].shelved_until_ns == 7 + LONGEST_SHELVING_NS
