"""The condition of the line and its processes: mode, health, faults, and what an operator asks for."""

import enum

import msgspec


class Mode(enum.Enum):
    """The states of PackML (ISA-TR88.00.02) but for Completing and Complete: a line has no batch that ends.

    Those that end in -ing are acting states: they pass by themselves, once what they wait for is so.
    """

    STOPPED = "stopped"
    RESETTING = "resetting"
    IDLE = "idle"
    STARTING = "starting"
    EXECUTE = "execute"
    HOLDING = "holding"
    HELD = "held"
    UNHOLDING = "unholding"
    SUSPENDING = "suspending"
    SUSPENDED = "suspended"
    UNSUSPENDING = "unsuspending"
    STOPPING = "stopping"
    ABORTING = "aborting"
    ABORTED = "aborted"
    CLEARING = "clearing"


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


class WiredInputs(msgspec.Struct, frozen=True):
    """What is wired to the valve hardware's inputs, True when all is well; None where nothing is wired.

    Observed only: the safety functions of a plant act by themselves, through their own wires.
    """

    emergency_stop_clear: bool | None = None
    guards_closed: bool | None = None
    air_present: bool | None = None
    upstream_ready: bool | None = None
    downstream_ready: bool | None = None
    belt_running: bool | None = None


class NozzleReport(msgspec.Struct, frozen=True):
    """What one nozzle has done since the controller began, and whether something seems wrong with it.

    Attributes:
        duty_ratio: share of the duty window for which it was open.
        response_drift_ms: how much slower it answers than configured, None where the hardware does not tell.
        suspicion: "dead" (its shots hit nothing), "stuck_open" (what passes under it leaves the belt without a shot),
            None for none; nothing is suspected where no sensor stands behind the bar.
    """

    station_id: str
    nozzle: int
    shot_count: int
    on_time_ms: float
    duty_ratio: float
    response_drift_ms: float | None = None
    suspicion: str | None = None


class ValveReport(msgspec.Struct, frozen=True):
    """The valves' health: nozzles that have fired, and the air that all of them have used."""

    measured_at_ns: int
    nozzles: tuple[NozzleReport, ...]
    air_l: float
    open_count: int


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


class Fault(msgspec.Struct, frozen=True):
    """Something is wrong, or (with `is_cleared`) is right again; `code` names the cause for screens and tests."""

    process: str
    code: str
    detail: str
    raised_at_ns: int
    is_cleared: bool = False


class Health(msgspec.Struct, frozen=True):
    """A process says how it is, twice a second; silence is a fault. `figures` are numbers, unit in the name.

    `faults` are those that it has raised and not cleared: whoever began to listen later has missed them.
    """

    process: str
    status: HealthStatus
    since_ns: int
    detail: str
    restart_count: int
    figures: dict[str, float] = {}
    faults: tuple[Fault, ...] = ()
