"""The newest of everything the line says, and what of it is too old; reading sockets and serving pages is others' work.

Every instant is an argument, and ages count from when a message was sent: what waited in a queue is old on arrival.
"""

from collections import deque
from collections.abc import Sequence

import msgspec

from sorter.model.condition import Fault, Health, Mode, ModeState, RequestKind
from sorter.model.ejection import NO_ITEM_REASONS, Assessment, Decision, DecisionReason, Intent
from sorter.model.stage_times import StageReport
from sorter.model.statistics import LineStatistics
from sorter.model.tracks import BeltState, Preview, PreviewBox
from sorter.model.units import NS_PER_S, UM_PER_M, ms_to_ns
from sorter.policy.mode import TRANSITIONS, ModeEvent
from sorter.runtime.envelope import Received
from sorter.runtime.topics import ASSESSMENT, BELT, EVERYONE, HEALTH, MODE, PREVIEW, STATISTICS, Topic
from ui.page_messages import (
    Aged,
    DecisionReport,
    FaultReport,
    LiveBox,
    LivePicture,
    ModeReport,
    PictureCondition,
    ProcessReport,
    ProcessStatus,
    StateReport,
)
from ui.tempo import Tempo

# The page shows silence within 2 s, the way to the screen included, so it may not wait for a topic's own 2 s.
_SILENT_AFTER_MS = 1500.0
_PICTURE_OLD_AFTER_MS = 1200.0
_RECENT_NS = 10 * NS_PER_S
_SHOWN_DECISION_COUNT = 4
# An encoder's creep and the noise of a speed measured from pictures stay below this.
_STANDING_UM_S = 5_000


