"""Who would say that something is wrong, and whether it has been heard since this process began to listen.

A page that has just begun hears nothing of a condition, which does not mean that it is over: that counts once whoever
would say so has spoken.
"""

from collections.abc import Callable, Collection

from sorter.policy.alarms import Condition
from ui.alarm_conditions import INPUT_CODES, MODE_CODES, NOZZLE_CODES, Heard
from ui.page_messages import PictureCondition, ProcessStatus

_HAS_SPOKEN: dict[str, Callable[[Heard], bool]] = {
    **dict.fromkeys(INPUT_CODES.values(), lambda heard: heard.inputs is not None),
    **dict.fromkeys(MODE_CODES.values(), lambda heard: heard.report.mode is not None),
    "picture_stale": lambda heard: heard.report.picture is not PictureCondition.MISSING,
    "purity_low": lambda heard: heard.report.statistics is not None and heard.recipe is not None,
    "windows_missed": lambda heard: heard.report.statistics is not None,
    **dict.fromkeys(NOZZLE_CODES.values(), lambda heard: heard.valves is not None),
}


def is_told(condition: Condition, heard: Heard, line_processes: Collection[str]) -> bool:
    """Whether the line would have said by now that a condition is there.

    Args:
        condition: what was wrong when last heard of.
        heard: what the line has said since.
        line_processes: names of what runs on this line; of others nothing is awaited.
    """
    has_spoken = _HAS_SPOKEN.get(condition.code)
    if has_spoken is not None:
        return has_spoken(heard)
    # everything else is a fault of a process, or its silence: its health tells, or the supervisor on its behalf
    process = condition.source
    return process not in line_processes or process in _heard_of(heard)


def _heard_of(heard: Heard) -> set[str]:
    spoken = {one.name for one in heard.report.processes if one.status is not ProcessStatus.UNHEARD}
    return spoken | {fault.process for fault in heard.report.faults if fault.code == "process_died"}
