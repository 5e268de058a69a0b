"""The line's mode as it runs: who starts it, what holds it, and what brings it back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.line_mode import REQUIRED_PROCESSES, LineMode
from sorter.model.condition import Health, HealthStatus, Mode, RequestKind, WiredInputs
from sorter.model.units import NS_PER_MS, NS_PER_S
from sorter.policy.mode import ACTING, WAITING


class Line:
    """A line mode with a clock and healthy processes."""

    def __init__(self, *, starts_by_itself: bool) -> None:
        self.now_ns = 0
        self.mode = LineMode("recipe", starts_by_itself=starts_by_itself, now_ns=0)
        self.status = dict.fromkeys(REQUIRED_PROCESSES, HealthStatus.OK)
        self.is_link_alive = True
        self.inputs = WiredInputs()
        self.seen: list[Mode] = [self.now]

    @property
    def now(self) -> Mode:
        return self.mode.state.mode

    def run(self, duration_ns: int = 100 * NS_PER_MS) -> Mode:
        """Time passes; each process that is not silent speaks."""
        self.now_ns += duration_ns
        for process, status in self.status.items():
            self.mode.take_health(Health(process, status, 0, "", 0), self.now_ns)
        self.mode.take_inputs(self.inputs, self.now_ns)
        self.settle()
        if self.now is not self.seen[-1]:
            self.seen.append(self.now)
        return self.now

    def ask(self, kind: RequestKind) -> Mode:
        self.mode.take_request(kind, "operator", self.now_ns)
        if self.now in ACTING:
            self.settle()
        if self.now is not self.seen[-1]:
            self.seen.append(self.now)
        return self.now

    def settle(self) -> None:
        """One step, and another where it led to a state that passes by itself."""
        self.mode.step(self.now_ns, is_link_alive=self.is_link_alive)
        if self.now in ACTING:
            self.mode.step(self.now_ns, is_link_alive=self.is_link_alive)

    def executing(self) -> "Line":
        self.run()
        self.ask(RequestKind.START)
        assert self.run() is Mode.EXECUTE
        return self


def test_a_line_with_simulated_valves_starts_by_itself_once_all_is_well() -> None:
    line = Line(starts_by_itself=True)
    line.status["vision"] = HealthStatus.STARTING
    assert line.run() is Mode.STARTING
    line.status["vision"] = HealthStatus.OK
    assert line.run() is Mode.EXECUTE
    assert line.seen == [Mode.IDLE, Mode.STARTING, Mode.EXECUTE]


def test_any_other_line_waits_for_its_operator() -> None:
    line = Line(starts_by_itself=False)
    for _ in range(100):
        assert line.run() is Mode.IDLE
    assert line.ask(RequestKind.START) is Mode.STARTING
    assert not line.mode.is_executing
    assert line.run() is Mode.EXECUTE
    assert line.mode.is_executing


def test_a_line_starts_by_itself_once_and_not_again_after_an_operator_s_stop() -> None:
    line = Line(starts_by_itself=True).executing()
    line.ask(RequestKind.STOP)
    line.ask(RequestKind.RESET)
    for _ in range(10):
        assert line.run() is Mode.IDLE


@pytest.mark.parametrize("process", REQUIRED_PROCESSES)
def test_a_process_that_was_never_heard_keeps_the_line_from_executing(process: str) -> None:
    line = Line(starts_by_itself=True)
    del line.status[process]
    for _ in range(100):
        assert line.run() is not Mode.EXECUTE


@pytest.mark.parametrize("process", REQUIRED_PROCESSES)
def test_a_process_that_falls_silent_holds_the_line(process: str) -> None:
    line = Line(starts_by_itself=False).executing()
    del line.status[process]
    assert line.run(2000 * NS_PER_MS) is Mode.EXECUTE
    assert line.run(1) is Mode.HELD
    assert process in line.mode.state.reason
    assert "silent" in line.mode.state.reason


@pytest.mark.parametrize("status", [HealthStatus.FAULT, HealthStatus.STARTING])
def test_a_faulty_or_restarted_process_holds_the_line(status: HealthStatus) -> None:
    line = Line(starts_by_itself=False).executing()
    line.status["actuators"] = status
    assert line.run() is Mode.HELD
    assert "actuators" in line.mode.state.reason


def test_a_degraded_process_does_not_hold_the_line_nor_does_one_that_is_not_required() -> None:
    line = Line(starts_by_itself=False).executing()
    line.status["vision"] = HealthStatus.DEGRADED
    line.status["ui"] = HealthStatus.FAULT
    assert line.run() is Mode.EXECUTE


def test_a_lost_link_holds_the_line() -> None:
    line = Line(starts_by_itself=False).executing()
    line.is_link_alive = False
    assert line.run() is Mode.HELD
    assert "controller" in line.mode.state.reason


def test_a_line_that_held_itself_recovers_by_itself_and_through_unholding() -> None:
    line = Line(starts_by_itself=True)
    line.run()
    line.is_link_alive = False
    assert line.run() is Mode.HELD
    assert line.run() is Mode.HELD
    states = []
    line.is_link_alive = True
    apply = line.mode._apply

    def noted(event: object, reason: str, now_ns: int) -> None:
        before = line.now
        apply(event, reason, now_ns)  # type: ignore[arg-type]
        if line.now is not before:
            states.append(line.now)

    line.mode._apply = noted  # type: ignore[method-assign,assignment]
    assert line.run() is Mode.EXECUTE
    assert states == [Mode.UNHOLDING, Mode.EXECUTE]


def test_a_line_that_needs_its_operator_does_not_recover_by_itself() -> None:
    line = Line(starts_by_itself=False).executing()
    line.is_link_alive = False
    line.run()
    line.is_link_alive = True
    for _ in range(20):
        assert line.run() is Mode.HELD
    assert line.ask(RequestKind.UNHOLD) is Mode.UNHOLDING
    assert line.run() is Mode.EXECUTE


@pytest.mark.parametrize("fault_comes_first", [True, False])
def test_an_operator_s_hold_is_not_undone_by_recovery(fault_comes_first: bool) -> None:
    line = Line(starts_by_itself=True).executing()
    if fault_comes_first:
        line.is_link_alive = False
        line.run()
    line.ask(RequestKind.HOLD)
    line.is_link_alive = False
    line.run()
    line.is_link_alive = True
    for _ in range(20):
        assert line.run() is Mode.HELD


@pytest.mark.parametrize("kind", [RequestKind.STOP, RequestKind.ABORT])
def test_a_stop_during_a_fault_is_not_undone_by_recovery(kind: RequestKind) -> None:
    line = Line(starts_by_itself=True).executing()
    line.is_link_alive = False
    line.run()
    stopped = line.ask(kind)
    line.is_link_alive = True
    for _ in range(20):
        assert line.run() is stopped


def test_unheld_into_a_fault_the_line_waits_in_starting() -> None:
    line = Line(starts_by_itself=False).executing()
    line.is_link_alive = False
    line.run()
    assert line.ask(RequestKind.UNHOLD) is Mode.UNHOLDING
    assert line.run() is Mode.UNHOLDING
    line.is_link_alive = True
    assert line.run() is Mode.EXECUTE


def test_the_state_says_since_when_why_and_for_which_recipe() -> None:
    line = Line(starts_by_itself=False)
    line.run(NS_PER_S)
    assert (line.mode.state.since_ns, line.mode.state.reason) == (0, "power-up")
    line.ask(RequestKind.START)
    assert (line.mode.state.since_ns, line.mode.state.reason) == (NS_PER_S, "start by operator")
    assert line.mode.state.recipe_hash == "recipe"
    line.ask(RequestKind.START)
    assert line.mode.state.since_ns == NS_PER_S


@pytest.mark.parametrize("starts_by_itself", [True, False])
def test_an_emergency_stop_aborts_and_only_an_operator_leads_back(starts_by_itself: bool) -> None:
    line = Line(starts_by_itself=starts_by_itself).executing()
    line.inputs = WiredInputs(emergency_stop_clear=False)
    assert line.run() is Mode.ABORTED
    assert line.mode.state.reason == "emergency stop"
    for kind in RequestKind:
        assert line.ask(kind) in {Mode.ABORTED, Mode.STOPPED}
        assert line.run() is Mode.ABORTED
    line.inputs = WiredInputs(emergency_stop_clear=True)
    for _ in range(20):
        assert line.run() is Mode.ABORTED
    assert line.ask(RequestKind.RESET) is Mode.STOPPED
    assert line.ask(RequestKind.RESET) is Mode.IDLE
    for _ in range(20):
        assert line.run() is Mode.IDLE
    assert line.ask(RequestKind.START) is Mode.STARTING
    assert line.run() is Mode.EXECUTE


@pytest.mark.parametrize("name", ["upstream_ready", "downstream_ready", "belt_running"])
def test_what_comes_before_and_after_suspends_the_line_and_lets_it_go_on(name: str) -> None:
    line = Line(starts_by_itself=False).executing()
    line.inputs = WiredInputs(**{name: False})
    assert line.run() is Mode.SUSPENDED
    for _ in range(10):
        assert line.run() is Mode.SUSPENDED
    line.inputs = WiredInputs(**{name: True})
    assert line.run() is Mode.EXECUTE


@pytest.mark.parametrize("name", ["guards_closed", "air_present"])
def test_guards_and_air_hold_the_line(name: str) -> None:
    line = Line(starts_by_itself=False).executing()
    line.inputs = WiredInputs(**{name: False})
    assert line.run() is Mode.HELD
    line.inputs = WiredInputs(**{name: True})
    for _ in range(10):
        assert line.run() is Mode.HELD
    line.ask(RequestKind.UNHOLD)
    assert line.run() is Mode.EXECUTE


def test_a_fault_while_suspended_holds() -> None:
    line = Line(starts_by_itself=False).executing()
    line.inputs = WiredInputs(upstream_ready=False)
    line.run()
    line.is_link_alive = False
    assert line.run() is Mode.HELD
    line.is_link_alive, line.inputs = True, WiredInputs()
    assert line.run() is Mode.HELD


def test_an_acting_state_lasts_until_the_valves_are_closed() -> None:
    line = Line(starts_by_itself=False).executing()
    line.mode.take_health(Health("actuators", HealthStatus.OK, 0, "", 0, {"open_nozzle_count": 4.0}), line.now_ns)
    line.mode.take_request(RequestKind.STOP, "operator", line.now_ns)
    line.mode.step(line.now_ns, is_link_alive=True)
    assert line.now is Mode.STOPPING
    line.mode.step(line.now_ns, is_link_alive=False)
    assert line.now is Mode.STOPPED


happenings = st.one_of(
    st.sampled_from(sorted(RequestKind, key=lambda kind: kind.value)),
    st.booleans(),
    st.sampled_from([HealthStatus.OK, HealthStatus.FAULT, HealthStatus.DEGRADED]),
)


@given(st.lists(happenings, max_size=30))
def test_a_line_that_needs_its_operator_executes_only_while_all_is_well_and_he_asked_since_the_last_interruption(
    story: list[RequestKind | bool | HealthStatus],
) -> None:
    line, was_asked = Line(starts_by_itself=False), False
    for happening in story:
        if isinstance(happening, RequestKind):
            was_asked = happening in {RequestKind.START, RequestKind.UNHOLD} or was_asked
            line.ask(happening)
        elif isinstance(happening, bool):
            line.is_link_alive = happening
        else:
            line.status["vision"] = happening
        if line.run() is Mode.EXECUTE:
            assert was_asked
            assert line.is_link_alive
            assert line.status["vision"] is not HealthStatus.FAULT
        elif line.now not in WAITING:
            was_asked = False
