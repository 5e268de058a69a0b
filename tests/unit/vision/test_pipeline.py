"""The pipeline that keeps the network busy: the same views as one frame after the other, and frames taken in time."""

from collections.abc import Callable
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest

from sorter.model.settings import Settings, camera_settings
from sorter.model.world import ScatteredWorld
from sorter.runtime.bundle import Network, SecondLook
from sorter.runtime.clock import ManualClock
from sorter.runtime.configuration import settings_from
from vision.detectors import open_detector
from vision.detectors.detector import PatientSeat
from vision.frame import Detections, Frame
from vision.pipeline import Pipeline, View
from vision.second_look.namer import ItemNamer
from vision.sources import open_source
from vision.tracking import BeltTracker

NOTHING = Detections(np.zeros((0, 4), np.float32), np.zeros((0, 1), np.float32))
MS = 1_000_000


def small_line(**tables: Any) -> Settings:
    camera = {"width_px": 96, "height_px": 96, "frame_rate_hz": 50.0}
    return settings_from({"camera": camera, "detector": {"runtime": "oracle"}, **tables})


def crowded_line(**detector: Any) -> Settings:
    return small_line(simulation={"occupancy_ratio": 0.3}, detector={"runtime": "oracle", **detector})


class LaterSeat(PatientSeat):
    """Answers when it is told to."""

    def __init__(self, network: "LaterNetwork") -> None:
        super().__init__(lambda _frame: NOTHING)
        self._network = network

    def start(self, tell: Callable[[], None]) -> None:
        self._network.answer = lambda: PatientSeat.start(self, tell)


class LaterNetwork:
    model_id, runtime, precision, class_names, copied_count = "later", "test", "exact", ("can",), 0
    choice_reason, bundle_id, second_look = "a test", "later", None

    def __init__(self) -> None:
        self.answer: Callable[[], None] = lambda: None

    def detect(self, _frame: Frame) -> Detections:
        return NOTHING

    def open_seat(self) -> LaterSeat:
        return LaterSeat(self)


class Line:
    def __init__(self, settings: Settings, detector: Any = None, beside: BeltTracker | None = None) -> None:
        self.clock = ManualClock()
        self.source = open_source(settings, self.clock, epoch_ns=0)
        detector = detector or open_detector(settings)
        self.pipeline = Pipeline(settings, self.source, detector, self.clock, beside=beside)

    def frame(self) -> Frame:
        ticket = None
        while ticket is None:
            ticket = self.source.grab()
        return self.pipeline.retrieve(ticket, 2 * self.clock.now_ns() // 1000)

    def frames(self, count: int) -> list[Frame]:
        return [self.frame() for _ in range(count)]


def test_overlapped_views_are_those_of_one_frame_after_the_other() -> None:
    settings = small_line(simulation={"occupancy_ratio": 0.3})
    patient, busy = Line(settings), Line(settings)
    busy.pipeline.overlap(lambda: None)
    expected = [view.batch for _ in range(60) if (view := patient.pipeline.take_picture(patient.frame()))]
    seen: list[View] = []
    for _ in range(60):
        frame = busy.frame()
        if busy.pipeline.is_due(frame.travel_um):
            busy.pipeline.begin(frame)
        view = busy.pipeline.finish()
        seen += [] if view is None else [view]
    assert [view.batch for view in seen] == expected
    assert any(view.batch.tracks for view in seen)


@pytest.fixture
def network() -> LaterNetwork:
    return LaterNetwork()


def test_pictures_that_are_looked_at_are_not_overwritten(network: LaterNetwork) -> None:
    line = Line(small_line(), network)
    line.pipeline.overlap(lambda: None)
    running, ready = line.frames(2)
    for frame in (running, ready):
        line.pipeline.begin(frame)
    kept = [frame.image.copy() for frame in (running, ready)]
    line.frames(20)
    assert np.array_equal(running.image, kept[0])
    assert np.array_equal(ready.image, kept[1])


def test_a_live_frame_is_taken_just_before_the_network_is_expected_to_be_free(network: LaterNetwork) -> None:
    line = Line(small_line(), network)
    line.pipeline.overlap(lambda: None)
    assert line.pipeline.pause_before_frame_ms() == 0.0
    line.pipeline.begin(line.frame())
    line.clock.wait_until_ns(line.clock.now_ns() + 100 * MS)
    network.answer()
    assert line.pipeline.finish() is not None
    line.pipeline.begin(line.frame())
    assert line.pipeline.pause_before_frame_ms() == pytest.approx(80.0)  # less one period of the camera
    line.clock.wait_until_ns(line.clock.now_ns() + 90 * MS)
    assert line.pipeline.pause_before_frame_ms() == 0.0


def test_every_frame_of_a_file_gets_its_turn(network: LaterNetwork, tmp_path: Any) -> None:
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((96, 96, 3), number, np.uint8))
    line = Line(small_line(source={"kind": "folder", "location": str(tmp_path)}), network)
    line.pipeline.overlap(lambda: None)
    line.pipeline.begin(line.frame())
    assert line.pipeline.pause_before_frame_ms() == 0.0
    line.pipeline.begin(line.frame())
    assert line.pipeline.pause_before_frame_ms() is None
    network.answer()
    assert line.pipeline.finish() is not None
    assert line.pipeline.pause_before_frame_ms() == 0.0


