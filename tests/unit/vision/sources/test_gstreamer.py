"""GStreamer: pipelines that hold nothing back, a real one where GStreamer is installed, NVMM buffers pretended."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gpu_fakes import NEEDS_COMPILER, Misuse, pretended_gpu

from sorter.errors import ConfigurationError, SourceError
from sorter.model.settings import CameraSettings
from sorter.runtime.clock import SystemClock
from sorter.runtime.configuration import settings_from
from vision.cuda.device import open_device
from vision.cuda.nvmm import _SOURCE, NvBufSurfaces, NvmmUnpack, Registered
from vision.sources import gstreamer
from vision.sources.gstreamer import GstCapture
from vision.sources.gstreamer_pipelines import pipeline_of
from vision.sources.opening import capture_opener

CAMERA = CameraSettings(width_px=1280, height_px=720, frame_rate_hz=60.0, exposure_us=300.0)
SYSTEM_PACKAGES = "/usr/lib/python3/dist-packages"
CUDA_HEADERS = Path("/usr/local/cuda/include/cudaEGL.h")
EGL_HEADERS = Path("/usr/include/EGL/egl.h")


@pytest.mark.parametrize("location", ["csi:1", "rtsp://10.0.0.4/belt", "/dev/video2", "3"])
def test_on_a_jetson_pictures_stay_in_its_memory_and_none_waits(location: str) -> None:
    text = pipeline_of(location, CAMERA, on_nvidia=True)
    assert text.count("memory:NVMM") >= 1
    assert "format=RGBA,width=1280,height=720" in text
    assert text.endswith("appsink name=sink sync=false max-buffers=1 drop=true")
    assert "leaky=downstream" in text
    assert "videoconvert" not in text


def test_a_hardware_decoder_holds_no_frame_back_and_a_stream_has_no_latency() -> None:
    text = pipeline_of("rtsp://10.0.0.4/belt", CAMERA, on_nvidia=True)
    assert "nvv4l2decoder disable-dpb=true enable-max-performance=true" in text
    assert "latency=0 drop-on-latency=true" in text


def test_a_csi_camera_keeps_its_exposure() -> None:
    text = pipeline_of("csi:0", CAMERA, on_nvidia=True)
    assert 'sensor-id=0 exposuretimerange="300000 300000" aelock=true' in text
    assert "framerate=60/1" in text


def test_on_other_machines_pictures_are_bgr_in_ordinary_memory() -> None:
    for location in ("rtsp://10.0.0.4/belt", "0"):
        text = pipeline_of(location, CAMERA, on_nvidia=False)
        assert "NVMM" not in text
        assert "video/x-raw,format=BGR,width=1280,height=720" in text


@pytest.mark.parametrize(("location", "on_nvidia"), [("csi:0", False), ("csi:front", True), ("belt.mp4", True)])
def test_a_location_that_cannot_be_is_refused_with_what_can(location: str, on_nvidia: bool) -> None:
    with pytest.raises(ConfigurationError, match=r"source\.location = .*(csi:NUMBER)"):
        pipeline_of(location, CAMERA, on_nvidia=on_nvidia)


def test_a_pipeline_of_one_s_own_is_left_alone() -> None:
    own = "videotestsrc ! appsink name=sink"
    assert pipeline_of(own, CAMERA, on_nvidia=False) == own


def test_a_jetson_s_hardware_needs_a_detector_whose_ring_it_can_write() -> None:
    settings = settings_from({"source": {"kind": "camera", "location": "csi:0", "taken_by": "nvidia"}})
    with pytest.raises(ConfigurationError, match=r"needs detector\.runtime 'tensorrt'"):
        capture_opener(settings)


def test_without_gstreamer_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gi", None)
    with pytest.raises(SourceError, match="wants python3-gi"):
        GstCapture("videotestsrc ! appsink name=sink")


@pytest.fixture
def _gst(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's binding, which may be of this very Python."""
    monkeypatch.syspath_prepend(SYSTEM_PACKAGES)
    try:
        gstreamer._gstreamer()
    except SourceError:
        pytest.skip("GStreamer is not installed for this Python")


