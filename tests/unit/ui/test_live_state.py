"""What the page is told, from messages with given instants."""

import msgspec
import pytest

from sorter.model.condition import Fault, Health, HealthStatus, Mode, ModeState, RequestKind
from sorter.model.ejection import Assessment, Decision, DecisionReason, Intent
from sorter.model.stage_times import StageReport, StageTimes
from sorter.model.tracks import BeltState, Preview, PreviewBox
from sorter.model.units import NS_PER_MS, NS_PER_S
from sorter.runtime.envelope import Received
from sorter.runtime.topics import TOPIC_BY_TYPE
from ui.live_state import LiveState, picture_stale_after_ms
from ui.page_messages import PictureCondition, ProcessStatus

START_NS = 100 * NS_PER_S
CLASSES = ("pet_clear", "can")


def at_ms(instant_ms: float) -> int:
    return START_NS + round(instant_ms * NS_PER_MS)


class Line:
    """A live state and what is said to it."""

    def __init__(self) -> None:
        self.state = LiveState(CLASSES, preview_rate_hz=10.0)
        self.seq = 0

    def say(self, message: msgspec.Struct, sent_at_ms: float = 0.0, boot_id: str = "boot-1") -> None:
        self.seq += 1
        topic = TOPIC_BY_TYPE[type(message)].name
        self.state.take(Received(topic, boot_id, self.seq, at_ms(sent_at_ms), message))


@pytest.fixture
def line() -> Line:
    return Line()


def preview(*track_ids: int, frame_id: int = 1) -> Preview:
    boxes = tuple(PreviewBox(track_id, 10, 20, 30, 40) for track_id in track_ids)
    return Preview(frame_id, START_NS - 30 * NS_PER_MS, 0, 640, 640, 1.78, b"jpeg", boxes)


def intent(track_id: int, class_id: int = 0, station_id: str | None = "pet") -> Intent:
    reason = DecisionReason.EJECT if station_id else DecisionReason.NO_STATION
    return Intent(track_id, class_id, 0.9, station_id, reason, is_decided=True)


def health(process: str, status: HealthStatus = HealthStatus.OK) -> Health:
    return Health(process, status, START_NS - 5 * NS_PER_S, "detail", 2)


def fault(code: str, *, is_cleared: bool = False) -> Fault:
    return Fault("vision", code, "what is wrong", START_NS - NS_PER_S, is_cleared)


def decision(decision_id: int, decided_at_ms: float) -> Decision:
    return Decision(decision_id, 1, None, 1, 0.8, DecisionReason.NO_STATION, 3, 0, 0, at_ms(decided_at_ms), 1, 0)


def test_before_anything_was_said_nothing_is_claimed(line: Line) -> None:
    report = line.state.report(START_NS)
    assert (report.mode, report.belt_speed_m_s, report.statistics) == (None, None, None)
    assert report.picture is PictureCondition.MISSING
    assert not report.is_deciding
    assert line.state.picture(START_NS) is None
    assert {process.name for process in report.processes} == {"vision", "actuators", "sorter", "ui"}
    assert {process.status for process in report.processes} == {ProcessStatus.UNHEARD}
    assert {process.status_s for process in report.processes} == {None}


@pytest.mark.parametrize(("age_ms", "is_stale"), [(0, False), (300, False), (301, True)])
def test_a_value_is_stale_after_its_topics_limit(line: Line, age_ms: float, is_stale: bool) -> None:
    line.say(BeltState(START_NS, 0, 1_500_000))
    speed = line.state.report(at_ms(age_ms)).belt_speed_m_s
    assert speed is not None
    assert speed.value == 1.5
    assert speed.is_stale is is_stale
    assert speed.age_s == pytest.approx(age_ms / 1000)


def test_mode_offers_what_the_mode_machine_accepts(line: Line) -> None:
    line.say(ModeState(Mode.IDLE, START_NS - NS_PER_S, "power-up", "hash"))
    mode = line.state.report(START_NS).mode
    assert mode is not None
    assert mode.value.mode_s == 1.0
    assert set(mode.value.offered) == {RequestKind.START, RequestKind.STOP, RequestKind.ABORT}


@pytest.mark.parametrize(
    ("age_ms", "status"), [(0, ProcessStatus.OK), (1500, ProcessStatus.OK), (1501, ProcessStatus.SILENT)]
)
def test_a_process_that_says_nothing_is_silent_in_time_to_show_it_within_two_seconds(
    line: Line, age_ms: float, status: ProcessStatus
) -> None:
    line.say(health("vision"))
    [vision] = [one for one in line.state.report(at_ms(age_ms)).processes if one.name == "vision"]
    assert vision.status is status
    assert vision.restart_count == 2
    expected_s = age_ms / 1000 if status is ProcessStatus.SILENT else 5.0 + age_ms / 1000
    assert vision.status_s == pytest.approx(expected_s)


