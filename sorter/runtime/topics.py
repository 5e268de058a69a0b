"""The one table of topics: who writes what, how often, when it is stale, and what may be lost."""

import enum

import msgspec

from sorter.model.condition import (
    Fault,
    Health,
    KeepRequest,
    Mode,
    ModeState,
    OperatorRequest,
    ValveReport,
    WiredInputs,
)
from sorter.model.ejection import Ack, Assessment, Decision, EjectionCommand, Outcomes
from sorter.model.events import AuditEntry
from sorter.model.explanation import Explanation, RecipeChange, RecipeState, ShotReport
from sorter.model.maintenance import NozzleHold
from sorter.model.shadow import ShadowReport
from sorter.model.stage_times import StageReport
from sorter.model.statistics import LineStatistics
from sorter.model.tracks import BeltState, Preview, TrackBatch


class Delivery(enum.Enum):
    """What happens to a message whose reader is slow.

    LATEST: readers see the newest; old ones are dropped at the reader's high-water mark and counted.
    ANSWERED: every message gets exactly one answer (ROUTER/DEALER).
    """

    LATEST = "latest"
    ANSWERED = "answered"


class Topic(msgspec.Struct, frozen=True):
    """One row of the table; `writers` are process names, `rate_hz` what to expect, None when on events alone."""

    name: str
    message_type: type[msgspec.Struct]
    writers: tuple[str, ...]
    rate_hz: float | None
    stale_after_ms: float | None
    delivery: Delivery


class Heartbeat(msgspec.Struct, frozen=True):
    """Both ends of the command link say that they live; who and when is in the envelope.

    Attributes:
        mode: the line's mode; the sorter's heartbeats alone have it.
        loss_count: how often the controller has found the sorter silent in this life of its own; the sorter says back
            what it knows of, and before it does Execute does not count, for it may not have noticed its own silence.
        heard_sent_at_ns: when the newest heartbeat of the other end was sent, by its own clock.
        heard_at_ns: when it was heard here.
    """

    mode: Mode | None = None
    loss_count: int = 0
    heard_sent_at_ns: int | None = None
    heard_at_ns: int | None = None


EVERYONE = ("vision", "actuators", "sorter", "ui", "video", "plant", "fleet", "supervisor")

TRACKS = Topic("tracks", TrackBatch, ("vision",), 15.0, 1000.0, Delivery.LATEST)
PREVIEW = Topic("preview", Preview, ("vision",), 10.0, 2000.0, Delivery.LATEST)
# the encoder's reader writes it: actuators, or vision where travel comes from the pictures
BELT = Topic("belt", BeltState, ("actuators", "vision"), 100.0, 300.0, Delivery.LATEST)
DECISION = Topic("decision", Decision, ("sorter",), None, None, Delivery.LATEST)
ASSESSMENT = Topic("assessment", Assessment, ("sorter",), 15.0, 1000.0, Delivery.LATEST)
MODE = Topic("mode", ModeState, ("sorter",), 1.0, 3000.0, Delivery.LATEST)
STATISTICS = Topic("statistics", LineStatistics, ("sorter",), 1.0, 3000.0, Delivery.LATEST)
OUTCOMES = Topic("outcomes", Outcomes, ("actuators",), 10.0, None, Delivery.LATEST)
# what is wired to the valve hardware: at every change, and once a second
INPUTS = Topic("inputs", WiredInputs, ("actuators",), 1.0, 3000.0, Delivery.LATEST)
VALVES = Topic("valves", ValveReport, ("actuators",), 1.0, 5000.0, Delivery.LATEST)
HEALTH = Topic("health", Health, EVERYONE, 2.0, 2000.0, Delivery.LATEST)
STAGES = Topic("stages", StageReport, ("vision", "sorter"), 2.0, 2000.0, Delivery.LATEST)
FAULT = Topic("fault", Fault, EVERYONE, None, None, Delivery.LATEST)
REQUEST = Topic("request", OperatorRequest, ("ui",), None, None, Delivery.LATEST)
KEEP = Topic("keep", KeepRequest, ("ui",), None, None, Delivery.LATEST)
# why items were ejected or left, and what became of the shots; for screens
EXPLANATION = Topic("explanation", Explanation, ("sorter",), None, None, Delivery.LATEST)
SHOT = Topic("shot", ShotReport, ("sorter",), None, None, Delivery.LATEST)
# what an engineer changes at a screen, and what is in force
RECIPE_CHANGE = Topic("recipe_change", RecipeChange, ("ui",), None, None, Delivery.LATEST)
RECIPE = Topic("recipe", RecipeState, ("sorter",), 1.0, 3000.0, Delivery.LATEST)
# how a challenger that looks along agrees; only where there is one
SHADOW = Topic("shadow", ShadowReport, ("vision",), 1.0, None, Delivery.LATEST)
# repeated while somebody holds a button: a nozzle is open only as long as these come
NOZZLE_HOLD = Topic("nozzle_hold", NozzleHold, ("ui",), 10.0, 300.0, Delivery.LATEST)
# an audit that somebody entered; that it is written down shows in the store, so a screen asks there and says it again
AUDIT = Topic("audit", AuditEntry, ("ui",), None, None, Delivery.LATEST)
COMMAND = Topic("command", EjectionCommand, ("sorter",), None, None, Delivery.ANSWERED)
ACK = Topic("ack", Ack, ("actuators",), None, None, Delivery.ANSWERED)
# travels on the command link itself, both ways; how long silence is borne is safety.liveness_ms
HEARTBEAT = Topic("heartbeat", Heartbeat, ("sorter", "actuators"), 10.0, 300.0, Delivery.LATEST)

TOPICS: tuple[Topic, ...] = (
    TRACKS, PREVIEW, BELT, DECISION, ASSESSMENT, MODE, STATISTICS, OUTCOMES, INPUTS, VALVES, HEALTH, STAGES, FAULT,
    REQUEST, KEEP, AUDIT, EXPLANATION, SHOT, RECIPE_CHANGE, RECIPE, SHADOW, NOZZLE_HOLD, COMMAND, ACK, HEARTBEAT,
)  # fmt: skip
TOPIC_BY_NAME: dict[str, Topic] = {topic.name: topic for topic in TOPICS}
TOPIC_BY_TYPE: dict[type[msgspec.Struct], Topic] = {topic.message_type: topic for topic in TOPICS}
