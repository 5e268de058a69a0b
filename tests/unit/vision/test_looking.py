"""Two frames before one network: order kept, the network never waits, a newer frame takes the place of an older one."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.runtime.clock import ManualClock
from vision.frame import Detections, Frame
from vision.looking import Looking

NOTHING = Detections(np.zeros((0, 4), np.float32), np.zeros((0, 1), np.float32))


class SlowSeat:
    def __init__(self, network: "SlowNetwork") -> None:
        self._network = network
        self.frame = Frame(-1, 0, 0, np.zeros((1, 1, 3), np.uint8))

    def lay(self, frame: Frame) -> None:
        self.frame = frame

    def start(self, tell: Callable[[], None]) -> None:
        self._network.started.append(self.frame.frame_id)
        self._network.tell = self._network.tells[self.frame.frame_id] = tell

    def answer(self) -> Detections:
        self._network.read.append(self.frame.frame_id)
        return NOTHING


class SlowNetwork:
    """Answers when told to."""

    runtime, precision, class_names, copied_count = "test", "exact", ("can",), 0
    choice_reason, second_look = "a test", None

    def __init__(self, model_id: str = "one") -> None:
        self.model_id = self.bundle_id = model_id
        self.started: list[int] = []
        self.read: list[int] = []
        self.tell: Callable[[], None] = lambda: None
        self.tells: dict[int, Callable[[], None]] = {}

    def detect(self, _frame: Frame) -> Detections:
        return NOTHING

    def open_seat(self) -> SlowSeat:
        return SlowSeat(self)


class Desk:
    def __init__(self, stream_count: int = 1) -> None:
        self.network = SlowNetwork()
        self.clock = ManualClock()
        self.told_count = 0
        self.begun: list[int] = []
        self.looking = Looking(self.network, self.clock, self._count, self._note, stream_count)

    def _note(self, frame: Frame) -> None:
        self.begun.append(frame.frame_id)

    def answered(self) -> int | None:
        looked = self.looking.answer()
        return None if looked is None else looked.frame.frame_id

    def _count(self) -> None:
        self.told_count += 1

    def lay(self, *frame_ids: int) -> None:
        for frame_id in frame_ids:
            self.looking.lay(Frame(frame_id, 0, 0, np.zeros((1, 1, 3), np.uint8)))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_the_first_frame_is_started_at_once_and_the_second_as_soon_as_the_first_is_answered(desk: Desk) -> None:
    desk.lay(1)
    assert (desk.network.started, desk.looking.is_full) == ([1], False)
    desk.lay(2)
    assert (desk.network.started, desk.looking.is_full) == ([1], True)
    assert desk.looking.answer() is None
    desk.network.tell()
    assert desk.told_count == 1
    looked = desk.looking.answer()
    assert looked is not None
    assert looked.frame.frame_id == 1
    assert desk.network.started == [1, 2]
    assert not desk.looking.is_full


def test_the_next_frame_is_started_before_the_answer_to_the_last_is_read(desk: Desk) -> None:
    desk.lay(1, 2)
    desk.network.tell()
    started_when_read: list[list[int]] = []
    desk.network.read = _Noting(started_when_read, desk.network.started)
    desk.looking.answer()
    assert started_when_read == [[1, 2]]


class _Noting(list[int]):
    def __init__(self, notes: list[list[int]], watched: list[int]) -> None:
        super().__init__()
        self._notes, self._watched = notes, watched

    def append(self, frame_id: int) -> None:
        super().append(frame_id)
        self._notes.append(list(self._watched))


def test_a_newer_frame_takes_the_place_of_the_one_that_lies_ready(desk: Desk) -> None:
    desk.lay(1, 2, 3, 4)
    assert desk.looking.replaced_count == 2
    assert len(desk.looking.pictures) == 2
    desk.network.tell()
    desk.looking.answer()
    assert desk.network.started == [1, 4]
    assert desk.begun == [1, 4]


def test_what_is_under_way_is_answered_by_the_model_that_began_it(desk: Desk) -> None:
    desk.lay(1, 2)
    other = SlowNetwork("other")
    desk.looking.use_detector(other)
    seen: list[str] = []
    for network, frame_id in ((desk.network, 3), (desk.network, 4), (other, 5), (other, 6)):
        network.tell()
        looked = desk.looking.answer()
        assert looked is not None
        seen.append(looked.detector.model_id)
        desk.lay(frame_id)
    assert seen == ["one", "one", "other", "other"]
    assert other.started == [3, 4, 5]


def test_the_time_that_the_network_took_is_told(desk: Desk) -> None:
    desk.lay(1)
    assert desk.looking.running_since_ns == 0
    desk.clock.wait_until_ns(7_000)
    desk.network.tell()
    desk.clock.wait_until_ns(9_000)
    looked = desk.looking.answer()
    assert looked is not None
    assert looked.duration_ns == 7_000
    assert desk.looking.running_since_ns is None


def test_at_the_end_the_network_is_not_left_alone_with_a_frame(desk: Desk) -> None:
    desk.lay(1, 2)
    desk.looking.close()
    assert desk.network.read == [1]
    desk.network.tell()
    assert desk.looking.answer() is None
    assert desk.network.started == [1]


def test_as_many_frames_are_looked_at_at_a_time_as_there_are_streams() -> None:
    desk = Desk(stream_count=2)
    desk.lay(1)
    assert desk.looking.running_since_ns is None
    desk.lay(2, 3)
    assert (desk.network.started, desk.looking.is_full) == ([1, 2], True)
    assert desk.looking.running_since_ns == 0


def test_a_stream_that_is_free_does_not_wait_for_an_older_frame_but_answers_come_in_order() -> None:
    desk = Desk(stream_count=2)
    desk.lay(1, 2, 3)
    desk.network.tells[2]()
    assert desk.answered() is None
    assert desk.network.started == [1, 2, 3]
    desk.network.tells[1]()
    assert desk.told_count == 2
    assert desk.answered() == 1
    assert desk.told_count == 3, "frame 2 was told of before its turn had come"
    assert desk.answered() == 2
    assert desk.answered() is None


def test_a_frame_that_hangs_lets_only_so_many_pass() -> None:
    desk = Desk(stream_count=2)
    desk.lay(1, 2, 3)
    for frame_id in (2, 3):
        desk.network.tells[frame_id]()
        assert desk.answered() is None
        desk.lay(frame_id + 2)
    assert desk.network.started == [1, 2, 3]
    assert desk.looking.running_since_ns == 0, "the next frame is to be taken only when there is room for it"


@given(st.integers(1, 4), st.data())
def test_whatever_the_order_of_answers_every_frame_comes_out_in_the_order_it_was_begun(
    stream_count: int, data: st.DataObject
) -> None:
    desk, frame_ids, out = Desk(stream_count), iter(range(30)), []
    while len(out) < 20:
        if not desk.looking.is_full:
            desk.lay(next(frame_ids))
        under_way = sorted(desk.network.tells)
        desk.network.tells.pop(data.draw(st.sampled_from(under_way)))() if under_way else None
        while (frame_id := desk.answered()) is not None:
            out.append(frame_id)
    assert out == desk.begun[: len(out)] == list(range(len(out)))
