"""A harvest folder as a simulated line writes it: sprites, an oracle that confuses classes, virtual time."""

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from sorter.model.settings import CameraSettings, DetectorSettings, HarvestSettings, OracleSettings, Settings
from sorter.policy.evidence import no_calibration
from sorter.runtime.clock import ManualClock
from vision.detectors import open_detector
from vision.harvest.harvest import Harvest
from vision.harvest.picture_queue import PictureQueue
from vision.harvest.picture_store import ChosenPicture, PictureStore
from vision.pipeline import Pipeline
from vision.sources import open_source

EPOCH = datetime(2026, 3, 4, 6, 59, 50, tzinfo=timezone.utc)
VIEW_COUNT = 320


class WriteAtOnce(PictureQueue):
    """No thread: virtual time outruns any disk."""

    def __init__(self, store: PictureStore) -> None:
        self.store = store

    def put(self, chosen: ChosenPicture) -> bool:
        return self.store.write(chosen)

    def close(self) -> None:
        pass


@pytest.fixture(scope="session")
def harvest_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("line") / "harvest"
    settings = Settings(
        line_name="hall 3",
        camera=CameraSettings(width_px=128, height_px=96),
        detector=DetectorSettings(runtime="oracle", oracle=OracleSettings(confusion_ratio=0.05)),
        harvest=HarvestSettings(folder=str(folder), min_free_mib=0, shift_h=0.01, max_per_shift=40),
    )
    clock = ManualClock()
    untouched = no_calibration(len(settings.recipe.classes))
    source = open_source(settings, clock, epoch_ns=0)
    pipeline = Pipeline(settings, source, open_detector(settings, epoch_ns=0), clock)
    harvest = Harvest(
        settings,
        lambda _model_id: untouched,
        lambda: EPOCH + timedelta(microseconds=clock.now_ns() / 1000),
        lambda _message: None,
        WriteAtOnce,
    )
    while pipeline.view_count < VIEW_COUNT:
        ticket = source.grab()
        view = pipeline.take(ticket, 2 * clock.now_ns() // 1000) if ticket is not None else None
        if view is not None:
            harvest.see(view, pipeline.tracker.boxes_px)
    source.close()
    return folder
