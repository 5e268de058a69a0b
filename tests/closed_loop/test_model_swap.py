"""A swap of models in the middle of the belt, in virtual time: no item, view or decision is lost by it."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from sorter.model.settings import Settings
from sorter.runtime.bundle import MANIFEST_NAME, default_bundle_folder, load_bundle
from sorter.runtime.configuration import settings_from
from sorter.runtime.model_shelf import Champion, ModelShelf
from training.evaluation.closed_loop import ClosedLoop, LoopResult, open_scored_world, scored_stretch
from vision.detectors import Detector, open_detector
from vision.detectors.detector import Seat
from vision.frame import Detections, Frame


class Renamed:
    """A detector under another model's name."""

    def __init__(self, inner: Detector, model_id: str) -> None:
        self._inner = inner
        self.model_id = self.bundle_id = model_id
        self.choice_reason, self.second_look = inner.choice_reason, inner.second_look
        self.runtime, self.precision, self.class_names = inner.runtime, inner.precision, inner.class_names

    @property
    def copied_count(self) -> int:
        return self._inner.copied_count

    def detect(self, frame: Frame) -> Detections:
        return self._inner.detect(frame)

    def open_seat(self) -> Seat:
        return self._inner.open_seat()


class SwappedLoop:
    """A run in which another detector sees from a share of the belt on; it notes which model saw each view."""

    def __init__(self, settings: Settings, item_count: int) -> None:
        world = open_scored_world(settings)
        self.loop = ClosedLoop(settings, scored_stretch(settings, world, item_count), world)
        self.seen_by: list[str] = []
        self.swaps: list[tuple[float, Any]] = []

    def run(self) -> LoopResult:
        return self.loop.run(self._note)

    def _note(self, share: float) -> None:
        self.seen_by.append(self.loop._pipeline.detector.model_id)
        while self.swaps and share >= self.swaps[0][0]:
            self.loop._pipeline.use_detector(self.swaps.pop(0)[1]())


def test_with_the_oracle_a_swap_changes_no_figure() -> None:
    settings = settings_from({"detector": {"runtime": "oracle"}, "belt": {"speed_m_s": 3.0}})
    plain = SwappedLoop(settings, 200).run()
    swapped = SwappedLoop(settings, 200)
    swapped.swaps = [
        (share, lambda name=f"oracle {share}": Renamed(open_detector(settings), name)) for share in (0.3, 0.31, 0.7)
    ]
    result = swapped.run()
    assert result.figures == plain.figures
    assert result.view_count == plain.view_count
    assert result.figures.overall.recovery.value >= 0.99
    assert result.model_id == "oracle 0.7"
    assert list(dict.fromkeys(swapped.seen_by)) == ["oracle", "oracle 0.3", "oracle 0.31", "oracle 0.7"]


@pytest.fixture
def shelf(tmp_path: Path) -> ModelShelf:
    """The shipped model and, under version 2, the same once more with a calibration that believes in nothing."""
    shelf = ModelShelf(tmp_path / "shelf")
    for version, offset in (("1", None), ("2", -9.0)):
        source = tmp_path / version
        shutil.copytree(default_bundle_folder(), source)
        manifest = json.loads((source / MANIFEST_NAME).read_text()) | {"version": version}
        if offset is not None:
            manifest["calibration"] = {name: {"offset": offset} for name in manifest["classes"]}
        (source / MANIFEST_NAME).write_text(json.dumps(manifest))
        with shelf.changing(), shelf.taking_in(source) as part:
            shelf.shelve(part, load_bundle(source).model_id)
    point_to(shelf, "1")
    return shelf


def point_to(shelf: ModelShelf, version: str) -> None:
    model_id = next(one for one in shelf.model_ids() if f"-{version}-" in one)
    shelf.point_to(Champion(model_id, (), "site", "now"))


def test_the_new_bundle_s_calibration_holds_from_its_first_frame_on(shelf: ModelShelf) -> None:
    settings = settings_from({"detector": {"model": str(shelf.folder), "allow_unsigned": True}})
    swapped = SwappedLoop(settings, 30)

    def take_up_version_2() -> Detector:
        point_to(shelf, "2")
        return open_detector(settings)

    swapped.swaps = [(0.5, take_up_version_2)]
    result = swapped.run()
    assert "-2-" in result.model_id
    assert {"-1-" in one for one in swapped.seen_by} == {True, False}
    # what the first half saw was sorted; the second half believes in nothing, so every item there is "nothing"
    decisions = result.figures.decisions
    assert decisions["eject"] > 0
    assert decisions["nothing"] >= 8
