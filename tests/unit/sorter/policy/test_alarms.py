"""Alarms after ISA-18.2: whatever happens, what is active is in the list, and only a reason shelves it, for a time."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from sorter.model.units import NS_PER_S
from sorter.policy.alarms import (
    FLOOD_COUNT,
    FLOOD_WINDOW_NS,
    LONGEST_SHELVING_NS,
    TRANSITIONS,
    AlarmBook,
    AlarmEvent,
    AlarmState,
    Condition,
    Priority,
    ShelfReason,
    by_source,
    may_be_shelved,
)

CONDITIONS = tuple(
    Condition(code, source, priority)
    for code, source, priority in (
        ("emergency_stop", "line", Priority.CRITICAL),
        ("no_air", "line", Priority.HIGH),
        ("purity_low", "pet", Priority.MEDIUM),
        ("purity_low", "hdpe", Priority.MEDIUM),
        ("nozzle_suspected", "pet:7", Priority.LOW),
    )
)
KEYS = st.sampled_from([condition.key for condition in CONDITIONS])
STOP, AIR, PET = CONDITIONS[0], CONDITIONS[1], CONDITIONS[2]


class AlarmHistory(RuleBasedStateMachine):
    """Any history of conditions, operators and time."""

    def __init__(self) -> None:
        super().__init__()
        self.book = AlarmBook()
        self.now_ns = 0
        self.there: set[Condition] = set()

    @rule(there=st.sets(st.sampled_from(CONDITIONS)), seconds=st.integers(0, 40_000))
    def time_passes(self, there: set[Condition], seconds: int) -> None:
        self.now_ns += seconds * NS_PER_S
        self.there = there
        self.book.step(there, self.now_ns)

    @rule(key=KEYS)
    def acknowledge(self, key: str) -> None:
        self.book.acknowledge(key, "Omar")

    @rule(key=KEYS, seconds=st.integers(-5, 100_000), reason=st.sampled_from(ShelfReason))
    def shelve(self, key: str, seconds: int, reason: ShelfReason) -> None:
        self.book.shelve(key, seconds * NS_PER_S, reason, "Omar", self.now_ns)

    @rule(key=KEYS)
    def unshelve(self, key: str) -> None:
        self.book.unshelve(key)

    @invariant()
    def what_is_active_is_in_the_list(self) -> None:
        listed = {alarm.condition.key: alarm for alarm in self.book.alarms()}
        assert {condition.key for condition in self.there} == {key for key, one in listed.items() if one.is_active}

    @invariant()
    def nothing_is_shelved_without_a_name_a_reason_and_an_end(self) -> None:
        for alarm in self.book.alarms():
            is_shelved = alarm.state is AlarmState.SHELVED
            assert is_shelved == (alarm.shelf_reason is not None) == (alarm.shelved_until_ns is not None)
            if is_shelved:
                assert alarm.shelved_by == "Omar"
                assert self.now_ns < alarm.shelved_until_ns <= self.now_ns + LONGEST_SHELVING_NS
                assert alarm.condition.priority is not Priority.CRITICAL

    @invariant()
    def states_and_activity_agree(self) -> None:
        for alarm in self.book.alarms():
            assert alarm.state is not AlarmState.NORMAL
            if alarm.state is not AlarmState.SHELVED:
                assert alarm.is_active == (alarm.state in {AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED})

    @invariant()
    def the_urgent_comes_first_and_at_most_one_was_first_out(self) -> None:
        alarms = self.book.alarms()
        unseen = [one.condition.priority for one in alarms if one.state is AlarmState.UNACKNOWLEDGED]
        assert unseen == sorted(unseen, reverse=True) or any(one.state is AlarmState.RETURNED for one in alarms)
        assert sum(one.is_first_out and one.is_active for one in alarms) <= 1


TestAlarmHistory = AlarmHistory.TestCase
TestAlarmHistory.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


def test_the_table_has_a_way_out_of_every_state_but_the_shelf() -> None:
    assert {state for state, _ in TRANSITIONS} == set(AlarmState) - {AlarmState.SHELVED}
    assert (AlarmState.RETURNED, AlarmEvent.SHELVE) not in TRANSITIONS


def test_an_alarm_that_is_over_stays_until_somebody_has_seen_it() -> None:
    book = AlarmBook()
    book.step([AIR], 0)
    book.step([], 1)
    assert [alarm.state for alarm in book.alarms()] == [AlarmState.RETURNED]
    assert book.acknowledge(AIR.key, "Omar")
    assert book.alarms() == []
    assert not book.acknowledge(AIR.key, "Omar")


def test_shelving_ends_by_itself_and_what_is_still_there_must_be_seen_anew() -> None:
    book = AlarmBook()
    book.step([PET], 0)
    book.acknowledge(PET.key, "Omar")
    assert book.shelve(PET.key, 60 * NS_PER_S, ShelfReason.SENSOR, "Omar", 0)
    book.step([PET], 59 * NS_PER_S)
    assert book.alarms()[0].state is AlarmState.SHELVED
    assert book.alarms()[0].is_active
    book.step([PET], 60 * NS_PER_S)
    assert book.alarms()[0].state is AlarmState.UNACKNOWLEDGED


def test_what_was_shelved_and_is_over_when_the_time_is_up_is_gone() -> None:
    book = AlarmBook()
    book.step([PET], 0)
    book.shelve(PET.key, NS_PER_S, ShelfReason.NUISANCE, "Omar", 0)
    book.step([], NS_PER_S // 2)
    assert [alarm.state for alarm in book.alarms()] == [AlarmState.SHELVED]
    book.step([], 2 * NS_PER_S)
    assert book.alarms() == []


def test_a_shelved_alarm_that_becomes_critical_leaves_the_shelf() -> None:
    book = AlarmBook()
    book.step([PET], 0)
    book.shelve(PET.key, NS_PER_S, ShelfReason.NUISANCE, "Omar", 0)
    book.step([Condition(PET.code, PET.source, Priority.CRITICAL)], 1)
    assert book.alarms()[0].state is AlarmState.UNACKNOWLEDGED


def test_critical_alarms_cannot_be_shelved() -> None:
    book = AlarmBook()
    book.step([STOP], 0)
    assert not may_be_shelved(book.alarms()[0])
    assert not book.shelve(STOP.key, NS_PER_S, ShelfReason.NUISANCE, "Omar", 0)


def test_the_first_out_is_the_first_of_those_that_are_there() -> None:
    book = AlarmBook()
    book.step([AIR], 0)
    book.step([AIR, PET, STOP], 1)
    assert [alarm.condition for alarm in book.alarms() if alarm.is_first_out] == [AIR]


@given(st.integers(FLOOD_COUNT - 2, FLOOD_COUNT + 5))
def test_more_than_ten_in_ten_minutes_are_a_flood_that_passes(count: int) -> None:
    book = AlarmBook()
    flood = [Condition("nozzle_suspected", f"pet:{number}", Priority.LOW) for number in range(count)]
    book.step(flood, 0)
    assert book.is_flood() == (count > FLOOD_COUNT)
    groups = by_source(book.alarms())
    assert sum(len(group) for group in groups.values()) == count
    book.step(flood, FLOOD_WINDOW_NS)
    assert not book.is_flood()


@pytest.mark.parametrize("times", [2, 5])
def test_a_chattering_alarm_is_one_line_with_its_count(times: int) -> None:
    book = AlarmBook()
    for index in range(times):
        book.step([PET], 2 * index)
        book.step([], 2 * index + 1)
    assert [(alarm.count, alarm.state) for alarm in book.alarms()] == [(times, AlarmState.RETURNED)]