def test_a_fault_is_active_until_it_is_cleared(line: Line) -> None:
    line.say(fault("source_lost"))
    line.say(fault("detector_slow"))
    assert [one.code for one in line.state.report(START_NS).faults] == ["source_lost", "detector_slow"]
    line.say(fault("source_lost", is_cleared=True))
    [left] = line.state.report(START_NS).faults
    assert (left.code, left.active_s) == ("detector_slow", 1.0)


def test_a_new_life_of_a_process_takes_the_faults_of_the_old_one_away(line: Line) -> None:
    line.say(health("vision"), boot_id="old")
    line.say(fault("source_lost"), boot_id="old")
    line.say(Fault("actuators", "link_lost", "", START_NS), boot_id="old")
    line.say(health("vision"), boot_id="new")
    assert [one.code for one in line.state.report(START_NS).faults] == ["link_lost"]


def test_what_the_supervisor_says_of_a_dead_process_ends_when_it_speaks_again(line: Line) -> None:
    line.say(health("vision"), boot_id="old")
    line.say(fault("process_died"), boot_id="supervisor")
    line.say(health("vision", HealthStatus.FAULT), boot_id="supervisor")
    assert [one.code for one in line.state.report(START_NS).faults] == ["process_died"]
    line.say(health("vision"), boot_id="new")
    assert line.state.report(START_NS).faults == ()


def with_faults(process: str, *faults: Fault) -> Health:
    return msgspec.structs.replace(health(process), faults=faults)


def standing(line: Line) -> list[tuple[str, str]]:
    return [(one.process, one.code) for one in line.state.report(START_NS).faults]


def test_a_fault_that_was_raised_before_anybody_listened_is_told_by_health_until_it_is_cleared(line: Line) -> None:
    for _ in range(2):
        line.say(with_faults("vision", fault("no_pictures")))
        assert standing(line) == [("vision", "no_pictures")]
    line.say(fault("no_pictures", is_cleared=True))
    line.say(with_faults("vision"))
    assert standing(line) == []


def test_a_process_that_was_dead_before_anybody_listened_is_told_by_the_supervisor_until_it_speaks(line: Line) -> None:
    died = with_faults("supervisor", fault("process_died"))
    line.say(died, boot_id="supervisor")
    assert standing(line) == [("vision", "process_died")]
    line.say(health("vision"), sent_at_ms=10, boot_id="new")
    assert standing(line) == []
    line.say(died, boot_id="supervisor")
    assert standing(line) == [], "what the supervisor said before comes late"


def test_the_last_words_of_a_process_come_late_and_do_not_end_that_it_died(line: Line) -> None:
    line.say(fault("process_died"), sent_at_ms=10, boot_id="supervisor")
    line.say(health("vision"), sent_at_ms=0, boot_id="old")
    assert standing(line) == [("vision", "process_died")]


def mode(mode: Mode) -> ModeState:
    return ModeState(mode, START_NS, "", "hash")


def test_boxes_are_joined_with_intents_by_track(line: Line) -> None:
    line.say(mode(Mode.EXECUTE))
    line.say(Assessment(1, (intent(7), intent(8, class_id=1, station_id=None))))
    line.say(preview(8, 7, 9))
    picture = line.state.picture(START_NS)
    assert picture is not None
    assert picture.age_ms == pytest.approx(30.0)
    assert [(box.track_id, box.class_name, box.station_id) for box in picture.boxes] == [
        (8, "can", None),
        (7, "pet_clear", "pet"),
        (9, None, None),
    ]


@pytest.mark.parametrize("held", [None, *(set(Mode) - {Mode.EXECUTE})])
def test_nothing_is_shown_as_ejected_while_the_line_does_not_sort(line: Line, held: Mode | None) -> None:
    if held is not None:
        line.say(mode(held))
    line.say(Assessment(1, (intent(7),)))
    line.say(preview(7))
    picture = line.state.picture(START_NS)
    assert picture is not None
    assert (picture.boxes[0].station_id, picture.boxes[0].reason) == (None, DecisionReason.NOT_EXECUTING)


def test_what_was_decided_stays_whatever_later_views_say(line: Line) -> None:
    line.say(mode(Mode.EXECUTE))
    line.say(decision(1, 0.0))
    line.say(Assessment(2, (intent(1),)), sent_at_ms=900)
    line.say(Assessment(3, (intent(1),)), sent_at_ms=1800)
    line.say(preview(1), sent_at_ms=1800)
    picture = line.state.picture(at_ms(1800))
    assert picture is not None
    assert (picture.boxes[0].class_name, picture.boxes[0].station_id) == ("can", None)
    assert picture.boxes[0].is_decided