class LiveState:
    """What is known of the line.

    Args:
        class_names: the recipe's classes, in the order of class ids.
        preview_rate_hz: how often a picture may be expected.
    """

    def __init__(self, class_names: Sequence[str], preview_rate_hz: float) -> None:
        self._class_names = tuple(class_names)
        self._picture_stale_ms = picture_stale_after_ms(preview_rate_hz)
        self._newest: dict[str, Received] = {}
        self._health: dict[str, Received] = {}
        self._faults: dict[tuple[str, str], Received] = {}
        self._stages: dict[str, StageReport] = {}
        self._intents: dict[int, tuple[Intent, int]] = {}
        self._decisions: deque[Decision] = deque(maxlen=_SHOWN_DECISION_COUNT)
        self._tempo = Tempo(class_names)

    def take(self, received: Received) -> None:
        """Note a message; faults and tracks of a process's earlier life end when a newer one speaks."""
        message = received.message
        if isinstance(message, Health):
            self._take_health(message, received)
        elif isinstance(message, Fault):
            self._take_fault(message, received)
        elif isinstance(message, Assessment):
            self._take_assessment(message, received)
        elif isinstance(message, Decision):
            self._take_decision(message, received)
        elif isinstance(message, StageReport):
            self._stages[message.process] = message
        else:
            self._newest[received.topic] = received

    def report(self, now_ns: int) -> StateReport:
        """Everything but the picture, as of now."""
        recent = [one for one in self._decisions if now_ns - one.decided_at_ns <= _RECENT_NS]
        return StateReport(
            mode=self._mode(now_ns),
            belt_speed_m_s=self._belt_speed(now_ns),
            statistics=self._statistics(now_ns),
            picture=self.picture_condition(now_ns),
            is_deciding=self._is_deciding(),
            decided_per_min=self._tempo.per_min(now_ns),
            decisions=tuple(self._decision(one, now_ns) for one in reversed(recent)),
            processes=tuple(self._process(name, now_ns) for name in EVERYONE if self._is_expected(name)),
            faults=tuple(_fault(received, now_ns) for received in self._faults.values()),
            line_silent_s=self._line_silent_s(now_ns),
            recent_counts=self._tempo.recent_counts(now_ns),
            trend=self._tempo.trend(now_ns),
        )

    def stages(self) -> tuple[StageReport, ...]:
        """How long the stages of each process take, in the order of names."""
        return tuple(self._stages[name] for name in sorted(self._stages))

    def picture(self, now_ns: int) -> LivePicture | None:
        """The newest picture, each box joined with the newest intent for its track; None before the first."""
        preview = self._message(PREVIEW)
        if not isinstance(preview, Preview):
            return None
        return LivePicture(
            frame_id=preview.frame_id,
            width_px=preview.width_px,
            height_px=preview.height_px,
            aspect_ratio=preview.aspect_ratio,
            age_ms=(now_ns - preview.exposed_at_ns) / 1e6,
            boxes=tuple(self._box(box) for box in preview.boxes),
        )

    def jpeg(self) -> bytes:
        """The newest picture itself."""
        preview = self._message(PREVIEW)
        return preview.jpeg if isinstance(preview, Preview) else b""

    def picture_condition(self, now_ns: int) -> PictureCondition:
        """Whether the newest picture shows the belt as it is."""
        received = self._newest.get(PREVIEW.name)
        if received is None:
            return PictureCondition.MISSING
        if now_ns - received.sent_at_ns <= ms_to_ns(self._picture_stale_ms):
            return PictureCondition.LIVE
        return PictureCondition.STANDING if self._is_standing(now_ns) else PictureCondition.STALE

    def _take_health(self, health: Health, received: Received) -> None:
        before = self._health.get(health.process)
        self._health[health.process] = received
        # Also ends what the supervisor said about a process that has died, once the process speaks again itself.
        for key, told in list(self._faults.items()):
            is_earlier = told.boot_id != received.boot_id and told.sent_at_ns <= received.sent_at_ns
            if key[0] == health.process and is_earlier:
                del self._faults[key]
        for fault in health.faults:
            self._take_standing(fault, received)
        if before is not None and before.boot_id != received.boot_id and health.process == "vision":
            self._intents.clear()

    def _take_standing(self, fault: Fault, received: Received) -> None:
        """A fault that may have been raised before anybody listened here."""
        spoke = self._health.get(fault.process)
        # the supervisor's word on a dead process, come late: the process has spoken since
        is_outdated = spoke is not None and spoke.boot_id != received.boot_id and spoke.sent_at_ns > fault.raised_at_ns
        if not is_outdated:
            self._faults.setdefault((fault.process, fault.code), msgspec.structs.replace(received, message=fault))

    def _take_fault(self, fault: Fault, received: Received) -> None:
        if fault.is_cleared:
            self._faults.pop((fault.process, fault.code), None)
        else:
            self._faults[fault.process, fault.code] = received

    def _take_assessment(self, assessment: Assessment, received: Received) -> None:
        # Preview and assessment of one frame arrive in either order: intents outlive their frame by the topic's limit.
        limit_ns = ms_to_ns(ASSESSMENT.stale_after_ms or 0.0)
        oldest_ns = received.sent_at_ns - limit_ns
        self._intents = {track: kept for track, kept in self._intents.items() if kept[1] >= oldest_ns}
        for intent in assessment.intents:
            known, _ = self._intents.get(intent.track_id, (intent, 0))
            # What was decided once stays, even if the item would now be judged otherwise.
            self._intents[intent.track_id] = (known if known.is_decided else intent, received.sent_at_ns)
        self._newest[received.topic] = received

    def _take_decision(self, decision: Decision, received: Received) -> None:
        if decision.reason not in NO_ITEM_REASONS:
            self._decisions.append(decision)
            self._tempo.note(decision.class_id, decision.decided_at_ns)
        taken = Intent(
            decision.track_id, decision.class_id, decision.probability, decision.station_id, decision.reason, True
        )
        self._intents[decision.track_id] = (taken, received.sent_at_ns)

    def newest(self, topic: Topic) -> msgspec.Struct | None:
        """The newest message of a topic that is not told otherwise; None before the first."""
        return self._message(topic)

    def _line_silent_s(self, now_ns: int) -> float | None:
        received = self._health.get("sorter")
        return None if received is None else (now_ns - received.sent_at_ns) / NS_PER_S

    def _message(self, topic: Topic) -> msgspec.Struct | None:
        received = self._newest.get(topic.name)
        return received.message if received is not None else None

    def _age_ns(self, topic: Topic, now_ns: int) -> int:
        return now_ns - self._newest[topic.name].sent_at_ns

    def _is_fresh(self, topic: Topic, now_ns: int) -> bool:
        if topic.name not in self._newest:
            return False
        return topic.stale_after_ms is None or self._age_ns(topic, now_ns) <= ms_to_ns(topic.stale_after_ms)

    def _is_standing(self, now_ns: int) -> bool:
        belt = self._message(BELT)
        sees = self._process("vision", now_ns).status in (ProcessStatus.OK, ProcessStatus.DEGRADED)
        still = isinstance(belt, BeltState) and abs(belt.speed_um_s) < _STANDING_UM_S
        return sees and still and self._is_fresh(BELT, now_ns)

    def _mode(self, now_ns: int) -> Aged[ModeReport] | None:
        state = self._message(MODE)
        if not isinstance(state, ModeState):
            return None
        offered = tuple(kind for kind in RequestKind if (state.mode, ModeEvent(kind.value)) in TRANSITIONS)
        report = ModeReport(state.mode, (now_ns - state.since_ns) / NS_PER_S, state.reason, offered)
        return Aged(report, self._age_ns(MODE, now_ns) / NS_PER_S, not self._is_fresh(MODE, now_ns))

    def _belt_speed(self, now_ns: int) -> Aged[float] | None:
        belt = self._message(BELT)
        if not isinstance(belt, BeltState):
            return None
        speed_m_s = belt.speed_um_s / UM_PER_M
        return Aged(speed_m_s, self._age_ns(BELT, now_ns) / NS_PER_S, not self._is_fresh(BELT, now_ns))

    def _statistics(self, now_ns: int) -> Aged[LineStatistics] | None:
        statistics = self._message(STATISTICS)
        if not isinstance(statistics, LineStatistics):
            return None
        is_stale = not self._is_fresh(STATISTICS, now_ns)
        return Aged(statistics, self._age_ns(STATISTICS, now_ns) / NS_PER_S, is_stale)

    def _decision(self, decision: Decision, now_ns: int) -> DecisionReport:
        return DecisionReport(
            decision_id=decision.decision_id,
            class_name=self._class_name(decision.class_id),
            probability=decision.probability,
            station_id=decision.station_id,
            reason=decision.reason,
            age_s=(now_ns - decision.decided_at_ns) / NS_PER_S,
        )

    def _process(self, name: str, now_ns: int) -> ProcessReport:
        received = self._health.get(name)
        if received is None or not isinstance(received.message, Health):
            return ProcessReport(name, ProcessStatus.UNHEARD, None, "", 0)
        health = received.message
        silent_ns = now_ns - received.sent_at_ns
        if silent_ns > ms_to_ns(min(_SILENT_AFTER_MS, HEALTH.stale_after_ms or _SILENT_AFTER_MS)):
            return ProcessReport(name, ProcessStatus.SILENT, silent_ns / NS_PER_S, health.detail, health.restart_count)
        status = ProcessStatus(health.status.value)
        return ProcessReport(name, status, (now_ns - health.since_ns) / NS_PER_S, health.detail, health.restart_count)

    def _box(self, box: PreviewBox) -> LiveBox:
        place = LiveBox(box.track_id, box.left_px, box.top_px, box.right_px, box.bottom_px)
        intent, _ = self._intents.get(box.track_id, (None, 0))
        if intent is None or not self._is_deciding():
            return place
        is_withheld = intent.reason is DecisionReason.EJECT and not self._is_executing()
        return msgspec.structs.replace(
            place,
            class_name=self._class_name(intent.class_id),
            probability=intent.probability,
            station_id=None if is_withheld else intent.station_id,
            reason=DecisionReason.NOT_EXECUTING if is_withheld else intent.reason,
            is_decided=intent.is_decided,
        )

    def _is_deciding(self) -> bool:
        # Measured against the pictures, not the clock: without pictures there is nothing to judge, and nobody to blame.
        preview, assessment = self._newest.get(PREVIEW.name), self._newest.get(ASSESSMENT.name)
        if preview is None or assessment is None:
            return False
        return preview.sent_at_ns - assessment.sent_at_ns <= ms_to_ns(ASSESSMENT.stale_after_ms or 0.0)

    def _is_executing(self) -> bool:
        state = self._message(MODE)
        return isinstance(state, ModeState) and state.mode is Mode.EXECUTE

    def _is_expected(self, process: str) -> bool:
        # Processes may run without a supervisor, each as a service of the machine; not every plant wants to be told.
        return process not in {"supervisor", "plant", "fleet", "video"} or process in self._health

    def _class_name(self, class_id: int) -> str:
        return self._class_names[class_id] if 0 <= class_id < len(self._class_names) else f"class {class_id}"


def picture_stale_after_ms(preview_rate_hz: float) -> float:
    """After what silence a picture is old: early enough to show it within 2 s, unless pictures come more rarely."""
    return max(_PICTURE_OLD_AFTER_MS, 2_500.0 / preview_rate_hz)


def _fault(received: Received, now_ns: int) -> FaultReport:
    fault = received.message
    assert isinstance(fault, Fault), "only faults are kept as faults"
    return FaultReport(fault.process, fault.code, fault.detail, (now_ns - fault.raised_at_ns) / NS_PER_S)
