"""What every source of pictures must do, wherever they come from."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from sorter.errors import BadInputError
from sorter.model.settings import Settings
from sorter.runtime.clock import ManualClock
from sorter.runtime.configuration import settings_from
from vision.sources import FrameSource, FrameTicket, open_source
from vision.sources.live_camera import LiveCamera
from vision.sources.simulated_camera import SimulatedCamera

EPOCH_NS = 5_000_000_000
WIDTH_PX, HEIGHT_PX = 96, 64
FILE_FRAME_COUNT = 8
FILES = ("video", "folder")
KINDS = ("sprites", "strip", *FILES, "camera")

Opener = Callable[[ManualClock], FrameSource]


def still(seed: int, height_px: int = HEIGHT_PX, width_px: int = WIDTH_PX) -> NDArray[np.uint8]:
    """A smooth picture that compression hardly changes."""
    coarse = np.random.default_rng(seed).integers(20, 236, (4, 4, 3), np.uint8)
    return np.asarray(cv2.resize(coarse, (width_px, height_px), interpolation=cv2.INTER_CUBIC), np.uint8)


def settings_for(kind: str, location: Path) -> Settings:
    tables: dict[str, Any] = {
        "camera": {"width_px": WIDTH_PX, "height_px": HEIGHT_PX, "frame_rate_hz": 50.0},
        "source": {"kind": kind, "location": "" if kind == "sprites" else str(location)},
    }
    return settings_from(tables)


def write_strip(folder: Path) -> Path:
    for name in ("images", "labels"):
        (folder / name).mkdir(parents=True)
    (folder / "data.yaml").write_text("names:\n  0: bottle\n")
    (folder / "class_map.toml").write_text('[map]\nbottle = "pet_clear"\n')
    for number in range(3):
        cv2.imwrite(str(folder / "images" / f"{number}.png"), still(number, 80, 80))
        (folder / "labels" / f"{number}.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    return folder


def write_folder(folder: Path) -> Path:
    folder.mkdir()
    for number in range(FILE_FRAME_COUNT):
        cv2.imwrite(str(folder / f"{number}.png"), still(number, 48, 128))
    return folder


def write_video(path: Path, frame_count: int = FILE_FRAME_COUNT) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (128, 96))
    for number in range(frame_count):
        writer.write(still(number, 96, 128))
    writer.release()
    return path


class SteadyCapture:
    """A camera that always has the next picture ready."""

    is_open = True

    def grab(self) -> bool:
        return True

    def retrieve(self, buffer: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return still(1, len(buffer) // 2, 32)

    def release(self) -> None:
        pass


def opener(kind: str, folder: Path) -> Opener:
    if kind == "camera":
        settings = settings_for("camera", Path("0"))
        return lambda clock: LiveCamera(settings.camera, "0", clock, SteadyCapture)
    writers = {
        "strip": write_strip,
        "folder": write_folder,
        "video": lambda path: write_video(path.with_suffix(".avi")),
    }
    location = writers[kind](folder / "pictures") if kind in writers else folder
    return lambda clock: open_source(settings_for(kind, location), clock, EPOCH_NS)


@pytest.fixture(params=KINDS)
def source(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> Iterator[FrameSource]:
    source = opener(request.param, tmp_path)(clock)
    yield source
    source.close()


@pytest.fixture(params=FILES)
def file_source(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> Iterator[FrameSource]:
    source = opener(request.param, tmp_path)(clock)
    yield source
    source.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(EPOCH_NS)


def take(source: FrameSource) -> FrameTicket:
    """The next frame, however many waits it takes."""
    for _ in range(50):
        ticket = source.grab()
        if ticket is not None:
            return ticket
    raise AssertionError("no frame came")


def blank(source: FrameSource) -> NDArray[np.uint8]:
    return np.zeros((source.height_px, source.width_px, 3), np.uint8)


def test_pictures_fill_the_slot_of_the_size_that_was_asked_for(source: FrameSource) -> None:
    assert (source.height_px, source.width_px) == (HEIGHT_PX, WIDTH_PX)
    slot = blank(source)
    take(source)
    source.retrieve(slot)
    assert slot.std() > 1
    assert (slot.reshape(HEIGHT_PX, -1).max(axis=1) > 0).all()


def test_a_picture_that_does_not_come_in_the_slot_s_size_is_counted_as_copied(source: FrameSource) -> None:
    take(source)
    assert source.copied_count == 0
    source.retrieve(blank(source))
    assert source.copied_count == int(not isinstance(source, SimulatedCamera))


def test_ids_and_instants_only_grow(source: FrameSource) -> None:
    tickets = [take(source) for _ in range(5)]
    assert all(a.frame_id < b.frame_id for a, b in itertools.pairwise(tickets))
    assert all(a.exposed_at_ns <= b.exposed_at_ns for a, b in itertools.pairwise(tickets))
    assert tickets[0].exposed_at_ns >= EPOCH_NS


def test_no_frame_comes_before_its_exposure(source: FrameSource, clock: ManualClock) -> None:
    for _ in range(5):
        assert take(source).exposed_at_ns <= clock.now_ns()


def test_a_wait_is_over_in_time(source: FrameSource, clock: ManualClock) -> None:
    take(source)
    before_ns = clock.now_ns()
    source.grab(timeout_ms=3.0)
    assert clock.now_ns() - before_ns <= 3_000_000


def test_the_same_frame_can_be_left_undecoded(source: FrameSource) -> None:
    first = take(source)
    second = take(source)
    slot = blank(source)
    source.retrieve(slot)
    assert second.frame_id > first.frame_id
    assert slot.any()


def test_nothing_can_be_retrieved_before_a_frame_was_taken(source: FrameSource) -> None:
    with pytest.raises(RuntimeError, match="grab first"):
        source.retrieve(blank(source))


def test_a_source_that_runs_well_says_so(source: FrameSource) -> None:
    take(source)
    assert source.fault is None
    assert not source.is_exhausted


def test_closing_twice_is_harmless(source: FrameSource) -> None:
    take(source)
    source.close()
    source.close()
    assert source.fault is None


def test_a_file_gives_every_frame_and_ends(file_source: FrameSource) -> None:
    assert not file_source.is_live
    tickets = [take(file_source) for _ in range(FILE_FRAME_COUNT)]
    assert [ticket.frame_id for ticket in tickets] == list(range(FILE_FRAME_COUNT))
    assert [file_source.grab() for _ in range(10)] == [None] * 10
    assert file_source.is_exhausted
    assert file_source.fault is None
    assert file_source.dropped_count == 0


def test_an_exhausted_file_does_not_let_a_loop_spin(file_source: FrameSource, clock: ManualClock) -> None:
    for _ in range(FILE_FRAME_COUNT):
        take(file_source)
    for _ in range(3):
        before_ns = clock.now_ns()
        assert file_source.grab(timeout_ms=20.0) is None
        file_source.grab(timeout_ms=20.0)
        assert clock.now_ns() - before_ns >= 20_000_000


def test_a_file_keeps_frames_that_are_taken_late(file_source: FrameSource, clock: ManualClock) -> None:
    clock.wait_until_ns(EPOCH_NS + 3_600_000_000_000)
    assert [take(file_source).frame_id for _ in range(FILE_FRAME_COUNT)] == list(range(FILE_FRAME_COUNT))


def test_a_file_shows_its_pictures_in_order(file_source: FrameSource) -> None:
    slot = blank(file_source)
    for number in range(FILE_FRAME_COUNT):
        take(file_source)
        file_source.retrieve(slot)
        expected = cv2.resize(still(number, 192, 192), (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_AREA)
        assert np.abs(slot.astype(int) - expected).mean() < 6


@pytest.mark.parametrize("kind", ["strip", *FILES])
def test_what_is_not_there_is_refused_in_one_sentence_that_names_it(kind: str, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="nowhere") as refusal:
        open_source(settings_for(kind, tmp_path / "nowhere"), ManualClock(), 0)
    assert "\n" not in str(refusal.value)


def test_a_camera_that_does_not_open_is_refused_in_one_sentence_that_names_it() -> None:
    with pytest.raises(BadInputError, match="99") as refusal:
        open_source(settings_for("camera", Path("99")), ManualClock(), 0)
    assert "\n" not in str(refusal.value)


def test_a_live_camera_reads_what_cv2_can_open(tmp_path: Path, clock: ManualClock) -> None:
    # A recording in place of a device: at its end the camera "goes away" and is opened again.
    settings = settings_for("camera", write_video(tmp_path / "belt.avi"))
    source = open_source(settings, clock, EPOCH_NS)
    slot = blank(source)
    ticket = source.grab(timeout_ms=10_000.0)
    assert ticket is not None
    source.retrieve(slot)
    assert slot.std() > 1
    source.close()
