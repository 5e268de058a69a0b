"""What counts as wrong on a line, from what it says and from what it does not say any more."""

import msgspec
import pytest

from sorter.model.condition import Fault, Health, HealthStatus, Mode, ModeState, NozzleReport, ValveReport, WiredInputs
from sorter.model.explanation import RecipeState, StationRecipe
from sorter.model.statistics import Estimate, Figures, LineStatistics, StationFigures
from sorter.model.units import NS_PER_S
from sorter.policy.alarms import Priority
from sorter.runtime.envelope import Received
from sorter.runtime.topics import TOPIC_BY_TYPE
from ui.alarm_conditions import PRIORITIES, Heard, conditions
from ui.live_state import LiveState
from ui.page_messages import StateReport

NOW_NS = 100 * NS_PER_S
RECIPE = RecipeState("hash", (StationRecipe("pet", ("can",), 0.6, None),), "")


def report(*messages: msgspec.Struct, sent_at_ns: int = NOW_NS) -> StateReport:
    state = LiveState(("can",), 10.0)
    for message in messages:
        state.take(Received(TOPIC_BY_TYPE[type(message)].name, "boot", 1, sent_at_ns, message))
    return state.report(NOW_NS)


def codes(found: StateReport, inputs: WiredInputs | None = None, valves: ValveReport | None = None) -> set[str]:
    return {condition.key for condition in conditions(Heard(found, inputs, valves, RECIPE))}


def health(process: str, status: HealthStatus = HealthStatus.OK) -> Health:
    return Health(process, status, 0, "", 0)


def statistics(purity: Estimate, missed_ratio: float, command_count: int) -> LineStatistics:
    station = StationFigures(Estimate(0.9, 0.8, 1.0), purity, 1, 1, 1, 0, None, None, None)
    counts = {"can": 10}
    figures = Figures({"pet": station}, station, 10, 10, 0.0, command_count, missed_ratio, 1.0, 10.0, 20.0, {}, {})
    return LineStatistics(NOW_NS, True, counts, figures, 3.0, "model", "openvino", "f32")


def test_a_line_that_is_well_has_none() -> None:
    well = report(health("sorter"), ModeState(Mode.EXECUTE, 0, "", ""), statistics(Estimate(0.9, 0.8, 1.0), 0.0, 500))
    assert codes(well, WiredInputs(True, True, True, True, True, True)) == set()


def test_faults_keep_their_code_and_unknown_ones_are_alarms_too() -> None:
    found = report(Fault("vision", "no_pictures", "", 0), Fault("vision", "never_seen_before", "x", 0))
    assert codes(found) == {"no_pictures:vision", "other:vision"}


def test_silence_is_an_alarm() -> None:
    assert codes(report(health("vision"), sent_at_ns=NOW_NS - 2 * NS_PER_S)) == {"process_silent:vision"}


@pytest.mark.parametrize(
    ("name", "code", "priority"),
    [
        ("emergency_stop_clear", "emergency_stop", Priority.CRITICAL),
        ("guards_closed", "guard_open", Priority.HIGH),
        ("air_present", "no_air", Priority.HIGH),
        ("upstream_ready", "upstream_missing", Priority.LOW),
        ("downstream_ready", "downstream_missing", Priority.MEDIUM),
        ("belt_running", "belt_stopped", Priority.MEDIUM),
    ],
)
def test_what_is_wired_and_not_well_is_an_alarm(name: str, code: str, priority: Priority) -> None:
    assert codes(report(), WiredInputs(**{name: False})) == {f"{code}:line"}
    assert PRIORITIES[code] is priority
    assert codes(report(), WiredInputs()) == set()


@pytest.mark.parametrize(("mode", "code"), [(Mode.ABORTED, "line_aborted:line"), (Mode.HELD, "line_held:line")])
def test_a_line_that_waits_for_somebody_is_an_alarm(mode: Mode, code: str) -> None:
    assert codes(report(ModeState(mode, 0, "why", ""))) == {code}


@pytest.mark.parametrize(
    ("purity", "is_low"),
    [(Estimate(0.5, 0.4, 0.59), True), (Estimate(0.5, 0.4, 0.61), False), (Estimate(None, 0, 1), False)],
)
def test_purity_is_low_when_its_whole_interval_is(purity: Estimate, is_low: bool) -> None:
    assert ("purity_low:pet" in codes(report(statistics(purity, 0.0, 500)))) == is_low


@pytest.mark.parametrize(("ratio", "count", "is_missed"), [(0.02, 500, True), (0.02, 50, False), (0.005, 500, False)])
def test_missed_windows_count_once_there_are_enough_commands(ratio: float, count: int, is_missed: bool) -> None:
    found = codes(report(statistics(Estimate(0.9, 0.8, 1.0), ratio, count)))
    assert ("windows_missed:line" in found) == is_missed


def test_a_nozzle_that_seems_dead_is_named() -> None:
    nozzles = (NozzleReport("pet", 7, 40, 1.0, 0.0, None, "dead"), NozzleReport("pet", 8, 40, 1.0, 0.0))
    assert codes(report(), None, ValveReport(NOW_NS, nozzles, 1.0, 0)) == {"nozzle_suspected:pet:7"}


def test_a_nozzle_that_seems_stuck_open_has_an_alarm_of_its_own() -> None:
    nozzles = (
        NozzleReport("pet", 7, 0, 1.0, 0.0, None, "stuck_open"),
        NozzleReport("pet", 8, 9, 1.0, 0.0, None, "dead"),
    )
    found = codes(report(), None, ValveReport(NOW_NS, nozzles, 1.0, 0))
    assert found == {"nozzle_stuck_open:pet:7", "nozzle_suspected:pet:8"}
