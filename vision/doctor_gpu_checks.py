"""Checks of `farz doctor` for an NVIDIA GPU; on a machine without one, each says so and touches nothing.

On a Jetson this is the first day's test: what could only be checked by construction before is measured here.
"""

import functools
import statistics
from pathlib import Path

import msgspec
import numpy as np

from sorter.doctor_finding import Finding, Verdict
from sorter.model.settings import Settings
from sorter.model.units import NS_PER_MS
from sorter.runtime.bundle import bundle_for
from sorter.runtime.clock import SystemClock
from vision.cuda.device import gpu_absence, open_device
from vision.cuda.jetson import board_model, power_mode, release
from vision.detectors.onnxruntime_detector import OnnxRuntimeDetector
from vision.detectors.runtime_parity import compared
from vision.detectors.tensorrt_detector import TensorRtDetector
from vision.detectors.tensorrt_library import TensorRt
from vision.detectors.tensorrt_opening import known_precisions, open_tensorrt, vectors
from vision.frame import Frame
from vision.ring import FrameRing

_TIMED_RUNS = 50
_LEAST_FREE_GIB = 1.0
_SLOT_COUNT = 6
_GPU_CLOCKS = ("sys/devices/platform/bus@0/17000000.gpu/devfreq/17000000.gpu", "sys/class/devfreq/17000000.gpu")


def check_gpu(_settings: Settings) -> Finding:
    """Which GPU there is."""
    absence = gpu_absence()
    if absence is not None:
        return _none("gpu", absence)
    device = open_device()
    parts = [device.name, device.architecture, f"CUDA {device.cuda_version}", board_model(), release()]
    return Finding("gpu", Verdict.GOOD, ", ".join(part for part in parts if part))


def check_libraries(_settings: Settings) -> Finding:
    """Whether TensorRT is there in a version that is known."""
    name, absence = "gpu libraries", gpu_absence()
    return _none(name, absence) if absence else Finding(name, Verdict.GOOD, f"TensorRT {TensorRt().version}, pycuda")


def check_power_mode(_settings: Settings) -> Finding:
    """Which power mode nvpmodel has set: the fastest kernels are chosen under it."""
    name, absence = "gpu power mode", gpu_absence()
    if absence:
        return _none(name, absence)
    mode = power_mode()
    if mode is None:
        return _none(name, "this board has no nvpmodel")
    return Finding(name, Verdict.GOOD, f"power mode {mode}; another one makes the engine be built anew")


def check_clocks(_settings: Settings, root: Path = Path("/")) -> Finding:
    """Whether the GPU may run as fast as it can."""
    name, absence = "gpu clocks", gpu_absence()
    if absence:
        return _none(name, absence)
    for folder in (root / each for each in _GPU_CLOCKS):
        if (folder / "max_freq").is_file():
            allowed_mhz, now_mhz = (int((folder / one).read_text()) / 1e6 for one in ("max_freq", "cur_freq"))
            lowest_mhz = int((folder / "min_freq").read_text()) / 1e6
            text = f"{now_mhz:.0f} MHz now, {lowest_mhz:.0f} to {allowed_mhz:.0f} MHz allowed"
            if lowest_mhz < allowed_mhz:
                return Finding(
                    name, Verdict.POOR, f"{text}: the first frames after a pause are slow; run jetson_clocks"
                )
            return Finding(name, Verdict.GOOD, text)
    return _none(name, "this GPU does not show its clocks in files")


def check_memory(_settings: Settings) -> Finding:
    """Whether the GPU has memory left for an engine."""
    name, absence = "gpu memory", gpu_absence()
    if absence:
        return _none(name, absence)
    free_gib, all_gib = (size / 2**30 for size in open_device().memory_bytes())
    text = f"{free_gib:.1f} of {all_gib:.1f} GiB free"
    if free_gib < _LEAST_FREE_GIB:
        return Finding(
            name, Verdict.POOR, f"{text}: building an engine wants {_LEAST_FREE_GIB:.0f} GiB; end other work"
        )
    return Finding(name, Verdict.GOOD, text)


