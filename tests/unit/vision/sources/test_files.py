"""Videos and folders that are broken in the ways real ones are."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from sorter.errors import SourceError
from sorter.model.settings import Settings
from sorter.runtime.clock import ManualClock
from sorter.runtime.configuration import settings_from
from vision.sources import video_file
from vision.sources.picture_folder import PictureFolder
from vision.sources.video_file import VideoFile

SIDE_PX = 64


def settings_for(kind: str, location: Path) -> Settings:
    camera = {"width_px": SIDE_PX, "height_px": SIDE_PX, "view_length_mm": 800.0}
    return settings_from(
        {"camera": camera, "belt": {"speed_m_s": 2.0}, "source": {"kind": kind, "location": str(location)}}
    )


def blank() -> NDArray[np.uint8]:
    return np.full((SIDE_PX, SIDE_PX, 3), 255, np.uint8)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("video") / "belt.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (SIDE_PX, SIDE_PX))
    noise = np.random.default_rng(1)
    for _ in range(60):
        writer.write(noise.integers(0, 256, (SIDE_PX, SIDE_PX, 3), np.uint8))
    writer.release()
    return path


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.85])
def test_a_truncated_video_is_refused_at_opening(video: Path, tmp_path: Path, share: float) -> None:
    cut = tmp_path / "cut.avi"
    cut.write_bytes(video.read_bytes()[: int(share * video.stat().st_size)])
    with pytest.raises(SourceError, match=r"cut\.avi.*cut off"):
        VideoFile(settings_for("video", cut), ManualClock(), 0)


def test_a_file_that_is_no_video_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.mp4").write_text("not a video")
    with pytest.raises(SourceError, match="not a video"):
        VideoFile(settings_for("video", tmp_path / "notes.mp4"), ManualClock(), 0)


def test_frames_come_at_the_pace_of_the_recording(video: Path) -> None:
    clock = ManualClock()
    source = VideoFile(settings_for("video", video), clock, 0)
    tickets = [source.grab() for _ in range(4)]
    assert [ticket.exposed_at_ns for ticket in tickets if ticket] == [0, 40_000_000, 80_000_000, 120_000_000]
    assert clock.now_ns() == 120_000_000


class BreakingCapture:
    """A video of a hundred promised frames of which the fourth cannot be decoded and the sixth is not there."""

    is_open = True
    frame_rate_hz = 25.0
    frame_count = 100

    def __init__(self) -> None:
        self.taken_count = 0

    def can_reach(self, frame_id: int) -> bool:
        return frame_id < self.frame_count

    def grab(self) -> bool:
        self.taken_count += 1
        return self.taken_count < 6

    def retrieve(self, buffer: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
        buffer[:] = 99
        return None if self.taken_count == 4 else buffer

    def release(self) -> None:
        pass


def test_a_video_that_breaks_off_says_so_and_ends(
    video: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(video_file, "open_file", lambda _path: BreakingCapture())
    source = VideoFile(settings_for("video", video), ManualClock(), 0)
    levels = []
    while source.grab() is not None:
        picture = blank()
        source.retrieve(picture)
        levels.append(int(picture.max()))
    assert levels == [99, 99, 99, 0, 99]
    assert source.dropped_count == 1
    assert "frame 3 cannot be decoded" in caplog.text
    assert source.is_exhausted
    assert source.fault is not None
    assert "breaks off after frame 5 of 100" in source.fault


def test_an_unreadable_picture_is_skipped_counted_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for number, level in enumerate((50, 100, 150)):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((SIDE_PX, SIDE_PX, 3), level, np.uint8))
    (tmp_path / "1.png").write_bytes(b"no picture")
    (tmp_path / "readme.txt").write_text("not looked at")
    clock = ManualClock()
    source = PictureFolder(settings_for("folder", tmp_path), clock, 0)
    first, second = source.grab(), source.grab(timeout_ms=1000.0)
    picture = blank()
    source.retrieve(picture)
    assert first is not None
    assert second is not None
    assert (first.frame_id, second.frame_id) == (0, 2)
    assert picture.max() == 150
    assert source.dropped_count == 1
    assert "1.png cannot be read" in caplog.text
    assert source.is_exhausted


def test_the_belt_moves_one_view_between_two_pictures(tmp_path: Path) -> None:
    for number in range(2):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((8, 8, 3), 50, np.uint8))
    source = PictureFolder(settings_for("folder", tmp_path), ManualClock(), 0)
    assert source.grab() is not None
    second = source.grab(timeout_ms=1000.0)
    assert second is not None
    assert second.exposed_at_ns == 400_000_000  # 800 mm at 2 m/s


@pytest.mark.parametrize("names", [(), ("readme.txt",), ("0.png", "1.jpg")])
def test_a_folder_without_a_readable_picture_is_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    for name in names:
        (tmp_path / name).write_bytes(b"no picture")
    with pytest.raises(SourceError, match="no readable picture there"):
        PictureFolder(settings_for("folder", tmp_path), ManualClock(), 0)
