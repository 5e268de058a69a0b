"""Engines: built once, believed only after parity, rebuilt when anything changes, swapped while the line runs."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from gpu_fakes import NEEDS_COMPILER, Machine, pretended_gpu

from sorter.errors import BundleError, ConfigurationError
from sorter.model.settings import DetectorSettings, Settings
from sorter.runtime.bundle import ONNX_F16_FORM, Bundle, default_bundle_folder, load_bundle
from sorter.runtime.clock import ManualClock
from vision.cuda import jetson
from vision.cuda.device import gpu_absence
from vision.detectors import open_detector, tensorrt_opening
from vision.detectors.engine_cache import EngineCache, EngineFacts
from vision.detectors.runtime_parity import LIMITS, compared
from vision.detectors.tensorrt_detector import TensorRtDetector
from vision.detectors.tensorrt_opening import open_tensorrt, vectors
from vision.frame import Detections, Frame
from vision.picture_memory import slot_memory
from vision.pipeline import Pipeline
from vision.sources.opening import open_source

pytestmark = [
    NEEDS_COMPILER,
    pytest.mark.skipif(not default_bundle_folder().is_dir(), reason="no bundle is shipped yet"),
]
Open = Callable[..., TensorRtDetector]


def without_16_bits() -> Bundle:
    """The shipped bundle, but for its pre-cast form."""
    bundle = load_bundle(default_bundle_folder())
    forms = {name: form for name, form in bundle.manifest.forms.items() if name != ONNX_F16_FORM}
    return msgspec.structs.replace(bundle, manifest=msgspec.structs.replace(bundle.manifest, forms=forms))


@pytest.fixture(autouse=True)
def _few_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensorrt_opening, "_VECTOR_COUNT", 2)


@pytest.fixture
def open_engine(tmp_path: Path) -> Open:
    def open_one(bundle: Bundle | None = None, **settings: Any) -> TensorRtDetector:
        wanted = DetectorSettings(runtime="tensorrt", engine_folder=str(tmp_path / "engines"))
        return open_tensorrt(
            bundle or load_bundle(default_bundle_folder()), msgspec.structs.replace(wanted, **settings)
        )

    return open_one


def engines_in(folder: Path) -> set[str]:
    return {path.name for path in (folder / "engines").glob("*.engine")}


def test_an_engine_is_built_once_and_its_progress_told(
    open_engine: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with pretended_gpu() as machine:
        open_engine()
        assert "Building Engine, 50 %" in caplog.text
        assert "agrees with ONNX Runtime" in caplog.text
        assert "Tactics" not in caplog.text
        open_engine()
        assert machine.build_count == 1
    assert len(engines_in(tmp_path)) == 1
    assert not list((tmp_path / "engines").glob("unproven-*"))


def test_another_version_builds_anew_and_the_first_is_kept_for_the_way_back(open_engine: Open, tmp_path: Path) -> None:
    for version in ("10.3.0", "10.7.0", "10.3.0"):
        with pretended_gpu(version) as machine:
            open_engine()
        built = machine.build_count
    assert built == 0
    assert len(engines_in(tmp_path)) == 2


@pytest.mark.parametrize("change", ["tensorrt", "cuda", "architecture", "power_mode", "precision"])
def test_whatever_changes_makes_another_engine(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle, settings = without_16_bits(), DetectorSettings(runtime="tensorrt")
    with pretended_gpu():
        before = tensorrt_opening._Opening(bundle, settings)._facts
    version = "10.7.0" if change == "tensorrt" else "10.3.0"
    machine = Machine(
        architecture=(11, 0) if change == "architecture" else (8, 7),
        cuda_version=(12, 8) if change == "cuda" else (12, 6),
    )
    if change == "power_mode":
        monkeypatch.setattr(tensorrt_opening, "power_mode", lambda: "2 15W")
    if change == "precision":
        settings = msgspec.structs.replace(settings, precision="f16")
    with pretended_gpu(version, machine=machine):
        after = tensorrt_opening._Opening(bundle, settings)._facts
    assert [name for name in after.__struct_fields__ if getattr(after, name) != getattr(before, name)] == [change]
    assert after.key != before.key


def test_an_engine_that_disagrees_is_not_kept_and_the_line_refuses(
    open_engine: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TensorRtDetector, "detect", sees_elsewhere(TensorRtDetector.detect))
    with pretended_gpu(), pytest.raises(BundleError, match=r"disagrees with ONNX Runtime: box difference"):
        open_engine()
    assert engines_in(tmp_path) == set()


def test_the_old_engine_goes_on_where_the_new_one_disagrees(
    open_engine: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pretended_gpu():
        open_engine()
        before = engines_in(tmp_path)
        monkeypatch.setattr(tensorrt_opening, "power_mode", lambda: "2 15W")
        monkeypatch.setattr(TensorRtDetector, "detect", sees_elsewhere(TensorRtDetector.detect))
        detector = open_engine()
    assert "the engine of TensorRT 10.3.0 stays" in detector.choice_reason
    assert engines_in(tmp_path) == before


def sees_elsewhere(detect: Any) -> Any:
    def moved(detector: TensorRtDetector, frame: Frame) -> Detections:
        found = detect(detector, frame)
        return Detections(found.boxes_px + np.float32(20), found.class_probs)

    return moved


def test_only_the_newest_older_engine_is_kept(tmp_path: Path) -> None:
    cache = EngineCache(tmp_path)
    facts = [EngineFacts("ab" * 32, "f16", "10.3.0", "12.6", "sm_87", f"{mode} W") for mode in range(4)]
    for number, one in enumerate(facts):
        cache.keep(one, bytes([number]))
    assert cache.proven(facts[3]) == b"\3"
    assert cache.older(facts[3]) == [(facts[2], b"\2")]
    assert cache.proven(facts[0]) is None
    assert len({one.key for one in facts}) == 4


def test_what_was_half_written_is_not_taken_for_an_engine(tmp_path: Path) -> None:
    facts = EngineFacts("ab" * 32, "f32", "10.3.0", "12.6", "sm_87", "")
    cache = EngineCache(tmp_path)
    cache.keep(facts, b"whole")
    cache._path(facts).with_suffix(".json").unlink()
    assert cache.proven(facts) is None


@pytest.mark.parametrize("version", ["10.3.0", "11.4.1"])
def test_rounded_networks_are_built_on_every_version(open_engine: Open, version: str) -> None:
    with pretended_gpu(version):
        detector = open_engine(precision="int8")
    assert detector.precision == "int8"


def test_sixteen_bits_come_by_flag_on_version_10_and_from_the_file_alone_on_11(open_engine: Open) -> None:
    with pretended_gpu("10.3.0"):
        assert open_engine(precision="f16").precision == "f16"
    with pretended_gpu("11.0.0"):
        with pytest.raises(ConfigurationError, match=r"'f16'.*no form 'onnx-f16'"):
            open_engine(without_16_bits(), precision="f16")
        assert open_engine(precision="f16").precision == "f16"


@pytest.mark.parametrize("version", ["8.6.1", "10.2.0", "12.0.0"])
def test_other_versions_are_refused_by_name(open_engine: Open, version: str) -> None:
    with pretended_gpu(version), pytest.raises(ConfigurationError, match=rf"TensorRT {version} is installed"):
        open_engine()


def test_without_a_gpu_or_its_libraries_that_is_said_in_a_sentence(open_engine: Open) -> None:
    with pretended_gpu(has_gpu=False), pytest.raises(ConfigurationError, match="no NVIDIA GPU can be used here"):
        open_engine()
    tensorrt_opening.open_device.cache_clear()
    with pytest.raises(ConfigurationError, match="pycuda is not installed"):
        slot_memory(DetectorSettings(runtime="tensorrt"))


def test_a_graph_is_recorded_where_cuda_python_is_and_answers_the_same(open_engine: Open) -> None:
    frames = vectors(416, 736)
    with pretended_gpu():
        plain = [open_engine().detect(frame) for frame in frames]
    with pretended_gpu(has_graphs=True) as machine:
        detector = open_engine()
        for _ in range(2):
            recorded = [detector.detect(frame) for frame in frames]
        assert machine.graph_launch_count == 2 * len(frames) - 1  # type: ignore[attr-defined]
    assert sum(len(one.boxes_px) for one in plain) > 0
    for one, other in zip(plain, recorded, strict=True):
        assert np.array_equal(one.boxes_px, other.boxes_px)
        assert np.array_equal(one.class_probs, other.class_probs)


def test_a_frame_in_a_slot_moves_no_more_bytes_than_it_must(open_engine: Open) -> None:
    with pretended_gpu():
        detector = open_engine()
        before = detector.traffic
        memory = slot_memory(DetectorSettings(runtime="tensorrt"))
        assert memory is not None
        slot = memory((720, 1280, 3))
        slot[:] = 0
        detector.detect(Frame(0, 0, 0, slot))
        after = detector.traffic
    moved = {name: getattr(after, name) - getattr(before, name) for name in after.__struct_fields__}
    assert moved == {
        "copied_bytes": 0, "read_bytes": 720 * 1280 * 3, "written_bytes": 416 * 736 * 3,
        "returned_bytes": 4 + 300 * (4 + 9) * 4, "frame_count": 1,
    }  # fmt: skip


def test_parity_names_what_is_beyond_its_limit() -> None:
    boxes = np.array([[0, 0, 40, 40], [100, 100, 140, 140]], np.float32)
    sure = np.full((2, 3), 0.8, np.float32)
    reference = Told(Detections(boxes, sure))
    frame = [Frame(0, 0, 0, np.zeros((2, 2, 3), np.uint8))]
    same = compared(reference, reference, frame, "f32")
    assert (same.box_px, same.probability, same.alone_ratio, same.sure_count, same.excess) == (0, 0, 0, 4, ())
    moved = compared(Told(Detections(boxes + np.float32(3), sure - np.float32(0.02))), reference, frame, "f32")
    assert [text.split(" is ")[0].rpartition(" ")[0] for text in moved.excess] == [
        "box difference in px", "probability difference",
    ]  # fmt: skip
    half = compared(Told(Detections(boxes[:1], sure[:1])), reference, frame, "f16")
    assert half.excess == (f"share without a partner 0.333 is above {LIMITS['f16'].alone_ratio:g}",)
    nothing = compared(Told(Detections(boxes[:0], sure[:0])), reference, frame, "int8")
    assert nothing.alone_ratio == 1.0


class Told:
    """A detector that always answers the same."""

    def __init__(self, answer: Detections) -> None:
        self._answer = answer

    def detect(self, _frame: Frame) -> Detections:
        return self._answer


def test_power_mode_is_read_where_there_is_one(tmp_path: Path) -> None:
    assert jetson.power_mode(tmp_path) is None
    (tmp_path / "var/lib/nvpmodel").mkdir(parents=True)
    (tmp_path / "var/lib/nvpmodel/status").write_text("pmode:0002\n")
    assert jetson.power_mode(tmp_path) == "2"
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/nvpmodel.conf").write_text("< POWER_MODEL ID=0 NAME=MAXN >\n< POWER_MODEL ID=2 NAME=15W >\n")
    assert jetson.power_mode(tmp_path) == "2 15W"


def test_no_device_node_no_gpu(tmp_path: Path) -> None:
    assert gpu_absence(tmp_path) == "no NVIDIA device"
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/nvhost-gpu").touch()
    assert gpu_absence(tmp_path) is None


def test_a_champion_swapped_in_is_opened_beside_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both engines on one GPU, opened on another thread, as `ModelSwap` does it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    settings = Settings(detector=DetectorSettings(runtime="tensorrt"))
    frame = vectors(416, 736)[0]
    with pretended_gpu(), ThreadPoolExecutor(1) as thread:
        old = open_detector(settings)
        seats = [old.open_seat(), old.open_seat()]
        seats[0].lay(frame)
        seats[0].start(lambda: None)
        new = thread.submit(open_detector, settings).result()
        assert np.array_equal(new.detect(frame).boxes_px, seats[0].answer().boxes_px)


def test_frames_of_the_pipeline_s_own_ring_reach_the_network_without_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ring is the mapped memory itself: what the source draws into a slot is what the kernel reads."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    settings, clock = Settings(detector=DetectorSettings(runtime="tensorrt")), ManualClock()
    with pretended_gpu():
        detector = open_detector(settings)
        assert isinstance(detector, TensorRtDetector)
        before = detector.traffic
        source = open_source(settings, clock, 0)
        pipeline = Pipeline(settings, source, detector, clock)
        for number in range(8):
            ticket = source.grab()
            assert ticket is not None
            assert pipeline.take(ticket, number * 200_000) is not None
        moved, camera = detector.traffic, settings.camera
        figures = pipeline.figures()
    assert moved.frame_count - before.frame_count == 8
    assert moved.copied_bytes == before.copied_bytes == 0
    assert moved.read_bytes - before.read_bytes == 8 * camera.width_px * camera.height_px * 3
    assert figures["copies_per_view"] == 0.0
    assert figures["copied_bytes_per_frame"] == 0.0
    assert figures["read_in_place_bytes_per_frame"] > 0.0


def test_a_build_is_shown_on_a_terminal_and_not_in_a_pipe(
    open_engine: Open, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pretended_gpu():
        open_engine()
        assert "building" not in capsys.readouterr().err
        monkeypatch.setattr("sys.stderr.isatty", lambda: True)
        open_engine(precision="f16")
    assert "\rbuilding the TensorRT engine: Building Engine 50%" in capsys.readouterr().err


@pytest.mark.parametrize("version", ["10.3.0", "11.0.0"])
def test_left_to_choose_it_takes_no_16_bits_that_the_bundle_does_not_hold(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("vision.detectors.opening.bundle_for", lambda _settings: without_16_bits())
    with pretended_gpu(version):
        detector = open_detector(Settings(detector=DetectorSettings(runtime="tensorrt", precision="auto")))
    assert detector.precision in {"f32", "int8"}
    assert "f16 is left out: the bundle has no such form" in detector.choice_reason
