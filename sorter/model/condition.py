"""The condition of the line and its processes: mode, health, faults, and what an operator asks for."""

import enum

import msgspec


class Mode(enum.Enum):
    """States after PackML (ISA-TR88.00.02), as far as the line has them."""

    STOPPED = "stopped"
    IDLE = "idle"
    STARTING = "starting"
    EXECUTE = "execute"
    HELD = "held"
    ABORTED = "aborted"


class ModeState(msgspec.Struct, frozen=True):
    """The line's mode, since when, and why; sent on every change and once a second."""

    mode: Mode
    since_ns: int
    reason: str
    recipe_hash: str


class RequestKind(enum.Enum):
    """What an operator may ask the line to do."""

    START = "start"
    STOP = "stop"
    HOLD = "hold"
    UNHOLD = "unhold"
    ABORT = "abort"
    RESET = "reset"


class OperatorRequest(msgspec.Struct, frozen=True):
    """An operator asks; the mode machine decides."""

    kind: RequestKind
    requested_at_ns: int
    who: str


class KeepRequest(msgspec.Struct, frozen=True):
    """An operator wants a picture kept for labelling: the one that the screen showed; None: whichever comes next."""

    frame_id: int | None
    requested_at_ns: int
    who: str


class HealthStatus(enum.Enum):
    """How a process is."""

    STARTING = "starting"
    OK = "ok"
    DEGRADED = "degraded"
    FAULT = "fault"


class Health(msgspec.Struct, frozen=True):
    """A process says how it is, twice a second; silence is a fault. `figures` are numbers, unit in the name."""

    process: str
    status: HealthStatus
    since_ns: int
    detail: str
    restart_count: int
    figures: dict[str, float] = {}


class Fault(msgspec.Struct, frozen=True):
    """Something is wrong, or (with `is_cleared`) is right again; `code` names the cause for screens and tests."""

    process: str
    code: str
    detail: str
    raised_at_ns: int
    is_cleared: bool = False
