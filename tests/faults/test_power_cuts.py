"""Power cuts under the store: what was acknowledged is there afterwards, and nothing is half there.

The disk here keeps apart what was synced and what was only written. At a cut each unsynced write is kept, dropped or
torn in the middle, each for itself, so that they survive in any order; a file that was never synced may be gone.
"""

import random
from pathlib import Path
from typing import Any

import apsw
import pytest

from sorter.errors import StoreError
from sorter.model.condition import Mode
from sorter.model.ejection import AckStatus, DecisionReason
from sorter.model.events import AnyEvent, EnergyUsed, ItemDecided, ModeTime
from sorter.model.rollups import Period, Resolution, rolled_up
from sorter.store.check import check_store
from sorter.store.protocol import Position
from sorter.store.sqlite_reader import SqliteReader
from sorter.store.sqlite_writer import SqliteWriter

# apsw shows what a file raises while SQLite is already undoing its work
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

VFS_NAME = "power-cut"
SECTOR_BYTES = 512
NOW_MS = 1_780_000_000_000
ALL_TIME = Period(0, 2 * NOW_MS)


class PowerCutError(Exception):
    """The power is gone; so is everything that is tried from now on."""


class Disk:
    """What would be on the disk if the power went now: synced bytes by path, and writes that were not synced."""

    def __init__(self, choice: random.Random) -> None:
        self.choice = choice
        self.synced: dict[str, bytes] = {}
        self.unsynced: dict[str, list[tuple[int, bytes | None]]] = {}
        self.left_count = 0
        self.is_dark = False

    def begin(self, folder: Path, operation_count: int) -> None:
        """Power on: what is in the folder is on the disk; it goes off at an operation from now."""
        self.synced = {str(path): path.read_bytes() for path in folder.iterdir() if path.suffix != ".lock"}
        self.unsynced = {}
        self.left_count = operation_count
        self.is_dark = False

    def operate(self) -> None:
        self.left_count -= 1
        if self.left_count <= 0 or self.is_dark:
            self.is_dark = True
            raise PowerCutError

    def wrote(self, path: str, offset: int, data: bytes | None) -> None:
        """A write at an offset; without data, the file was cut off there."""
        self.unsynced.setdefault(path, []).append((offset, data))

    def sync(self, path: str) -> None:
        image = bytearray(self.synced.get(path, b""))
        for offset, data in self.unsynced.pop(path, []):
            change(image, offset, data)
        self.synced[path] = bytes(image)

    def deleted(self, path: str) -> None:
        self.synced.pop(path, None)
        self.unsynced.pop(path, None)

    def end(self, folder: Path) -> None:
        """Leave in the folder what the cut leaves on the disk; shared memory is gone."""
        for path in folder.iterdir():
            if path.suffix != ".lock":
                path.unlink()
        for path in {*self.synced, *self.unsynced}:
            if path not in self.synced and self.choice.random() < 0.3:
                continue
            image = bytearray(self.synced.get(path, b""))
            for offset, data in self.unsynced.get(path, []):
                self._survive(image, offset, data)
            if not path.endswith("-shm"):
                Path(path).write_bytes(image)

    def _survive(self, image: bytearray, offset: int, data: bytes | None) -> None:
        fate = self.choice.random()
        if fate < 0.4:
            change(image, offset, data)
        elif fate < 0.7 and data is not None:
            torn = data[: self.choice.randrange(len(data) // SECTOR_BYTES + 1) * SECTOR_BYTES]
            change(image, offset, torn)


def change(image: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:
        del image[offset:]
        return
    if len(image) < offset:
        image.extend(bytes(offset - len(image)))
    image[offset : offset + len(data)] = data


class CutFile(apsw.VFSFile):
    """A file on such a disk; reads and locks are the real file's."""

    def __init__(self, disk: Disk, name: Any, flags: list[int]) -> None:
        super().__init__("", name, flags)
        self.disk = disk
        self.path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)

    def xWrite(self, data: Any, offset: int) -> None:  # noqa: N802 - apsw's name
        self.disk.operate()
        super().xWrite(data, offset)
        self.disk.wrote(self.path, offset, bytes(data))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - apsw's name
        self.disk.operate()
        super().xTruncate(newsize)
        self.disk.wrote(self.path, newsize, None)

    def xSync(self, flags: int) -> None:  # noqa: N802 - apsw's name
        self.disk.operate()
        super().xSync(flags)
        self.disk.sync(self.path)


class CutVfs(apsw.VFS):
    """SQLite's way to such a disk."""

    def __init__(self, disk: Disk) -> None:
        super().__init__(VFS_NAME, "")
        self.disk = disk

    def xOpen(self, name: Any, flags: list[int]) -> CutFile:  # noqa: N802 - apsw's name
        return CutFile(self.disk, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 - apsw's name
        self.disk.operate()
        super().xDelete(filename, syncdir)
        self.disk.deleted(filename)


class Line:
    """Events of one life after the other, and what of them was acknowledged."""

    def __init__(self, choice: random.Random) -> None:
        self.choice = choice
        self.life = 0
        self.seq = 0
        self.acknowledged: list[AnyEvent] = []
        self.attempted: list[AnyEvent] = []

    def record_until_dark(self, path: Path) -> None:
        self.life, self.seq, self.attempted = self.life + 1, 0, []
        writer = SqliteWriter(path, vfs=VFS_NAME)
        try:
            while True:
                self.attempted = [self.event() for _ in range(self.choice.randint(1, 30))]
                writer.record(self.attempted)
                self.acknowledged += self.attempted
                self.attempted = []
        finally:
            writer.abandon()

    def event(self) -> AnyEvent:
        self.seq += 1
        common: dict[str, Any] = {
            "device_id": "n", "boot_id": f"b{self.life}", "seq": self.seq,
            "at_ms": NOW_MS + self.choice.randrange(3 * Resolution.HOUR.value),
        }  # fmt: skip
        kind = self.choice.random()
        if kind < 0.1:
            return ModeTime(mode=Mode.EXECUTE, duration_ms=self.choice.randint(1, 10_000), **common)
        if kind < 0.2:
            return EnergyUsed(duration_ms=10_000, source="rapl", energy_mj=70_000, air_ul=7, shot_count=1, **common)
        return ItemDecided(
            track_id=self.seq, decision_id=self.seq, class_name="hdpe", probability=0.8,
            class_probabilities={"hdpe": 0.8, "can": 0.1}, view_count=3, x_um=1, belt_um=2, width_um=90_000,
            length_um=200_000, overlap_ratio=0.0, mass_g=55.0, mass_sd_g=20.0, reason=DecisionReason.EJECT,
            station_id="hdpe", ack_status=AckStatus.FIRED, refusal=None, placement_error_um=5,
            frame_to_command_ms=30.0, model_id="m", recipe_hash="r", **common,
        )  # fmt: skip


def check(path: Path, line: Line) -> None:
    """Nothing acknowledged is lost, a batch is there wholly or not at all, sums are those of the events."""
    if not path.exists() or path.stat().st_size == 0:
        assert line.acknowledged == []
        return
    SqliteWriter(path).close()
    reader = SqliteReader(path)
    assert reader.integrity_faults() == []
    stored = [written.event for written in reader.written_after(Position(), 10**7)]
    assert stored[: len(line.acknowledged)] == line.acknowledged
    assert stored[len(line.acknowledged) :] in ([], line.attempted)
    assert reader.series(ALL_TIME, Resolution.MINUTE) == rolled_up(stored)
    assert reader.series(ALL_TIME, Resolution.DAY) == rolled_up(stored).to(Resolution.DAY)
    reader.close()
    line.acknowledged = stored


def cut_power(tmp_path: Path, cut_count: int, seed: int) -> int:
    """So many cuts, of stores that are new every twentieth time; how many events were acknowledged in all."""
    choice = random.Random(seed)
    disk = Disk(choice)
    vfs = CutVfs(disk)
    acknowledged_count = 0
    for cut in range(cut_count):
        if cut % 20 == 0:
            folder, line = tmp_path / f"store-{cut}", Line(choice)
            folder.mkdir()
        disk.begin(folder, choice.randint(1, 400))
        with pytest.raises((StoreError, PowerCutError)):
            line.record_until_dark(folder / "events.sqlite")
        assert disk.is_dark
        disk.end(folder)
        check(folder / "events.sqlite", line)
        acknowledged_count += line.seq
    vfs.unregister()
    return acknowledged_count


@pytest.fixture(autouse=True)
def _short_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checkpoints every some batches, so that cuts fall into them, too."""
    monkeypatch.setattr("sorter.store.sqlite_connection._CHECKPOINT_PAGES", 40)


def test_forty_power_cuts_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    assert cut_power(tmp_path, 40, seed=1) > 1000


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_four_hundred_power_cuts_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    assert cut_power(tmp_path, 400, seed=2) > 10_000


def test_power_cuts_while_events_are_forgotten_leave_the_rest_and_all_sums(tmp_path: Path) -> None:
    choice = random.Random(3)
    disk, line = Disk(choice), Line(choice)
    vfs = CutVfs(disk)
    path = tmp_path / "events.sqlite"
    events = [line.event() for _ in range(600)]
    writer = SqliteWriter(path)
    writer.record(events)
    writer.close()
    for number in range(20):
        disk.begin(tmp_path, choice.randint(1, 60))
        with pytest.raises((StoreError, PowerCutError)):
            forget_until_dark(path, choice, NOW_MS + number * 5 * Resolution.MINUTE.value)
        disk.end(tmp_path)
        SqliteWriter(path).close()
        reader = SqliteReader(path)
        assert reader.integrity_faults() == []
        assert reader.series(ALL_TIME, Resolution.MINUTE) == rolled_up(events)
        stored = [written.event for written in reader.written_after(Position(), 10**6)]
        kept_from_ms = reader.forgotten_before_ms()
        assert all(events[one.seq - 1] == one for one in stored)
        assert [one for one in stored if one.at_ms >= kept_from_ms] == [
            one for one in events if one.at_ms >= kept_from_ms
        ]
        assert check_store(reader).is_whole
        reader.close()
    vfs.unregister()
    assert 0 < len(stored) < len(events)


def forget_until_dark(path: Path, choice: random.Random, cutoff_ms: int) -> None:
    writer = SqliteWriter(path, vfs=VFS_NAME)
    try:
        while True:
            cutoff_ms += choice.randrange(Resolution.MINUTE.value)
            writer.forget_before(cutoff_ms, limit=20)
            writer.record([])
    finally:
        writer.abandon()


def test_a_disk_that_lies_about_syncing_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # the check must be able to fail: here nothing is ever really synced
    monkeypatch.setattr(Disk, "sync", lambda _disk, _path: None)
    with pytest.raises((AssertionError, StoreError)):
        cut_power(tmp_path, 40, seed=1)
