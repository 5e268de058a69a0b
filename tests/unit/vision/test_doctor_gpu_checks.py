"""`farz doctor` on a machine with a GPU, pretended: each check measures something, and what is wrong is found."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gpu_fakes import NEEDS_COMPILER, pretended_gpu

from sorter.doctor_finding import Verdict
from sorter.model.settings import Settings
from sorter.model.units import ms_to_ns
from sorter.runtime.bundle import default_bundle_folder
from sorter.runtime.clock import ManualClock
from vision import doctor_gpu_checks as checks
from vision.cuda.device import CudaDevice
from vision.detectors import tensorrt_opening
from vision.detectors.tensorrt_detector import TensorRtDetector
from vision.doctor_camera_checks import capture_latency
from vision.frame import Detections, Frame

pytestmark = [
    NEEDS_COMPILER,
    pytest.mark.skipif(not default_bundle_folder().is_dir(), reason="no bundle is shipped yet"),
]


@pytest.fixture(scope="module")
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _gpu(_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(_cache))
    monkeypatch.setattr(checks, "gpu_absence", lambda: None)
    monkeypatch.setattr(checks, "_TIMED_RUNS", 2)
    monkeypatch.setattr(tensorrt_opening, "_VECTOR_COUNT", 2)
    with pretended_gpu():
        yield
        checks._opened.cache_clear()


def test_gpu_libraries_and_memory_are_named() -> None:
    assert checks.check_gpu(Settings()).text == "Fake Orin, sm_87, CUDA 12.6"
    assert checks.check_libraries(Settings()).text == "TensorRT 10.3.0, pycuda"
    assert checks.check_memory(Settings()).text == "4.0 of 8.0 GiB free"


def test_parity_holds_boxes_and_probabilities_against_onnx_runtime() -> None:
    found = checks.check_parity(Settings())
    assert found.verdict is Verdict.GOOD
    assert found.figures == {"box_px": 0.0, "probability": 0.0, "alone_ratio": 0.0}


def test_a_gpu_that_sees_something_else_must_not_sort(monkeypatch: pytest.MonkeyPatch) -> None:
    checks._detector(Settings())
    detect = TensorRtDetector.detect

    def moved(detector: TensorRtDetector, frame: Frame) -> Detections:
        found = detect(detector, frame)
        return Detections(found.boxes_px + np.float32(9), found.class_probs)

    monkeypatch.setattr(TensorRtDetector, "detect", moved)
    found = checks.check_parity(Settings())
    assert found.verdict is Verdict.WRONG
    assert "do not sort with it" in found.text


def test_a_frame_is_timed_and_its_bytes_are_counted() -> None:
    assert set(checks.check_engine(Settings()).figures) == {"p50_ms", "p99_ms"}
    found = checks.check_zero_copy(Settings())
    assert found.verdict is Verdict.GOOD
    assert (found.figures["copied_bytes"], found.figures["read_bytes"]) == (0.0, 640 * 640 * 3)


def test_a_copy_on_the_host_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    checks._detector(Settings())
    ring_memory = CudaDevice.mapped_empty

    def pageable(device: CudaDevice, shape: tuple[int, ...], dtype: Any = np.uint8) -> Any:
        return np.empty(shape, dtype) if len(shape) == 4 else ring_memory(device, shape, dtype)

    monkeypatch.setattr(CudaDevice, "mapped_empty", pageable)
    found = checks.check_zero_copy(Settings())
    assert found.verdict is Verdict.WRONG
    assert found.text.startswith(f"{640 * 640 * 3} bytes of a frame were copied")


def test_clocks_that_are_not_held_make_the_first_frames_slow(tmp_path: Path) -> None:
    folder = tmp_path / "sys/class/devfreq/17000000.gpu"
    folder.mkdir(parents=True)
    for name, value in {"min_freq": 306_000_000, "cur_freq": 306_000_000, "max_freq": 624_750_000}.items():
        (folder / name).write_text(f"{value}\n")
    found = checks.check_clocks(Settings(), tmp_path)
    assert (found.verdict, "jetson_clocks" in found.text) == (Verdict.POOR, True)
    (folder / "min_freq").write_text("624750000\n")
    assert checks.check_clocks(Settings(), tmp_path).verdict is Verdict.GOOD


class Camera:
    """A pretended camera: pictures come every so often, and are so old when they do."""

    is_open = True

    def __init__(self, clock: ManualClock, period_ms: float, age_ms: float | None) -> None:
        self._clock, self._period_ms, self._age_ms = clock, period_ms, age_ms

    def grab(self) -> bool:
        self._clock.wait_until_ns(self._clock.now_ns() + ms_to_ns(self._period_ms))
        return True

    @property
    def stamped_at_ns(self) -> int | None:
        return None if self._age_ms is None else self._clock.now_ns() - ms_to_ns(self._age_ms)


@pytest.mark.parametrize(
    ("period_ms", "age_ms", "verdict", "words"),
    [
        (16.0, 21.0, Verdict.GOOD, "21.0 ms old, 62 pictures a second"),
        (16.0, 90.0, Verdict.POOR, "fewer buffers"),
        (40.0, 21.0, Verdict.POOR, "fewer than camera.frame_rate_hz = 60"),
        (16.0, None, Verdict.POOR, "the driver does not stamp them"),
    ],
)
def test_how_old_a_picture_is_comes_from_the_driver_s_stamps(
    period_ms: float, age_ms: float | None, verdict: Verdict, words: str
) -> None:
    clock = ManualClock()
    found = capture_latency(Camera(clock, period_ms, age_ms), 60.0, clock)  # type: ignore[arg-type]
    assert found.verdict is verdict
    assert words in found.text
