"""The mode table: every way towards Execute passes an operator's or the line's own start, and readiness."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.model.condition import Mode
from sorter.policy.mode import ACTING, TRANSITIONS, WAITING, ModeEvent, next_mode

LEADING_ON = {ModeEvent.START, ModeEvent.UNHOLD, ModeEvent.RECOVERED, ModeEvent.UNSUSPEND}
LED_ON = {*WAITING, Mode.EXECUTE, Mode.SUSPENDING, Mode.SUSPENDED}
ALL = list(itertools.product(Mode, ModeEvent))


def reachable(start: Mode, events: set[ModeEvent]) -> set[Mode]:
    found, edge = {start}, {start}
    while edge:
        edge = {next_mode(mode, event) for mode in edge for event in events} - found
        found |= edge
    return found


@pytest.mark.parametrize(("mode", "event"), ALL)
def test_only_readiness_after_starting_leads_to_execute(mode: Mode, event: ModeEvent) -> None:
    leads_there = next_mode(mode, event) is Mode.EXECUTE and mode is not Mode.EXECUTE
    assert leads_there == (mode in WAITING and event is ModeEvent.READY)


@pytest.mark.parametrize("mode", [mode for mode in Mode if mode not in {*WAITING, Mode.EXECUTE}])
def test_without_start_unhold_or_recovery_there_is_no_way_to_execute(mode: Mode) -> None:
    others = set(ModeEvent) - LEADING_ON
    assert not reachable(mode, others) & {*WAITING, Mode.EXECUTE}


@pytest.mark.parametrize("mode", [Mode.IDLE, Mode.STOPPED, Mode.ABORTED])
def test_a_line_at_rest_is_started_by_start_alone(mode: Mode) -> None:
    assert Mode.STARTING not in reachable(mode, set(ModeEvent) - {ModeEvent.START})


@pytest.mark.parametrize("mode", list(Mode))
def test_abort_works_from_everywhere_and_reset_alone_leads_out_of_it(mode: Mode) -> None:
    aborted = {Mode.ABORTING, Mode.ABORTED}
    assert mode in aborted or next_mode(mode, ModeEvent.ABORT) is Mode.ABORTING
    assert reachable(Mode.ABORTING, set(ModeEvent) - {ModeEvent.RESET}) == aborted
    assert next_mode(Mode.ABORTED, ModeEvent.RESET) is Mode.CLEARING
    assert next_mode(Mode.CLEARING, ModeEvent.DONE) is Mode.STOPPED


@pytest.mark.parametrize("mode", [Mode.IDLE, *LED_ON, Mode.HOLDING, Mode.HELD])
def test_stop_works_wherever_something_may_run(mode: Mode) -> None:
    assert next_mode(mode, ModeEvent.STOP) is Mode.STOPPING
    assert next_mode(Mode.STOPPED, ModeEvent.RESET) is Mode.RESETTING


@pytest.mark.parametrize("event", [ModeEvent.HOLD, ModeEvent.FAULT])
def test_a_hold_and_a_fault_end_execute(event: ModeEvent) -> None:
    assert next_mode(Mode.EXECUTE, event) is Mode.HOLDING


@pytest.mark.parametrize("event", [ModeEvent.UNHOLD, ModeEvent.RECOVERED])
def test_out_of_held_the_line_waits_for_readiness(event: ModeEvent) -> None:
    assert next_mode(Mode.HELD, event) is Mode.UNHOLDING


def test_every_mode_can_be_reached_from_idle_and_left_again() -> None:
    assert reachable(Mode.IDLE, set(ModeEvent)) == set(Mode)
    for mode in Mode:
        assert Mode.IDLE in reachable(mode, set(ModeEvent))


def test_the_table_has_no_row_that_changes_nothing() -> None:
    assert all(after is not before for (before, _), after in TRANSITIONS.items())


@given(st.lists(st.sampled_from(sorted(ModeEvent, key=lambda each: each.value)), max_size=30))
def test_however_the_events_come_execute_follows_a_leading_event_since_the_last_interruption(
    story: list[ModeEvent],
) -> None:
    mode, was_led_on = Mode.IDLE, False
    for event in story:
        mode = next_mode(mode, event)
        assert isinstance(mode, Mode)
        if mode in LED_ON:
            was_led_on = was_led_on or event in LEADING_ON
            assert was_led_on
        else:
            was_led_on = False


def test_acting_states_pass_when_done_and_lead_no_closer_to_execute() -> None:
    for mode, after in ACTING.items():
        assert next_mode(mode, ModeEvent.DONE) is after
        assert after not in {*WAITING, Mode.EXECUTE}
        assert after not in ACTING
    assert {mode for mode in Mode if mode.value.endswith("ing")} == {*ACTING, *WAITING}


def test_suspended_is_left_by_itself_and_held_is_not() -> None:
    assert next_mode(Mode.SUSPENDED, ModeEvent.UNSUSPEND) is Mode.UNSUSPENDING
    assert next_mode(Mode.HELD, ModeEvent.UNSUSPEND) is Mode.HELD
    assert next_mode(Mode.SUSPENDED, ModeEvent.FAULT) is Mode.HOLDING
    assert next_mode(Mode.SUSPENDED, ModeEvent.RECOVERED) is Mode.SUSPENDED
