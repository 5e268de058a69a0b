"""The mode machine as a table, after PackML: only an operator's start leads towards Execute, and only Execute fires."""

import enum

from sorter.model.condition import Mode


class ModeEvent(enum.Enum):
    """What can change the mode: operators ask, the line notices."""

    START = "start"
    READY = "ready"
    STOP = "stop"
    HOLD = "hold"
    UNHOLD = "unhold"
    FAULT = "fault"
    RECOVERED = "recovered"
    ABORT = "abort"
    RESET = "reset"


_WORKING = (Mode.STARTING, Mode.EXECUTE, Mode.HELD)
_LIVING = (Mode.IDLE, Mode.STOPPED, *_WORKING)

# Held comes from the line's own faults or an operator's hold. RECOVERED leads back to Starting, never straight to
# Execute, so that readiness is checked anew. Aborted is left by an operator's RESET alone.
TRANSITIONS: dict[tuple[Mode, ModeEvent], Mode] = {
    (Mode.IDLE, ModeEvent.START): Mode.STARTING,
    (Mode.STARTING, ModeEvent.READY): Mode.EXECUTE,
    (Mode.STARTING, ModeEvent.HOLD): Mode.HELD,
    (Mode.EXECUTE, ModeEvent.HOLD): Mode.HELD,
    (Mode.EXECUTE, ModeEvent.FAULT): Mode.HELD,
    (Mode.HELD, ModeEvent.RECOVERED): Mode.STARTING,
    (Mode.HELD, ModeEvent.UNHOLD): Mode.STARTING,
    (Mode.STOPPED, ModeEvent.RESET): Mode.IDLE,
    (Mode.ABORTED, ModeEvent.RESET): Mode.IDLE,
    **{(mode, ModeEvent.STOP): Mode.STOPPED for mode in (Mode.IDLE, *_WORKING)},
    **{(mode, ModeEvent.ABORT): Mode.ABORTED for mode in _LIVING},
}


def next_mode(mode: Mode, event: ModeEvent) -> Mode:
    """The mode after an event; the same where the table has no way out."""
    return TRANSITIONS.get((mode, event), mode)