def test_tracks_of_an_earlier_life_of_vision_are_forgotten(line: Line) -> None:
    line.say(health("vision"), boot_id="old")
    line.say(Assessment(1, (intent(7),)))
    line.say(health("vision"), boot_id="new")
    line.say(preview(7))
    picture = line.state.picture(START_NS)
    assert picture is not None
    assert picture.boxes[0].class_name is None


def test_an_intent_outlives_its_frame_and_not_a_second(line: Line) -> None:
    line.say(Assessment(1, (intent(7),)))
    line.say(preview(7))
    line.say(Assessment(2, ()), sent_at_ms=900)
    picture = line.state.picture(at_ms(900))
    assert picture is not None
    assert picture.boxes[0].class_name == "pet_clear"
    line.say(Assessment(3, ()), sent_at_ms=1100)
    picture = line.state.picture(at_ms(1100))
    assert picture is not None
    assert picture.boxes[0].class_name is None


def test_a_silent_sorter_leaves_boxes_without_a_fate(line: Line) -> None:
    line.say(Assessment(1, (intent(7),)))
    line.say(preview(7), sent_at_ms=1200)
    picture = line.state.picture(at_ms(1200))
    assert picture is not None
    assert picture.boxes[0].station_id is None
    assert not line.state.report(at_ms(1200)).is_deciding


def test_without_pictures_the_sorter_is_not_to_blame(line: Line) -> None:
    line.say(Assessment(1, (intent(7),)))
    line.say(preview(7))
    assert line.state.report(at_ms(1400)).is_deciding


def test_a_class_that_the_recipe_does_not_know_is_shown_by_its_number(line: Line) -> None:
    line.say(Assessment(1, (intent(7, class_id=5),)))
    line.say(preview(7))
    picture = line.state.picture(START_NS)
    assert picture is not None
    assert picture.boxes[0].class_name == "class 5"


@pytest.mark.parametrize(
    ("speed_um_s", "belt_at_ms", "vision_at_ms", "condition"),
    [
        (0, 2900, 2500, PictureCondition.STANDING),
        (2_000_000, 2900, 2500, PictureCondition.STALE),
        (0, 0, 2500, PictureCondition.STALE),
        (0, 2900, 0, PictureCondition.STALE),
    ],
)
def test_an_old_picture_is_true_only_while_belt_and_vision_say_that_nothing_moves(
    line: Line, speed_um_s: int, belt_at_ms: float, vision_at_ms: float, condition: PictureCondition
) -> None:
    line.say(preview())
    assert line.state.picture_condition(at_ms(1200)) is PictureCondition.LIVE
    line.say(BeltState(START_NS, 0, speed_um_s), sent_at_ms=belt_at_ms)
    line.say(health("vision"), sent_at_ms=vision_at_ms)
    assert line.state.picture_condition(at_ms(3000)) is condition


def test_decisions_of_the_last_ten_seconds_newest_first(line: Line) -> None:
    for number, decided_at_ms in enumerate((0, 5_000, 9_000)):
        line.say(decision(number, decided_at_ms), decided_at_ms)
    report = line.state.report(at_ms(12_000))
    assert [one.decision_id for one in report.decisions] == [2, 1]
    assert report.decisions[0].class_name == "can"
    assert report.decisions[0].age_s == pytest.approx(3.0)
    assert report.decided_per_min == 12


@pytest.mark.parametrize("reason", [DecisionReason.NOTHING, DecisionReason.TOO_FEW_VIEWS])
def test_a_stray_detection_is_no_decision_to_show(line: Line, reason: DecisionReason) -> None:
    line.say(msgspec.structs.replace(decision(1, 0.0), reason=reason))
    report = line.state.report(at_ms(1))
    assert report.decisions == ()
    assert report.decided_per_min == 0


@pytest.mark.parametrize(("rate_hz", "limit_ms"), [(10.0, 1200.0), (60.0, 1200.0), (1.0, 2500.0)])
def test_pictures_that_come_rarely_are_old_later(rate_hz: float, limit_ms: float) -> None:
    assert picture_stale_after_ms(rate_hz) == limit_ms


def test_the_newest_stage_times_of_each_process_are_kept(line: Line) -> None:
    times = StageTimes()
    line.say(StageReport("vision", {}))
    line.say(StageReport("sorter", {}))
    times.note("detect", 5 * NS_PER_MS)
    line.say(StageReport("vision", times.distributions()), 500)
    assert line.state.stages() == (StageReport("sorter", {}), StageReport("vision", times.distributions()))
