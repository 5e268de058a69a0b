"""What a touch on an item gets: the decision with its shot and its pictures, for a while, in bounded memory."""

from sorter.model.ejection import AckStatus, Decision, DecisionReason
from sorter.model.explanation import Explanation, ShotReport
from sorter.model.tracks import Preview, PreviewBox
from sorter.model.units import NS_PER_S
from ui.explanations import Explanations
from ui.tempo import Tempo


def explanation(decision_id: int, track_id: int, at_ns: int = 0) -> Explanation:
    reason = DecisionReason.EJECT
    decision = Decision(decision_id, track_id, "pet", 0, 0.9, reason, 3, 0, 0, at_ns, 1, at_ns)
    return Explanation(decision, 1, 1, (0.9,), (), (), None)


def preview(frame_id: int, *track_ids: int, at_ns: int = 0) -> Preview:
    boxes = tuple(PreviewBox(track_id, 0, 0, 10, 10) for track_id in track_ids)
    return Preview(frame_id, at_ns, 0, 640, 640, 1.7, f"jpeg {frame_id}".encode(), boxes)


def shot(decision_id: int) -> ShotReport:
    return ShotReport((decision_id,), "pet", 1, 2, 0, AckStatus.FIRED, None, 1, 2, 3)


def test_a_decision_is_told_with_its_shot_and_the_pictures_of_its_item() -> None:
    known = Explanations()
    for message in (preview(1, 7), preview(2, 7, 8), preview(3, 8), explanation(5, 7), shot(5)):
        known.take(message)
    told = known.of_track(7)
    assert told == known.of_decision(5)
    assert told.shot == shot(5)
    assert [view.frame_id for view in told.views] == [1, 2]
    assert known.jpeg(2) == b"jpeg 2"
    assert known.of_track(8) is None
    assert known.of_decision(4711) is None


def test_pictures_that_somebody_looks_at_outlive_the_others() -> None:
    known = Explanations()
    for message in (preview(1, 7), explanation(5, 7)):
        known.take(message)
    known.of_decision(5)
    for frame_id in range(2, 400):
        known.take(preview(frame_id))
    assert known.jpeg(1) == b"jpeg 1"
    assert known.jpeg(2) is None


def test_a_track_number_of_an_earlier_life_is_not_taken_for_the_item() -> None:
    known = Explanations()
    for message in (preview(1, 7, at_ns=0), preview(2, 7, at_ns=90 * NS_PER_S), explanation(5, 7, 90 * NS_PER_S)):
        known.take(message)
    assert [view.frame_id for view in known.of_decision(5).views] == [2]


def test_memory_is_bounded() -> None:
    known = Explanations()
    for number in range(2000):
        known.take(explanation(number, number))
        known.take(shot(number))
    assert known.of_decision(0) is None
    assert known.of_track(0) is None
    assert known.of_decision(1999) is not None


def test_tempo_counts_by_class_and_by_minute() -> None:
    tempo = Tempo(("can", "pet"))
    for second in range(150):
        tempo.note(second % 2, second * NS_PER_S)
    now_ns = 150 * NS_PER_S
    assert tempo.per_min(now_ns) == 60
    assert tempo.recent_counts(now_ns) == {"can": 30, "pet": 30}
    assert tempo.trend(now_ns).counts[-2:] == (60, 60)
    assert tempo.recent_counts(now_ns + 61 * NS_PER_S) == {}
