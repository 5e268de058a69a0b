"""What the page is told, as types: the JSON of its two streams; how it is put together is `ui.live_state`'s matter.

Ages and durations are given instead of instants, because a browser does not share the line's clock.
"""

import enum
from typing import Generic, TypeVar

import msgspec

from sorter.model.condition import Mode, RequestKind
from sorter.model.ejection import DecisionReason
from sorter.model.statistics import LineStatistics

T = TypeVar("T")


class Aged(msgspec.Struct, Generic[T], frozen=True):
    """The newest value of something, how old it is, and whether that is too old to be trusted."""

    value: T
    age_s: float
    is_stale: bool


class ProcessStatus(enum.Enum):
    """How a process is, as seen from outside: what it says itself, or that it says nothing."""

    STARTING = "starting"
    OK = "ok"
    DEGRADED = "degraded"
    FAULT = "fault"
    SILENT = "silent"
    UNHEARD = "unheard"


class ProcessReport(msgspec.Struct, frozen=True):
    """One process; `status_s` is how long it has been so, None while it was never heard."""

    name: str
    status: ProcessStatus
    status_s: float | None
    detail: str
    restart_count: int


class FaultReport(msgspec.Struct, frozen=True):
    """One fault that is still there."""

    process: str
    code: str
    detail: str
    active_s: float


class DecisionReport(msgspec.Struct, frozen=True):
    """One item that was decided in the last seconds."""

    decision_id: int
    class_name: str
    probability: float
    station_id: str | None
    reason: DecisionReason
    age_s: float


class ModeReport(msgspec.Struct, frozen=True):
    """The mode, and which requests would change it."""

    mode: Mode
    mode_s: float
    reason: str
    offered: tuple[RequestKind, ...]


class PictureCondition(enum.Enum):
    """Whether the newest picture shows the belt as it is now.

    STANDING: the picture is old, but so is what it shows, because the belt has not moved since.
    """

    LIVE = "live"
    STANDING = "standing"
    STALE = "stale"
    MISSING = "missing"


class AlarmSummary(msgspec.Struct, frozen=True):
    """How many alarms there are.

    Attributes:
        active_count: those that are there and not shelved.
        unacknowledged_count: those that nobody has seen, such as are over included.
        worst: priority of the most urgent that is there, best one that nobody has seen.
        is_seen: whether all that are there were seen.
        version: grows whenever the list looks different.
    """

    active_count: int = 0
    unacknowledged_count: int = 0
    shelved_count: int = 0
    worst: str | None = None
    is_seen: bool = True
    version: int = 0


class Trend(msgspec.Struct, frozen=True):
    """Items in each of the last whole minutes, oldest first; `minute` numbers the newest."""

    minute: int = 0
    counts: tuple[int, ...] = ()


class StateReport(msgspec.Struct, frozen=True):
    """Everything on the page but the picture; sent four times a second whether it has changed or not."""

    mode: Aged[ModeReport] | None
    belt_speed_m_s: Aged[float] | None
    statistics: Aged[LineStatistics] | None
    picture: PictureCondition
    is_deciding: bool
    decided_per_min: int
    decisions: tuple[DecisionReport, ...]
    processes: tuple[ProcessReport, ...]
    faults: tuple[FaultReport, ...]
    # since the deciding process was heard last; None before
    line_silent_s: float | None = None
    # items by class over the last minute
    recent_counts: dict[str, int] = {}
    trend: Trend = Trend()
    alarms: AlarmSummary = AlarmSummary()


class LiveBox(msgspec.Struct, frozen=True):
    """One item on the picture, in its pixels, and what would be done with it; None while nobody has judged it."""

    track_id: int
    left_px: int
    top_px: int
    right_px: int
    bottom_px: int
    class_name: str | None = None
    probability: float | None = None
    station_id: str | None = None
    reason: DecisionReason | None = None
    is_decided: bool = False


class LivePicture(msgspec.Struct, frozen=True):
    """What is on one picture; it travels in the picture's own header, so that the two cannot drift apart."""

    frame_id: int
    width_px: int
    height_px: int
    aspect_ratio: float
    age_ms: float
    boxes: tuple[LiveBox, ...]