def test_health_shows_how_often_a_picture_is_copied(tmp_path: Any) -> None:
    cv2.imwrite(str(tmp_path / "one.png"), np.zeros((50, 96, 3), np.uint8))
    folder = small_line(source={"kind": "folder", "location": str(tmp_path)})
    drawn, read = Line(small_line(), LaterNetwork()), Line(folder, LaterNetwork())
    for line in (drawn, read):
        line.pipeline.take_picture(line.frame())
    assert drawn.pipeline.figures()["copies_per_view"] == 0.0
    assert read.pipeline.figures()["copies_per_view"] == 1.0


class NamedByOracle:
    """The oracle with a second look, which says of everything that it is of the last class, as surely as it is told."""

    def __init__(self, settings: Settings, certainty: float = 1.0) -> None:
        self._oracle = open_detector(settings)
        self._class_count = len(settings.recipe.classes)
        self._certainty = certainty
        self.counts: list[int] = []
        self.squares: list[np.ndarray] = []
        self.model_id, self.class_names = f"named-{certainty}", settings.recipe.classes
        self.bundle_id = self.model_id
        network = Network("a.onnx", "0" * 64, 96, 96, "raw")
        look = SecondLook("b.onnx", "0" * 64, 8, 1.0, 0.0)
        self.second_look = ItemNamer(network, look, self._class_count, self._run)

    runtime, precision, choice_reason, copied_count = "test", "exact", "a test", 0

    def detect(self, frame: Frame) -> Detections:
        return self._oracle.detect(frame)

    def open_seat(self) -> PatientSeat:
        return PatientSeat(self.detect)

    def _run(self, squares: np.ndarray) -> np.ndarray:
        self.counts.append(len(squares))
        self.squares.append(squares.copy())
        names = np.zeros((len(squares), self._class_count), np.float32)
        names[:, -1] = self._certainty
        return names


def overlapped_views(line: Line, count: int, swap: tuple[int, Any] | None = None) -> list[View]:
    line.pipeline.overlap(lambda: None)
    seen: list[View] = []
    for number in range(count):
        if swap is not None and number == swap[0]:
            line.pipeline.use_detector(swap[1])
        frame = line.frame()
        if line.pipeline.is_due(frame.travel_um):
            line.pipeline.begin(frame)
        view = line.pipeline.finish()
        seen += [] if view is None else [view]
    return seen


def test_second_looks_are_counted_by_item_and_bounded_by_view() -> None:
    settings = crowded_line(looks_per_item=2, looks_per_view=3)
    network = NamedByOracle(settings)
    line = Line(settings, network)
    views = [view for _ in range(80) if (view := line.pipeline.take_picture(line.frame()))]
    whole_views: dict[int, int] = {}
    cut_view_count = 0
    for view in views:
        for track in view.batch.tracks:
            whole_views[track.track_id] = whole_views.get(track.track_id, 0) + (not track.truncated)
            cut_view_count += track.truncated
    assert max(whole_views.values()) > 2
    assert max(network.counts) == 3
    assert sum(network.counts) <= sum(min(2, count) for count in whole_views.values()) + cut_view_count
    assert sum(network.counts) < sum(len(view.batch.tracks) for view in views)
    assert line.pipeline.figures()["second_look_count"] == sum(network.counts)
    assert "second_look" in line.pipeline.stages.distributions()


