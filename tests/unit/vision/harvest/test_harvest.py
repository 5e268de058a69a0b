"""The harvest beside a real pipeline: what is kept, that the line goes on, and that nothing is kept unless asked."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from sorter.model.condition import Fault
from sorter.model.settings import CameraSettings, DetectorSettings, HarvestSettings, OracleSettings, Settings
from sorter.model.tracks import Preview, PreviewBox
from sorter.policy.evidence import no_calibration
from sorter.runtime.clock import ManualClock
from vision.detectors import open_detector
from vision.harvest.choice import Reason
from vision.harvest.harvest import Harvest
from vision.harvest.picture_queue import PictureQueue
from vision.harvest.picture_store import ChosenPicture, PictureStore
from vision.harvest.sidecar import KeptPicture, read_sidecar
from vision.pipeline import Pipeline, View
from vision.sources import open_source

EPOCH = datetime(2026, 3, 4, 6, 0, tzinfo=timezone.utc)
NS_PER_US = 1000


class WriteAtOnce(PictureQueue):
    """No thread: virtual time outruns any disk, and what is dropped then says nothing."""

    def __init__(self, store: PictureStore) -> None:
        self.store = store

    @property
    def dropped_count(self) -> int:
        return 0

    def put(self, chosen: ChosenPicture) -> bool:
        return self.store.write(chosen)

    def reopen(self) -> None:
        self.store.open()

    def close(self) -> None:
        pass


class WriteLate(WriteAtOnce):
    """A disk so slow that the ring has come round to every picture before it is written."""

    def __init__(self, store: PictureStore) -> None:
        super().__init__(store)
        self.waiting: list[ChosenPicture] = []

    def put(self, chosen: ChosenPicture) -> bool:
        self.waiting.append(chosen)
        return True

    def close(self) -> None:
        for chosen in self.waiting:
            self.store.write(chosen)


class SimulatedLine:
    """A source, an oracle that confuses classes, and the harvest, on a clock that only frames move."""

    def __init__(self, open_queue: type[PictureQueue] = WriteAtOnce, **harvest: object) -> None:
        defaults = {"min_free_mib": 0, "shift_h": 0.01, "max_per_shift": 40}
        self.settings = Settings(
            camera=CameraSettings(width_px=96, height_px=96),
            detector=DetectorSettings(runtime="oracle", oracle=OracleSettings(confusion_ratio=0.05)),
            harvest=HarvestSettings(**{**defaults, **harvest}),
        )
        self.clock = ManualClock()
        self.said: list[msgspec.Struct] = []
        self.source = open_source(self.settings, self.clock, epoch_ns=0)
        self.pipeline = Pipeline(self.settings, self.source, open_detector(self.settings, epoch_ns=0), self.clock)
        untouched = no_calibration(len(self.settings.recipe.classes))
        self.harvest = Harvest(self.settings, lambda _model_id: untouched, self.wall, self.said.append, open_queue)

    def wall(self) -> datetime:
        return EPOCH + timedelta(microseconds=self.clock.now_ns() / NS_PER_US)

    def views(self, count: int) -> Iterator[View]:
        while self.pipeline.view_count < count:
            ticket = self.source.grab()
            if ticket is not None:
                view = self.pipeline.take(ticket, 2 * self.clock.now_ns() // NS_PER_US)
                if view is not None:
                    yield view

    def run(self, view_count: int) -> None:
        for view in self.views(view_count):
            self.harvest.see(view, self.pipeline.tracker.boxes_px)


@pytest.fixture
def open_line(tmp_path: Path) -> Iterator[Callable[..., SimulatedLine]]:
    lines: list[SimulatedLine] = []

    def open_one(**harvest: object) -> SimulatedLine:
        lines.append(SimulatedLine(**{"folder": str(tmp_path / "kept"), **harvest}))
        return lines[-1]

    yield open_one
    for line in lines:
        line.source.close()


def sidecars(line: SimulatedLine) -> list[tuple[Path, KeptPicture]]:
    line.harvest.close()
    paths = sorted(Path(line.settings.harvest.folder).glob("*/*.json"))
    return [(path, read_sidecar(path)) for path in paths]


def shown(view: View, frame_id: int, jpeg: bytes = b"\xff\xd8 shown") -> Preview:
    boxes = tuple(PreviewBox(track.track_id, 1, 2, 30, 40) for track in view.batch.tracks)
    return Preview(frame_id, view.batch.exposed_at_ns, view.batch.travel_um, 96, 96, 1.0, jpeg, boxes)


def test_a_line_keeps_what_disagrees_and_what_was_drawn(open_line) -> None:
    line = open_line(random_share=0.4, uncertain_share=0.2)
    line.run(300)
    kept = sidecars(line)
    reasons = {one.reason for _, one in kept}
    assert {Reason.DISAGREEING, Reason.RANDOM} <= reasons
    for path, one in kept:
        assert cv2.imread(str(path.with_name(one.picture))).shape == (96, 96, 3)
        assert all(item.class_name == one.classes[int(np.argmax(item.class_probabilities))] for item in one.items)
        assert all(0 <= left < right <= 96 and 0 <= top < low <= 96 for left, top, right, low in _boxes(one))
        if one.reason is Reason.DISAGREEING:
            assert any(Reason.DISAGREEING in item.reasons for item in one.items)
    assert line.harvest.figures()["harvest_written_count"] == len(kept)


def _boxes(one: KeptPicture) -> list[tuple[float, float, float, float]]:
    return [item.box_px for item in one.items]


def test_the_picture_kept_is_the_one_that_was_seen_and_not_the_ring(open_line) -> None:
    shares = {"random_share": 1.0, "uncertain_share": 0, "disagreeing_share": 0, "flagged_share": 0}
    line = open_line(open_queue=WriteLate, picture_format="png", **shares)
    pictures = {}
    for view in line.views(200):
        pictures[view.frame.frame_id] = view.frame.image.copy()
        line.harvest.see(view, line.pipeline.tracker.boxes_px)
    kept = sidecars(line)
    assert kept
    for path, one in kept:
        assert np.array_equal(cv2.imread(str(path.with_name(one.picture))), pictures[one.frame_id])


def test_the_flagged_picture_is_the_one_on_the_screen(open_line) -> None:
    line = open_line(flagged_share=0.5, random_share=0, uncertain_share=0, disagreeing_share=0)
    for index, view in enumerate(line.views(10)):
        line.harvest.note_shown(shown(view, index, b"\xff\xd8 %d" % index), view.batch)
        line.harvest.see(view, line.pipeline.tracker.boxes_px)
    line.harvest.keep_shown(6)
    line.harvest.keep_shown(6)
    ((path, one),) = sidecars(line)
    assert (one.reason, one.frame_id) == (Reason.FLAGGED, 6)
    assert path.with_suffix(".jpg").read_bytes() == b"\xff\xd8 6"
    assert all(item.box_px == (1.0, 2.0, 30.0, 40.0) for item in one.items)


def test_a_flag_on_a_picture_that_is_gone_keeps_the_next(open_line) -> None:
    line = open_line(flagged_share=0.5, random_share=0, uncertain_share=0, disagreeing_share=0)
    line.harvest.keep_shown(None)
    line.run(5)
    ((_, one),) = sidecars(line)
    assert one.reason is Reason.FLAGGED


def test_a_harvest_that_must_stop_says_so_once_and_the_line_goes_on(open_line, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("a file where the folder should be")
    line = open_line()
    line.run(100)
    line.harvest.step(0)
    line.harvest.step(1)
    line.harvest.close()
    assert [(type(one), one.code, one.is_cleared) for one in line.said] == [(Fault, "harvest_stopped", False)]
    assert line.pipeline.view_count == 100


def test_a_harvest_tries_again_after_a_minute(open_line, tmp_path: Path) -> None:
    blocker = tmp_path / "kept"
    blocker.write_text("a file where the folder should be")
    line = open_line()
    line.harvest.step(0)
    blocker.unlink()
    line.harvest.step(60_000_000_000)
    line.harvest.close()
    line.harvest.step(61_000_000_000)
    assert [one.is_cleared for one in line.said] == [False, True]


def test_two_runs_of_one_seed_keep_the_same(open_line, tmp_path: Path) -> None:
    first, second = open_line(), open_line(folder=str(tmp_path / "again"))
    for line in (first, second):
        line.run(120)
    assert [one for _, one in sidecars(first)] == [one for _, one in sidecars(second)]
