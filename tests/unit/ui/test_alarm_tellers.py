"""An alarm is over once whoever would say that it is not has spoken, and not before."""

import msgspec
import pytest

from sorter.model.condition import Fault, Health, HealthStatus, Mode, ModeState, ValveReport, WiredInputs
from sorter.model.explanation import RecipeState
from sorter.model.statistics import Estimate, Figures, LineStatistics, StationFigures
from sorter.model.tracks import Preview
from sorter.policy.alarms import Condition
from sorter.runtime.envelope import Received
from sorter.runtime.topics import TOPIC_BY_TYPE
from ui.alarm_conditions import PRIORITIES, Heard
from ui.alarm_tellers import is_told
from ui.live_state import LiveState

NOW_NS = 10**11
PROCESSES = {"vision", "actuators", "sorter", "ui", "video"}
STATION = StationFigures(Estimate(0.9, 0.8, 1.0), Estimate(0.9, 0.8, 1.0), 1, 1, 1, 0, None, None, None)
FIGURES = Figures({"pet": STATION}, STATION, 10, 10, 0.0, 500, 0.0, 1.0, 10.0, 20.0, {}, {})
STATISTICS = LineStatistics(NOW_NS, True, {"can": 10}, FIGURES, 3.0, "model", "openvino", "f32")
INPUTS = WiredInputs(True, True, True, True, True, True)
VALVES = ValveReport(NOW_NS, (), 0.0, 0)
RECIPE = RecipeState("hash", (), "")
MODE = ModeState(Mode.EXECUTE, 0, "", "")
PREVIEW = Preview(1, NOW_NS, 0, 640, 640, 1.0, b"", ())


def health(process: str, *faults: Fault) -> Health:
    return Health(process, HealthStatus.OK, 0, "", 0, faults=faults)


def heard(*messages: msgspec.Struct) -> Heard:
    state = LiveState(("can",), 10.0)
    others = {type(message): message for message in messages}
    for message in messages:
        if not isinstance(message, WiredInputs | ValveReport | RecipeState):
            state.take(Received(TOPIC_BY_TYPE[type(message)].name, "boot", 1, NOW_NS, message))
    return Heard(state.report(NOW_NS), *(others.get(kind) for kind in (WiredInputs, ValveReport, RecipeState)))


@pytest.mark.parametrize(
    ("code", "source", "tellers"),
    [
        *((code, "line", [INPUTS]) for code in ("emergency_stop", "guard_open", "no_air", "belt_stopped")),
        ("line_held", "line", [MODE]),
        ("line_aborted", "line", [MODE]),
        ("picture_stale", "vision", [PREVIEW]),
        ("purity_low", "pet", [STATISTICS, RECIPE]),
        ("windows_missed", "line", [STATISTICS]),
        ("nozzle_suspected", "pet:7", [VALVES]),
        ("nozzle_stuck_open", "pet:7", [VALVES]),
        ("no_pictures", "vision", [health("vision")]),
        ("process_silent", "video", [health("video")]),
        ("link_lost", "actuators", [health("actuators")]),
        ("other", "sorter", [health("sorter")]),
    ],
)
def test_it_is_told_by_its_teller_alone(code: str, source: str, tellers: list[msgspec.Struct]) -> None:
    everything = [INPUTS, MODE, PREVIEW, STATISTICS, RECIPE, VALVES, *(health(name) for name in PROCESSES)]
    condition = Condition(code, source, PRIORITIES[code])
    assert is_told(condition, heard(*tellers), PROCESSES)
    for teller in tellers:
        others = [message for message in everything if message != teller]
        assert not is_told(condition, heard(*others), PROCESSES), teller


def test_of_a_dead_process_the_supervisor_tells() -> None:
    condition = Condition("no_pictures", "vision", PRIORITIES["no_pictures"])
    died = Fault("vision", "process_died", "", 0)
    assert not is_told(condition, heard(health("supervisor")), PROCESSES)
    assert is_told(condition, heard(health("supervisor", died)), PROCESSES)
    assert not is_told(condition, heard(Fault("vision", "board_hot", "", 0)), PROCESSES), "its health names all faults"


def test_of_a_process_that_the_line_does_not_run_nothing_is_awaited() -> None:
    assert is_told(Condition("process_silent", "plant", PRIORITIES["process_silent"]), heard(), PROCESSES)


def test_every_code_whose_source_is_no_process_has_a_teller_of_its_own() -> None:
    of_processes = {
        "no_pictures", "no_calibration", "link_lost", "valves_disobey", "encoder_lost", "process_died",
        "model_not_swapped", "board_hot", "harvest_stopped", "store_full", "store_fault", "process_silent", "other",
    }  # fmt: skip
    elsewhere = {code for code in PRIORITIES if is_told(Condition(code, "pet:7", PRIORITIES[code]), heard(), PROCESSES)}
    assert elsewhere == of_processes


def test_every_code_has_a_teller_that_can_be_heard() -> None:
    everything = heard(INPUTS, MODE, PREVIEW, STATISTICS, RECIPE, VALVES, *(health(name) for name in PROCESSES))
    for code, priority in PRIORITIES.items():
        assert is_told(Condition(code, "vision", priority), everything, PROCESSES)
        assert not is_told(Condition(code, "vision", priority), heard(), PROCESSES)
