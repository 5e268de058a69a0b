"""Swapping models on a running line: the old one sees until the new one is ready, and stays if that never happens."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.errors import BundleError
from sorter.model.settings import DetectorSettings, Settings
from sorter.model.units import NS_PER_S
from sorter.runtime.model_shelf import Champion, ModelShelf
from vision.detectors import Detector
from vision.detectors.detector import PatientSeat
from vision.frame import Detections, Frame
from vision.model_swap import ModelSwap

PICTURE = np.full((8, 8, 3), 7, np.uint8)


class ToldExecutor(Executor):
    """Runs what was submitted when the test says so."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Future[Any], Callable[[], Any]]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.waiting.append((future, lambda: fn(*args, **kwargs)))
        return future

    def run_next(self) -> None:
        future, work = self.waiting.pop(0)
        try:
            future.set_result(work())
        except (BundleError, RuntimeError) as error:
            future.set_exception(error)


class SeenDetector:
    """A detector that remembers which pictures it was shown."""

    runtime, precision, class_names, copied_count = "test", "exact", ("can",), 0
    choice_reason, second_look = "a test", None

    def __init__(self, model_id: str) -> None:
        self.model_id = self.bundle_id = model_id
        self.pictures: list[np.ndarray] = []

    def detect(self, frame: Frame) -> Detections:
        self.pictures.append(frame.image)
        return Detections(np.zeros((0, 4), np.float32), np.zeros((0, 1), np.float32))

    def open_seat(self) -> PatientSeat:
        return PatientSeat(self.detect)


class Line:
    """A shelf with a champion in use, and a swap that is stepped by hand."""

    def __init__(self, tmp_path: Path) -> None:
        self.shelf = ModelShelf(tmp_path / "shelf")
        self.promote("a")
        self.broken: dict[str, Exception] = {}
        self.executor = ToldExecutor()
        settings = Settings(detector=DetectorSettings(model=str(self.shelf.folder)))
        self.swap = ModelSwap(settings, "a", self._open, self.executor)
        self.now_ns = 0
        self.in_use = "a"

    def promote(self, model_id: str) -> None:
        with self.shelf.changing():
            self.shelf.bundle_folder(model_id).mkdir(exist_ok=True)
            self.shelf.point_to(Champion(model_id, (), "site", "now"))

    def step(self, seconds: float = 1.0, picture: np.ndarray | None = PICTURE) -> Detector | None:
        self.now_ns += int(seconds * NS_PER_S)
        detector = self.swap.step(self.now_ns, picture)
        self.in_use = self.in_use if detector is None else detector.model_id
        return detector

    def _open(self, settings: Settings) -> Detector:
        champion = ModelShelf(Path(settings.detector.model)).champion()
        assert champion is not None
        if champion.model_id in self.broken:
            raise self.broken[champion.model_id]
        return SeenDetector(champion.model_id)


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(tmp_path)


def test_nothing_happens_while_the_champion_is_in_use(line: Line) -> None:
    assert [line.step() for _ in range(5)] == [None] * 5
    assert line.executor.waiting == []
    assert line.swap.fault is None


def test_the_old_model_sees_until_the_new_one_is_ready(line: Line) -> None:
    line.step()
    line.promote("b")
    assert line.step() is None
    assert line.swap.is_opening
    assert [line.step(0.01) for _ in range(50)] == [None] * 50
    line.executor.run_next()
    detector = line.step(0.01)
    assert detector is not None
    assert detector.model_id == "b"
    assert not line.swap.is_opening
    assert line.step() is None, "it is handed out once"


def test_the_new_model_has_already_run_on_a_copy_of_the_last_picture(line: Line) -> None:
    picture = PICTURE.copy()
    line.promote("b")
    line.step(picture=picture)
    picture[:] = 0
    line.executor.run_next()
    detector = line.step()
    assert isinstance(detector, SeenDetector)
    assert [(one == PICTURE).all() for one in detector.pictures] == [True]