@pytest.mark.usefixtures("_gst")
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ImportWarning")
@pytest.mark.parametrize("width_px", [64, 50])
def test_a_real_pipeline_s_picture_lands_in_the_slot(width_px: int) -> None:
    caps = f"video/x-raw,format=BGR,width={width_px},height=48,framerate=30/1"
    # a live source is stamped by the clock, as cameras are; red, green and blue tell the order of bytes
    capture = GstCapture(f"videotestsrc is-live=true pattern=red ! {caps} ! appsink name=sink max-buffers=1 drop=true")
    try:
        assert capture.is_open
        assert capture.grab()
        slot = np.zeros((48, width_px, 3), np.uint8)
        assert capture.retrieve(slot) is slot
        assert (slot == (0, 0, 255)).all()
        stamp_ns = capture.stamped_at_ns
        assert stamp_ns is not None
        assert 0 <= SystemClock().now_ns() - stamp_ns < 10_000_000_000
        other = np.zeros((4, 4, 3), np.uint8)
        assert capture.retrieve(other) is not other
    finally:
        capture.release()


@pytest.mark.usefixtures("_gst")
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ImportWarning")
@pytest.mark.parametrize("pipeline", ["no-such-element ! appsink name=sink", "videotestsrc ! fakesink"])
def test_a_pipeline_that_cannot_be_is_refused(pipeline: str) -> None:
    with pytest.raises(SourceError, match="pipeline"):
        GstCapture(pipeline)


class PretendedSurfaces:
    """Buffers of a pool of the GPU's memory, by their number in the first byte."""

    def __init__(self, pictures: list[Any]) -> None:
        self.pictures = pictures
        self.released: list[int] = []

    def buffer_id(self, surface: bytes) -> int:
        return surface[0]

    def register(self, surface: bytes) -> Registered:
        picture = self.pictures[surface[0] % len(self.pictures)]
        pointer = open_device().pointer_of(picture)
        assert pointer is not None
        return Registered(surface[0], pointer, picture.shape[1])

    def release(self, registered: Registered) -> None:
        self.released.append(registered.handle)


@pytest.fixture
def unpack() -> Iterator[NvmmUnpack]:
    with pretended_gpu():
        device = open_device()
        pictures = []
        for number in range(3):
            # rows of 256 bytes hold 10 pixels of 4 bytes, the rest is no picture
            rgba = device.mapped_empty((6, 256))
            rgba[:, :40].reshape(6, 10, 4)[:] = (10 + number, 20, 30, 255)
            pictures.append(rgba)
        yield NvmmUnpack(device, PretendedSurfaces(pictures), lambda buffer: buffer)


@NEEDS_COMPILER
def test_a_buffer_is_registered_once_and_its_picture_written_by_the_gpu(unpack: NvmmUnpack) -> None:
    slot = open_device().mapped_empty((6, 10, 3))
    for turn in range(9):
        assert unpack(bytes([turn % 3]), slot)
        assert (slot == (30, 20, 10 + turn % 3)).all()
    assert unpack.registrations.registered_count == 3


@NEEDS_COMPILER
def test_a_pool_that_never_comes_back_does_not_grow_for_ever(unpack: NvmmUnpack) -> None:
    slot = open_device().mapped_empty((6, 10, 3))
    for number in range(40):
        unpack(bytes([number]), slot)
    surfaces: Any = unpack.registrations._surfaces
    assert surfaces.released == list(range(8))
    unpack.registrations.close()
    assert sorted(surfaces.released) == list(range(40))


@NEEDS_COMPILER
def test_a_slot_in_ordinary_memory_is_refused_rather_than_written_by_a_copy(unpack: NvmmUnpack) -> None:
    assert not unpack(b"\0", np.zeros((6, 10, 3), np.uint8))


@NEEDS_COMPILER
def test_a_registration_that_was_let_go_is_caught_by_the_fakes(unpack: NvmmUnpack) -> None:
    surfaces: Any = unpack.registrations._surfaces
    slot = open_device().mapped_empty((6, 10, 3))
    unpack(b"\0", slot)
    surfaces.pictures.clear()
    with pytest.raises(Misuse, match="after it was freed"):
        unpack(b"\0", slot)


@NEEDS_COMPILER
@pytest.mark.skipif(not (CUDA_HEADERS.exists() and EGL_HEADERS.exists()), reason="no headers of CUDA and EGL here")
def test_the_part_in_c_compiles_against_the_documented_names() -> None:
    fakes = Path(__file__).resolve().parents[3] / "fakes/jetson_headers"
    command = ["g++", "-std=c++17", "-fsyntax-only", "-Wall", f"-I{fakes}", f"-I{CUDA_HEADERS.parent}", str(_SOURCE)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr


@NEEDS_COMPILER
@pytest.mark.skipif(Path("/usr/src/jetson_multimedia_api").exists(), reason="this is a Jetson, where it can be built")
def test_where_it_cannot_be_built_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="needs a Jetson with nvidia-l4t-jetson-multimedia-api"):
        NvBufSurfaces(tmp_path / "nvmm.so")
