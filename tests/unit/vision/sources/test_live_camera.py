"""The live camera on a capture that is told when to give pictures, to die and to come back."""

import queue
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from sorter.errors import SourceError
from sorter.runtime.clock import ManualClock
from sorter.runtime.configuration import settings_from
from vision.sources.capture import open_camera
from vision.sources.live_camera import LiveCamera

SIDE_PX = 32
CAMERA = settings_from({"camera": {"width_px": SIDE_PX, "height_px": SIDE_PX}}).camera
DEATH = None


class ScriptedDevice:
    """A device whose pictures, named by their grey level, come from a queue; every opening is recorded.

    A picture comes when somebody waits for it, one with a negative level at once; None is the device's death.
    """

    def __init__(self) -> None:
        self.camera: LiveCamera | None = None
        self.script: queue.Queue[int | None] = queue.Queue()
        self.openings: queue.Queue[bool] = queue.Queue()
        self.answers: list[bool] = []
        self.decoded: list[int] = []
        self.released_count = 0

    def open(self) -> "ScriptedCapture":
        is_open = self.answers.pop(0) if self.answers else True
        self.openings.put(is_open)
        return ScriptedCapture(self, is_open)

    def await_demand(self) -> None:
        camera = self.camera
        assert camera is not None
        with camera._changed:
            camera._changed.wait_for(lambda: camera._is_wanted or camera._stopped.is_set(), 20)

    def give(self, *levels: int | None) -> None:
        for level in levels:
            self.script.put(level)


class ScriptedCapture:
    def __init__(self, device: ScriptedDevice, is_open: bool) -> None:
        self._device = device
        self.is_open = is_open
        self._level: int | None = None

    def grab(self) -> bool:
        self._level = self._device.script.get(timeout=20)
        if self._level is not None and self._level >= 0:
            self._device.await_demand()
        return self._level is not None

    def retrieve(self, buffer: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
        assert self._level is not None
        self._device.decoded.append(self._level)
        if self._level == 0:
            return None
        buffer[:] = self._level
        return buffer

    def release(self) -> None:
        self._device.released_count += 1


@pytest.fixture
def device() -> ScriptedDevice:
    return ScriptedDevice()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1000)


@pytest.fixture
def camera(device: ScriptedDevice, clock: ManualClock) -> Iterator[LiveCamera]:
    camera = device.camera = LiveCamera(CAMERA, "7", clock, device.open, backoff_s=(0.0, 0.0))
    yield camera
    device.give(*[DEATH] * 3)  # whoever waits for a picture is let go
    camera.close()


def slot() -> NDArray[np.uint8]:
    return np.full((SIDE_PX, SIDE_PX, 3), 255, np.uint8)


def level_of(camera: LiveCamera) -> int:
    picture = slot()
    camera.retrieve(picture)
    assert (picture == picture[0, 0, 0]).all()
    return int(picture[0, 0, 0])


def grab_surely(camera: LiveCamera) -> int:
    ticket = camera.grab(timeout_ms=10_000.0)
    assert ticket is not None
    return ticket.frame_id


def test_the_picture_decoded_is_the_one_on_the_ticket(camera: LiveCamera, device: ScriptedDevice) -> None:
    device.give(10)
    first_id = grab_surely(camera)
    device.give(-20, -30, 40)  # the reader must not run ahead while the ticket is held
    assert level_of(camera) == 10
    assert device.decoded == [10]
    while grab_surely(camera) < first_id + 3:  # whether 20 and 30 are overtaken depends on who is faster
        pass
    assert level_of(camera) == 40


def test_a_frame_that_is_not_wanted_is_never_decoded(camera: LiveCamera, device: ScriptedDevice) -> None:
    device.give(10)
    grab_surely(camera)
    device.give(20)
    grab_surely(camera)
    assert level_of(camera) == 20
    assert device.decoded == [20]


