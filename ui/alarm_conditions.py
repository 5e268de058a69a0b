"""What is wrong on the line just now, from everything it says; states and texts of alarms are others' matter.

Every condition has a code, on which its priority hangs, and a title, a cause and a remedy in every language.
"""

from collections.abc import Iterator
from typing import NamedTuple

from sorter.model.condition import Mode, ValveReport, WiredInputs
from sorter.model.explanation import RecipeState
from sorter.policy.alarms import Condition, Priority
from ui.page_messages import FaultReport, PictureCondition, ProcessStatus, StateReport

PRIORITIES: dict[str, Priority] = {
    # what the line's processes raise themselves
    "no_pictures": Priority.HIGH,
    "no_calibration": Priority.HIGH,
    "link_lost": Priority.CRITICAL,
    "valves_disobey": Priority.CRITICAL,
    "encoder_lost": Priority.HIGH,
    "process_died": Priority.HIGH,
    "model_not_swapped": Priority.MEDIUM,
    "board_hot": Priority.MEDIUM,
    "harvest_stopped": Priority.LOW,
    "store_full": Priority.MEDIUM,
    "store_fault": Priority.MEDIUM,
    # what can be seen from outside alone
    "process_silent": Priority.HIGH,
    "emergency_stop": Priority.CRITICAL,
    "guard_open": Priority.HIGH,
    "no_air": Priority.HIGH,
    "upstream_missing": Priority.LOW,
    "downstream_missing": Priority.MEDIUM,
    "belt_stopped": Priority.MEDIUM,
    "line_aborted": Priority.HIGH,
    "line_held": Priority.MEDIUM,
    "picture_stale": Priority.HIGH,
    "purity_low": Priority.MEDIUM,
    "windows_missed": Priority.MEDIUM,
    "nozzle_suspected": Priority.LOW,
    # it takes along whatever passes, and air with it
    "nozzle_stuck_open": Priority.MEDIUM,
    "other": Priority.HIGH,
}
INPUT_CODES = {
    "emergency_stop_clear": "emergency_stop",
    "guards_closed": "guard_open",
    "air_present": "no_air",
    "upstream_ready": "upstream_missing",
    "downstream_ready": "downstream_missing",
    "belt_running": "belt_stopped",
}
NOZZLE_CODES = {"dead": "nozzle_suspected", "stuck_open": "nozzle_stuck_open"}
MODE_CODES = {Mode.ABORTED: "line_aborted", Mode.HELD: "line_held"}
_MISSED_RATIO = 0.01
_LEAST_COMMAND_COUNT = 100


class Heard(NamedTuple):
    """The newest of what the line has said since this process began to listen.

    Attributes:
        report: the newest state.
        inputs: what is wired, None when unheard.
        valves: health of the nozzles, None when unheard.
        recipe: in force, whose purity targets are to be met; None when unheard.
    """

    report: StateReport
    inputs: WiredInputs | None
    valves: ValveReport | None
    recipe: RecipeState | None


def conditions(heard: Heard) -> Iterator[Condition]:
    """Everything that is wrong."""
    yield from (_of_fault(fault) for fault in heard.report.faults)
    yield from _silences(heard.report)
    yield from _of_inputs(heard.inputs)
    yield from _of_mode(heard.report)
    yield from _of_figures(heard.report, heard.recipe)
    for nozzle in heard.valves.nozzles if heard.valves is not None else ():
        if nozzle.suspicion is not None:
            code = NOZZLE_CODES.get(nozzle.suspicion, "nozzle_suspected")
            yield _condition(code, f"{nozzle.station_id}:{nozzle.nozzle}", nozzle.suspicion)


def _condition(code: str, source: str, detail: str = "") -> Condition:
    return Condition(code, source, PRIORITIES[code], detail)


def _of_fault(fault: FaultReport) -> Condition:
    if fault.code in PRIORITIES:
        return _condition(fault.code, fault.process, fault.detail)
    return _condition("other", fault.process, f"{fault.code}: {fault.detail}")


def _silences(report: StateReport) -> Iterator[Condition]:
    """Whoever has fallen silent cannot say that something is wrong."""
    faulty = {fault.process for fault in report.faults}
    for process in report.processes:
        if process.status is ProcessStatus.SILENT and process.name not in faulty:
            yield _condition("process_silent", process.name)


def _of_inputs(inputs: WiredInputs | None) -> Iterator[Condition]:
    for name, code in INPUT_CODES.items():
        if inputs is not None and getattr(inputs, name) is False:
            yield _condition(code, "line")


def _of_mode(report: StateReport) -> Iterator[Condition]:
    mode = report.mode
    if mode is not None and not mode.is_stale and mode.value.mode in MODE_CODES:
        yield _condition(MODE_CODES[mode.value.mode], "line", mode.value.reason)
    if report.picture is PictureCondition.STALE:
        yield _condition("picture_stale", "vision")


def _of_figures(report: StateReport, recipe: RecipeState | None) -> Iterator[Condition]:
    if report.statistics is None:
        return
    figures = report.statistics.value.figures
    missed = figures.missed_window_ratio
    if missed is not None and missed > _MISSED_RATIO and figures.command_count >= _LEAST_COMMAND_COUNT:
        yield _condition("windows_missed", "line", f"{missed:.1%}")
    for station in recipe.stations if recipe is not None else ():
        shown = figures.stations.get(station.id)
        # clearly below: the whole interval is
        if shown is not None and shown.purity.value is not None and shown.purity.high < station.purity_target:
            yield _condition("purity_low", station.id, f"{shown.purity.value:.0%} < {station.purity_target:.0%}")
