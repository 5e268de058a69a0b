"""The folder of kept pictures: complete pairs or nothing, never above its size, and a restart gives no more."""

import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sorter.model.settings import HarvestSettings, Settings
from vision.harvest.choice import Limits, Reason, limits_from
from vision.harvest.picture_queue import QUEUE_LENGTH, PictureQueue
from vision.harvest.picture_store import ChosenPicture, PictureStore
from vision.harvest.sidecar import KeptPicture, PreLabel, picture_stem, read_sidecar, session_name

WALL = datetime(2026, 3, 4, 9, 7, 6, tzinfo=timezone(timedelta(hours=1)))


def picture(number: int, reason: Reason = Reason.RANDOM, suffix: str = ".jpg") -> KeptPicture:
    items = (PreLabel(3, (1.0, 2.0, 30.0, 40.0), "can", 0.6, (0.6, 0.1), 4, truncated=False),)
    return KeptPicture(
        picture_stem("demo", WALL, number) + suffix, 64, 48, reason, WALL.isoformat(), session_name("demo", WALL),
        "demo", number, number, number, "model", "default", "hash", ("can", "glass"), items,
    )  # fmt: skip


def opened(folder: Path, **changes: object) -> PictureStore:
    settings = Settings(harvest=HarvestSettings(folder=str(folder), min_free_mib=0, **changes))
    store = PictureStore(settings.harvest, limits_from(settings))
    store.open()
    return store


def noise(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (48, 64, 3), np.uint8)


def test_a_picture_comes_back_with_its_pre_labels(tmp_path: Path) -> None:
    store = opened(tmp_path / "kept", picture_format="png")
    assert store.write(ChosenPicture(noise(), picture(1, suffix=".png")))
    path = tmp_path / "kept" / "2026-03-04" / "demo_2026_04-Mar_09-07-06_0000001.png"
    assert np.array_equal(cv2.imread(str(path)), noise())
    assert read_sidecar(path.with_suffix(".json")) == picture(1, suffix=".png")
    assert store.byte_count == sum(one.stat().st_size for one in path.parent.iterdir())


def test_a_finished_jpeg_is_written_as_it_is(tmp_path: Path) -> None:
    assert opened(tmp_path).write(ChosenPicture(b"\xff\xd8 as shown", picture(1)))
    assert next(tmp_path.glob("*/*.jpg")).read_bytes() == b"\xff\xd8 as shown"


@given(sizes=st.lists(st.integers(1, 900), max_size=12), max_bytes=st.integers(100, 6000))
def test_the_folder_never_grows_above_its_size(tmp_path_factory, sizes: list[int], max_bytes: int) -> None:
    folder = tmp_path_factory.mktemp("kept")
    harvest = HarvestSettings(folder=str(folder), min_free_mib=0)
    store = PictureStore(harvest, Limits(99, dict.fromkeys(Reason, 99), max_bytes, 0, 0))
    store.open()
    for number, size in enumerate(sizes):
        is_written = store.write(ChosenPicture(bytes(size), picture(number)))
        assert is_written == (store.stopped_because is None)
        assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) <= max_bytes
    assert len(list(folder.rglob("*.jpg"))) == len(list(folder.rglob("*.json"))) == store.written_count


def test_a_full_folder_says_so_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    store = opened(tmp_path, max_folder_mib=1)
    (tmp_path / "old").write_bytes(bytes(1 << 20))
    store.open()
    assert not store.write(ChosenPicture(noise(), picture(1)))
    assert "harvest.max_folder_mib 1" in str(store.stopped_because)
    store.open()
    assert store.stopped_because is not None
    (tmp_path / "old").unlink()
    store.open()
    assert store.write(ChosenPicture(noise(), picture(1)))


def test_a_disk_that_runs_full_stops_the_harvest(tmp_path: Path) -> None:
    settings = Settings(harvest=HarvestSettings(folder=str(tmp_path), min_free_mib=1_000_000))
    store = PictureStore(settings.harvest, limits_from(settings))
    store.open()
    assert not store.write(ChosenPicture(noise(), picture(1)))
    assert "harvest.min_free_mib" in str(store.stopped_because)
    assert not list(tmp_path.rglob("*.jpg*"))


def test_a_folder_that_cannot_be_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    store = opened(tmp_path / "file")
    assert "cannot be used" in str(store.stopped_because)
    assert not store.write(ChosenPicture(noise(), picture(1)))


def test_a_restart_counts_what_its_shift_has_kept(tmp_path: Path) -> None:
    store = opened(tmp_path)
    for number, reason in enumerate((Reason.RANDOM, Reason.RANDOM, Reason.UNCERTAIN)):
        store.write(ChosenPicture(noise(), picture(number, reason)))
    (tmp_path / "2026-03-04" / "x.jpg.part").write_bytes(b"half")
    (tmp_path / "2026-03-04" / "notes.json").write_text("{}")
    again = opened(tmp_path)
    kept = again.kept_in_shift(WALL + timedelta(hours=2))
    assert (kept.counts, kept.byte_count) == ({Reason.RANDOM: 2, Reason.UNCERTAIN: 1}, store.byte_count + 2)
    assert again.kept_in_shift(WALL + timedelta(hours=8)).counts == {}
    assert not list(tmp_path.rglob("*.part"))


class BlockedStore:
    """Writes nothing until it is let go."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.written: list[int] = []
        self.stopped_because = None

    def write(self, chosen: ChosenPicture) -> bool:
        self.gate.wait(10)
        self.written.append(chosen.sidecar.frame_id)
        return True


def test_a_slow_disk_costs_the_newest_pictures_and_they_are_counted() -> None:
    store = BlockedStore()
    queue = PictureQueue(store)  # type: ignore[arg-type]
    taken = [queue.put(ChosenPicture(b"", picture(number))) for number in range(QUEUE_LENGTH + 5)]
    store.gate.set()
    queue.close()
    assert store.written == [number for number, is_taken in enumerate(taken) if is_taken]
    assert queue.dropped_count == taken.count(False) >= 4


def test_a_session_is_known_to_the_splits_of_the_lab() -> None:
    assert picture(1).session == "demo_2026_04-Mar_09"
    assert session_name("Halle 3 / Linie ß", WALL) == "Halle-3-Linie_2026_04-Mar_09"