def check_parity(settings: Settings) -> Finding:
    """Whether the GPU sees what ONNX Runtime sees on the bundled pictures: boxes and probabilities."""
    name, absence = "gpu parity", gpu_absence()
    if absence:
        return _none(name, absence)
    detector = _detector(settings)
    bundle, precision = bundle_for(settings), "int8" if detector.precision == "int8" else "f32"
    reference = OnnxRuntimeDetector(
        bundle, msgspec.structs.replace(settings.detector, runtime="onnxruntime", precision=precision)
    )
    network = bundle.manifest.network
    parity = compared(detector, reference, vectors(network.input_height_px, network.input_width_px), detector.precision)
    figures = {"box_px": parity.box_px, "probability": parity.probability, "alone_ratio": parity.alone_ratio}
    if parity.excess:
        return Finding(name, Verdict.WRONG, f"{'; '.join(parity.excess)}: do not sort with it; report this", figures)
    return Finding(name, Verdict.GOOD, f"{detector.precision}: {parity.text}", figures)


def check_engine(settings: Settings) -> Finding:
    """How long a frame takes, from its slot to the boxes."""
    name, absence = "gpu engine", gpu_absence()
    if absence:
        return _none(name, absence)
    detector, clock, frame = _detector(settings), SystemClock(), _frame_in_a_slot(settings)
    spent_ms = []
    for _ in range(_TIMED_RUNS):
        before_ns = clock.now_ns()
        detector.detect(frame)
        spent_ms.append((clock.now_ns() - before_ns) / NS_PER_MS)
    p50_ms, p99_ms = statistics.median(spent_ms), float(np.percentile(spent_ms, 99))
    text = f"{detector.precision}: {p50_ms:.2f} ms a frame, p99 {p99_ms:.2f} ms, {_TIMED_RUNS} frames"
    return Finding(name, Verdict.GOOD, text, {"p50_ms": p50_ms, "p99_ms": p99_ms})


def check_zero_copy(settings: Settings) -> Finding:
    """Whether pictures in the ring reach the network without a copy, by the detector's own counters, and how fast."""
    name, absence = "gpu zero copy", gpu_absence()
    if absence:
        return _none(name, absence)
    detector, frame, device = _detector(settings), _frame_in_a_slot(settings), open_device()
    before = detector.traffic
    detector.detect(frame)
    after = detector.traffic
    copied_bytes, read_bytes = after.copied_bytes - before.copied_bytes, after.read_bytes - before.read_bytes
    seat = detector.open_seat()
    with device.current():
        spent_ms = device.timed_ms(seat.stream, lambda: seat.input.lay(frame.image))
    figures = {"copied_bytes": float(copied_bytes), "read_bytes": float(read_bytes), "kernel_ms": spent_ms}
    if copied_bytes:
        return Finding(
            name, Verdict.WRONG, f"{copied_bytes} bytes of a frame were copied on the host; report this", figures
        )
    rate = f", {read_bytes / spent_ms / 1e6:.1f} GB/s" if spent_ms > 0 else ""
    return Finding(
        name, Verdict.GOOD, f"no byte copied, {read_bytes} read in place in {spent_ms:.2f} ms{rate}", figures
    )


def _none(name: str, reason: str) -> Finding:
    return Finding(name, Verdict.NOT_APPLICABLE, reason)


def _detector(settings: Settings) -> TensorRtDetector:
    precision = settings.detector.precision if settings.detector.precision in known_precisions() else "f32"
    wanted = msgspec.structs.replace(settings.detector, runtime="tensorrt", precision=precision)
    return _opened(msgspec.json.encode(msgspec.structs.replace(settings, detector=wanted)))


@functools.lru_cache(maxsize=1)
def _opened(encoded: bytes) -> TensorRtDetector:
    """Three checks look at one engine; settings are no key of a dictionary, their text is."""
    settings = msgspec.json.decode(encoded, type=Settings)
    return open_tensorrt(bundle_for(settings), settings.detector)


def _frame_in_a_slot(settings: Settings) -> Frame:
    camera = settings.camera
    ring = FrameRing(_SLOT_COUNT, camera.height_px, camera.width_px, allocate=open_device().mapped_empty)
    slot = ring.next_slot()
    slot[:] = 90
    return Frame(0, 0, 0, slot)