def test_frames_that_nobody_waits_for_are_dropped_and_counted(camera: LiveCamera, device: ScriptedDevice) -> None:
    device.give(10)
    grab_surely(camera)
    level_of(camera)
    device.give(-20, -30, -40, DEATH)  # the death is seen once the three are gone
    assert device.openings.get(timeout=10)
    assert device.openings.get(timeout=10)
    device.give(50)
    assert grab_surely(camera) == 4
    assert camera.dropped_count == 3
    assert level_of(camera) == 50


def test_frames_are_stamped_when_they_were_taken(
    camera: LiveCamera, device: ScriptedDevice, clock: ManualClock
) -> None:
    clock.wait_until_ns(5000)
    device.give(10)
    ticket = camera.grab(timeout_ms=10_000.0)
    assert ticket is not None
    assert ticket.exposed_at_ns == 5000


def test_a_camera_that_went_away_is_said_and_comes_back(device: ScriptedDevice, clock: ManualClock) -> None:
    device.answers = [True, False, False, True]
    camera = device.camera = LiveCamera(CAMERA, "7", clock, device.open, backoff_s=(0.0, 0.0))
    device.give(10)
    grab_surely(camera)
    level_of(camera)
    device.give(DEATH)
    assert [device.openings.get(timeout=10) for _ in range(4)] == [True, False, False, True]
    assert camera.fault is not None
    assert "camera 7 went away" in camera.fault
    assert not camera.is_exhausted
    device.give(20)
    grab_surely(camera)
    assert camera.fault is None
    assert level_of(camera) == 20
    device.give(*[DEATH] * 3)
    camera.close()
    assert camera.is_exhausted


def test_waits_between_openings_grow_up_to_the_longest(
    device: ScriptedDevice, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    device.answers = [True, *[False] * 6, True]
    camera = device.camera = LiveCamera(CAMERA, "7", clock, device.open, backoff_s=(0.2, 5.0))
    monkeypatch.setattr(camera._stopped, "wait", waits.append)
    device.give(DEATH, 10)
    grab_surely(camera)
    assert waits == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    device.answers = []
    monkeypatch.undo()
    device.give(*[DEATH] * 3)
    camera.close()


def test_a_silent_camera_is_a_fault_even_before_its_driver_says_so(camera: LiveCamera, clock: ManualClock) -> None:
    assert camera.grab(timeout_ms=1.0) is None
    assert camera.fault is None
    clock.wait_until_ns(1_500_000_000)
    assert camera.fault == "camera 7: no picture for more than a second"


def test_a_picture_that_cannot_be_decoded_is_black_and_counted(camera: LiveCamera, device: ScriptedDevice) -> None:
    device.give(0)
    grab_surely(camera)
    assert level_of(camera) == 0
    assert camera.dropped_count == 1


def test_a_camera_that_does_not_open_at_start_is_refused(device: ScriptedDevice, clock: ManualClock) -> None:
    device.answers = [False]
    with pytest.raises(SourceError, match=r"source\.location = '7'"):
        LiveCamera(CAMERA, "7", clock, device.open)
    assert device.released_count == 1


def test_no_message_gives_a_password_away(device: ScriptedDevice, clock: ManualClock) -> None:
    device.answers = [False]
    with pytest.raises(SourceError, match=r"rtsp://10\.0\.0\.9/belt") as refusal:
        LiveCamera(CAMERA, "rtsp://admin:secret@10.0.0.9/belt", clock, device.open)
    assert "secret" not in str(refusal.value)


def test_a_pipeline_without_gstreamer_is_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2.videoio_registry, "hasBackend", lambda _backend: False)
    pipeline = "rtspsrc location=rtsp://user:secret@camera/belt ! rtph264depay ! avdec_h264 ! videoconvert ! appsink"
    with pytest.raises(SourceError, match="without GStreamer") as refused:
        open_camera(pipeline, SIDE_PX, SIDE_PX, 30.0)
    assert "secret" not in str(refused.value)
