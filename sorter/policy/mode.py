"""The mode machine as a table, after PackML: only an operator's start leads towards Execute, and only Execute fires.

Held is for the line's own faults and an operator's hold, Suspended for what comes before and after it: a line that has
nothing to sort, or nowhere to put it. Both are left through an acting state that waits for readiness, never straight.
"""

import enum

from sorter.model.condition import Mode


class ModeEvent(enum.Enum):
    """What can change the mode: operators ask, the line notices.

    READY: every process is, and nothing wired speaks against it. DONE: valves are closed.
    """

    START = "start"
    READY = "ready"
    STOP = "stop"
    HOLD = "hold"
    UNHOLD = "unhold"
    FAULT = "fault"
    RECOVERED = "recovered"
    SUSPEND = "suspend"
    UNSUSPEND = "unsuspend"
    ABORT = "abort"
    RESET = "reset"
    DONE = "done"


# States that READY leads from to Execute, and those that DONE leads out of.
WAITING = (Mode.STARTING, Mode.UNHOLDING, Mode.UNSUSPENDING)
ACTING: dict[Mode, Mode] = {
    Mode.RESETTING: Mode.IDLE,
    Mode.HOLDING: Mode.HELD,
    Mode.SUSPENDING: Mode.SUSPENDED,
    Mode.STOPPING: Mode.STOPPED,
    Mode.ABORTING: Mode.ABORTED,
    Mode.CLEARING: Mode.STOPPED,
}
_SUSPENDED = (Mode.SUSPENDING, Mode.SUSPENDED)
_HELD = (Mode.HOLDING, Mode.HELD)
_STOPPABLE = (Mode.IDLE, Mode.RESETTING, Mode.EXECUTE, *WAITING, *_HELD, *_SUSPENDED)
_LIVING = (*_STOPPABLE, Mode.STOPPING, Mode.STOPPED, Mode.CLEARING)

# Aborted is left by an operator's RESET alone, which clears; a second one, from Stopped, makes the line Idle.
TRANSITIONS: dict[tuple[Mode, ModeEvent], Mode] = {
    (Mode.IDLE, ModeEvent.START): Mode.STARTING,
    (Mode.HELD, ModeEvent.UNHOLD): Mode.UNHOLDING,
    (Mode.HELD, ModeEvent.RECOVERED): Mode.UNHOLDING,
    (Mode.EXECUTE, ModeEvent.SUSPEND): Mode.SUSPENDING,
    (Mode.SUSPENDED, ModeEvent.UNSUSPEND): Mode.UNSUSPENDING,
    (Mode.STOPPED, ModeEvent.RESET): Mode.RESETTING,
    (Mode.ABORTED, ModeEvent.RESET): Mode.CLEARING,
    **{(mode, ModeEvent.READY): Mode.EXECUTE for mode in WAITING},
    **{(mode, ModeEvent.HOLD): Mode.HOLDING for mode in (Mode.EXECUTE, *WAITING, *_SUSPENDED)},
    **{(mode, ModeEvent.FAULT): Mode.HOLDING for mode in (Mode.EXECUTE, *_SUSPENDED)},
    **{(mode, ModeEvent.STOP): Mode.STOPPING for mode in _STOPPABLE},
    **{(mode, ModeEvent.ABORT): Mode.ABORTING for mode in _LIVING},
    **{(mode, ModeEvent.DONE): after for mode, after in ACTING.items()},
}


def next_mode(mode: Mode, event: ModeEvent) -> Mode:
    """The mode after an event; the same where the table has no way out."""
    return TRANSITIONS.get((mode, event), mode)