def test_a_second_look_has_run_for_every_number_of_items_before_it_is_in_use(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(SeenDetector, "second_look", SimpleNamespace(warm_up=asked.append))
    line.promote("b")
    line.step(picture=PICTURE)
    line.executor.run_next()
    assert line.step() is not None
    assert asked == [Settings().detector.looks_per_view]


def test_a_champion_whose_lighter_model_is_in_use_is_not_opened_again(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    line.promote("b")
    line.step()
    opened = line._open

    def lighter(settings: Settings) -> SeenDetector:
        detector = opened(settings)
        detector.model_id = f"{detector.bundle_id}-light"
        return detector

    monkeypatch.setattr(line.swap, "_open_model", lighter)
    line.executor.run_next()
    detector = line.step()
    assert detector is not None
    assert detector.model_id == "b-light"
    assert [line.step() for _ in range(5)] == [None] * 5
    assert line.executor.waiting == []


def test_without_a_picture_yet_it_is_opened_all_the_same(line: Line) -> None:
    line.promote("b")
    line.step(picture=None)
    line.executor.run_next()
    assert line.step() is not None


def test_the_pointer_is_looked_at_once_a_second_and_no_more(line: Line) -> None:
    line.step()
    line.promote("b")
    assert [line.step(0.09) for _ in range(11)] == [None] * 11
    assert not line.swap.is_opening
    line.step(0.02)
    assert line.swap.is_opening


@pytest.mark.parametrize(
    ("error", "reason"),
    [(BundleError("bundle b: it is not signed"), "not signed"), (RuntimeError("no memory"), "RuntimeError: no memory")],
)
def test_if_opening_fails_the_old_one_stays_and_the_fault_says_why(line: Line, error: Exception, reason: str) -> None:
    line.broken["b"] = error
    line.promote("b")
    line.step()
    line.executor.run_next()
    assert line.step() is None
    assert line.swap.fault is not None
    assert "a stays in use" in line.swap.fault
    assert reason in line.swap.fault
    assert [line.step() for _ in range(3)] == [None] * 3
    assert line.executor.waiting == [], "what failed is not tried again by itself"


def test_a_rollback_ends_the_fault(line: Line) -> None:
    line.broken["b"] = BundleError("bad")
    line.promote("b")
    line.step()
    line.executor.run_next()
    line.step()
    line.promote("a")
    line.step()
    assert line.swap.fault is None
    assert not line.swap.is_opening


def test_a_pointer_that_cannot_be_read_is_a_fault_until_it_can(line: Line) -> None:
    line.step()
    line.shelf.pointer_path.unlink()
    line.shelf.pointer_path.write_text("{")
    assert line.step() is None
    assert "cannot be read" in str(line.swap.fault)
    line.shelf.pointer_path.unlink()
    assert line.step() is None
    assert "champion is gone" in str(line.swap.fault)
    line.promote("b")
    line.step()
    assert line.swap.fault is None
    assert line.swap.is_opening


@given(
    steps=st.lists(st.one_of(st.sampled_from("abc"), st.sampled_from(["run", "look", "look"])), min_size=1, max_size=30)
)
def test_whatever_happens_in_between_the_last_champion_ends_up_in_use(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    line, last = Line(tmp_path_factory.mktemp("line")), "a"
    for step in [*steps, "look", "run", "look", "look", "run", "look", "look", "run", "look"]:
        if step == "look":
            line.step()
        elif step == "run":
            if line.executor.waiting:
                line.executor.run_next()
        else:
            last = step
            line.promote(step)
    assert line.in_use == last


@pytest.mark.parametrize("detector", [{}, {"runtime": "oracle"}])
def test_a_line_without_a_shelf_watches_nothing(tmp_path: Path, detector: dict[str, Any]) -> None:
    folder = str(tmp_path / "shelf") if detector else ""
    Line(tmp_path)
    executor = ToldExecutor()
    swap = ModelSwap(Settings(detector=DetectorSettings(model=folder, **detector)), "x", executor=executor)
    assert swap.step(NS_PER_S, PICTURE) is None
    assert executor.waiting == []