def test_items_have_the_name_of_the_second_look_from_it_on() -> None:
    settings = crowded_line(looks_per_view=100)
    line, plain = Line(settings, NamedByOracle(settings, certainty=0.5)), Line(settings)
    for _ in range(60):
        named, own = line.pipeline.take_picture(line.frame()), plain.pipeline.take_picture(plain.frame())
        assert (named is None) == (own is None)
        if named is None or own is None:
            continue
        for track, before in zip(named.batch.tracks, own.batch.tracks, strict=True):
            assert track.class_probs[-1] == pytest.approx(0.5 * max(before.class_probs))
            assert not any(track.class_probs[:-1])
            assert msgspec.structs.replace(track, class_probs=()) == msgspec.structs.replace(before, class_probs=())


def test_overlapped_views_have_the_same_names_from_the_same_squares() -> None:
    settings = crowded_line()
    patient_network, busy_network = NamedByOracle(settings), NamedByOracle(settings)
    patient, busy = Line(settings, patient_network), Line(settings, busy_network)
    expected = [view.batch for _ in range(60) if (view := patient.pipeline.take_picture(patient.frame()))]
    assert [view.batch for view in overlapped_views(busy, 60)] == expected
    for ours, theirs in zip(busy_network.squares, patient_network.squares, strict=True):
        assert np.array_equal(ours, theirs)


def test_a_new_model_forgets_what_the_old_one_thought_of_the_items() -> None:
    settings = crowded_line(looks_per_view=100)
    old, new = NamedByOracle(settings, certainty=1.0), NamedByOracle(settings, certainty=0.5)
    views = overlapped_views(Line(settings, old), 60, swap=(30, new))
    for view in views:
        certainty = {"named-1.0": 1.0, "named-0.5": 0.5}[view.batch.model_id]
        for track in view.batch.tracks:
            assert track.class_probs[-1] == pytest.approx(0.97 * certainty)
    assert old.counts
    assert new.counts


def test_a_model_without_a_second_look_notes_no_duration_of_one() -> None:
    line = Line(crowded_line())
    for _ in range(20):
        line.pipeline.take_picture(line.frame())
    assert "second_look" not in line.pipeline.stages.distributions()
    assert "second_look_count" not in line.pipeline.figures()


def two_cameras(overlap_mm: float) -> Settings:
    """Two cameras side by side over a belt of 1400 mm."""
    view_width_mm = 700.0 + overlap_mm / 2
    tables: dict[str, Any] = {
        "camera": {"width_px": 400, "height_px": 400, "frame_rate_hz": 50.0, "view_width_mm": view_width_mm},
        "cameras": [{"id": "left"}, {"id": "right", "left_edge_mm": 1400.0 - view_width_mm}],
        "detector": {"runtime": "oracle"},
    }
    return settings_from(tables)


def test_several_cameras_over_one_belt_count_each_item_once() -> None:
    settings = two_cameras(overlap_mm=400.0)
    lines: list[Line] = []
    for _, one in camera_settings(settings):
        lines.append(Line(one, beside=lines[0].pipeline.tracker if lines else None))
    seen: dict[int, int] = {}
    for _ in range(400):
        for line in lines:
            view = line.pipeline.take_picture(line.frame())
            for track in view.batch.tracks if view is not None else ():
                if not track.truncated:
                    seen[track.track_id] = track.belt_um
    inside = [belt_um for belt_um in seen.values() if 1_000_000 < belt_um < 10_000_000]
    items = ScatteredWorld(settings).items_between(1_000_000, 10_000_000)
    assert len(items) > 30
    assert len(inside) == len(items)
    assert np.allclose(sorted(inside), sorted(item.belt_um for item in items), atol=5_000)


def test_each_camera_sees_its_own_part_of_the_belt() -> None:
    lines = [Line(one, LaterNetwork()) for _, one in camera_settings(two_cameras(overlap_mm=0.0))]
    whole = Line(settings_from({"camera": {"width_px": 800, "height_px": 400, "frame_rate_hz": 50.0}}), LaterNetwork())
    for line in (*lines, whole):
        line.frames(20)
    left, right = (line.frame().image.astype(int) for line in lines)
    side_by_side = np.concatenate([left, right], axis=1)
    assert np.abs(side_by_side - whole.frame().image).mean() < 4  # each picture has noise of its own
    assert np.abs(left - right).mean() > 5


def test_cameras_that_share_a_network_count_their_own_copies() -> None:
    class Copying(LaterNetwork):
        copied_count = 0

        def detect(self, frame: Frame) -> Detections:
            self.copied_count += 1
            return super().detect(frame)

    shared = Copying()
    busy, idle = Line(small_line(), shared), Line(small_line(), shared)
    for _ in range(3):
        busy.pipeline.process(busy.frame())
    assert (busy.pipeline.copied_count, idle.pipeline.copied_count) == (3, 0)
