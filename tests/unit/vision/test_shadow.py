"""A challenger in shadow: counted where it agrees, never waited for, and quiet when it cannot be opened."""

from concurrent.futures import Executor, Future
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sorter.errors import BundleError
from sorter.model.settings import DetectorSettings, Settings
from sorter.model.shadow import ShadowReport
from sorter.model.tracks import Track, TrackBatch
from sorter.model.units import NS_PER_S
from vision.frame import Detections, Frame
from vision.pipeline import View
from vision.shadow import Shadow, agreement

SETTINGS = Settings(detector=DetectorSettings(runtime="oracle", shadow="challenger"))
BOXES = np.array([[0, 0, 10, 10], [20, 0, 30, 10], [40, 0, 50, 10]], np.float64)


class Later(Executor):
    """Does what it is asked when it is told to."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Future[Any], Any, tuple[Any, ...]]] = []

    def submit(self, work: Any, /, *arguments: Any, **_named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.waiting.append((future, work, arguments))
        return future

    def work(self) -> None:
        for future, work, arguments in self.waiting:
            answer(future, work, arguments)
        self.waiting.clear()


def answer(future: Future[Any], work: Any, arguments: tuple[Any, ...]) -> None:
    try:
        future.set_result(work(*arguments))
    except BundleError as error:
        future.set_exception(error)


class Challenger:
    model_id, second_look = "challenger-1", None

    def detect(self, _frame: Frame) -> Detections:
        probs = np.array([[0.9, 0.0], [0.0, 0.8]], np.float32)
        return Detections(BOXES[:2].astype(np.float32), probs)


def view() -> View:
    tracks = tuple(
        Track(n, 0, 0, 1, 1, probs, 1, False) for n, probs in enumerate(((0.9, 0.1), (0.7, 0.2), (0.6, 0.1)))
    )
    return View(Frame(1, 2, 3, np.zeros((64, 64, 3), np.uint8)), TrackBatch(1, 2, 3, "champion", tracks))


def see(shadow: Shadow, now_ns: int) -> None:
    shadow.see(view(), lambda _tracks, _travel: BOXES, now_ns)


def test_it_counts_where_the_two_agree_and_leaves_out_what_comes_while_it_looks() -> None:
    later = Later()
    shadow = Shadow(SETTINGS, lambda _settings: Challenger(), later)
    see(shadow, 0)
    assert shadow.report() == ShadowReport("", 0, 0, 0, 0, 0)
    later.work()
    for second in (0, 1, 3, 9):
        see(shadow, second * NS_PER_S)
    assert len(later.waiting) == 1
    later.work()
    see(shadow, 10 * NS_PER_S)
    assert shadow.report() == ShadowReport("challenger-1", 1, 1, 1, 1, 0)


def test_a_challenger_with_a_second_look_is_compared_by_what_both_its_networks_say() -> None:
    class Renaming(Challenger):
        second_look = SimpleNamespace(
            renamed=lambda _picture, found: Detections(found.boxes_px, np.array([[0.9, 0.0]] * 2, np.float32))
        )

    later = Later()
    shadow = Shadow(SETTINGS, lambda _settings: Renaming(), later)
    later.work()
    see(shadow, 0)
    later.work()
    see(shadow, 10 * NS_PER_S)
    assert shadow.report() == ShadowReport("challenger-1", 1, 2, 0, 1, 0)


def test_one_that_cannot_be_opened_is_said_and_nothing_else_happens() -> None:
    def refuse(_settings: Settings) -> Any:
        raise BundleError("bundle challenger: it is not signed")

    later = Later()
    shadow = Shadow(SETTINGS, refuse, later)
    later.work()
    see(shadow, 0)
    assert "not signed" in shadow.report().fault
    assert later.waiting == []


def test_it_is_opened_in_the_place_of_the_model_on_one_thread() -> None:
    asked: list[Settings] = []
    later = Later()
    Shadow(SETTINGS, lambda settings: asked.append(settings) or SimpleNamespace(model_id="x"), later)
    later.work()
    detector = asked[0].detector
    assert (detector.model, detector.runtime, detector.threads) == (
        "challenger",
        "openvino",
        1,
    )


def test_without_a_challenger_nothing_is_opened() -> None:
    assert not Shadow(Settings()).is_wanted


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [([], [], (0, 0, 0, 0)), ([0], [], (0, 0, 1, 0)), ([], [0], (0, 0, 0, 1)), ([0, 1], [1, 0], (2, 0, 0, 0))],
)
def test_pairs_are_one_to_one(ours: list[int], theirs: list[int], expected: tuple[int, ...]) -> None:
    def seen(numbers: list[int]) -> tuple[Any, Any]:
        return BOXES[numbers].reshape(-1, 4), np.array(numbers, np.int64)

    assert agreement(seen(ours), seen(theirs)) == expected
