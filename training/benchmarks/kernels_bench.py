"""`farz bench kernels`: how far the GPU kernels are from OpenCV, and what nvcc makes of them; no GPU is used."""

import cv2
import numpy as np

from sorter.errors import ConfigurationError
from sorter.model.settings import DetectorSettings
from training.benchmarks.figure import Report
from vision.cuda.host_build import HostKernels, host_compiler
from vision.cuda.host_pictures import HostFit, thinned
from vision.cuda.nvcc import ARCHITECTURES, kernel_costs, known_architectures
from vision.detectors.heads import decode_raw

_PLACE_COUNT, _CLASS_COUNT = 2000, 9


def bench_kernels(*, is_quick: bool) -> Report:
    """Compare on pictures of chance sizes, and compile for each architecture that nvcc knows."""
    figures: dict[str, float | None] = dict.fromkeys(("kernels.grey_level_error", "kernels.box_error_px"))
    peers = {"nvcc": "not installed" if not known_architectures() else "installed, nothing is run"}
    if host_compiler() is None:
        peers["g++"] = "not installed"
    else:
        kernels = HostKernels()
        figures["kernels.grey_level_error"] = _grey_level_error(kernels, 10 if is_quick else 400)
        figures["kernels.box_error_px"] = _box_error_px(kernels, 3 if is_quick else 40)
        peers["opencv"] = cv2.__version__
    for architecture in ARCHITECTURES:
        figures |= _costs(architecture)
    conditions: dict[str, str | float] = {
        "kernels.where": "built for the host from the same sources, and by nvcc for a GPU; not yet run on a device"
    }
    return Report(figures, conditions, peers)


def _grey_level_error(kernels: HostKernels, count: int) -> float:
    """The largest difference of a grey level to OpenCV's resize."""
    rng, worst = np.random.default_rng(1), 0
    for _ in range(count):
        height, width, rows, columns = (int(size) for size in rng.integers(1, 400, 4))
        picture = rng.integers(0, 256, (height, width, 3), np.uint8)
        ours = HostFit(kernels, np.uint8).fitted(picture, rows, columns, (0, 0, rows, columns))
        theirs = cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_LINEAR)
        worst = max(worst, int(np.abs(ours.astype(int) - theirs).max()))
    return float(worst)


def _box_error_px(kernels: HostKernels, count: int) -> float:
    """The largest difference of a kept box's side to what `decode_raw` keeps; infinite if not the same are kept."""
    rng, worst, settings = np.random.default_rng(1), 0.0, DetectorSettings()
    for _ in range(count):
        output = rng.uniform(0, 1, (1, 4 + _CLASS_COUNT, _PLACE_COUNT)).astype(np.float32)
        output[0, :2] *= 600
        output[0, 2:4] *= 120
        output[0, 4:] **= 8
        expected = decode_raw(output, settings)
        boxes, _ = thinned(kernels, output, settings.score_threshold, settings.nms_iou_ratio, settings.max_detections)
        if boxes.shape != expected.boxes.shape:
            return float("inf")
        worst = max(worst, float(np.abs(boxes - expected.boxes).max(initial=0.0)))
    return worst


def _costs(architecture: str) -> dict[str, float | None]:
    """Registers of every kernel, and bytes spilled by all together; None where nvcc does not know the architecture."""
    key = f"kernels.{architecture}"
    try:
        costs = kernel_costs(architecture) if architecture in known_architectures() else []
    except ConfigurationError:
        costs = []
    if not costs:
        return {f"{key}_spilled_bytes": None}
    spilled: dict[str, float | None] = {f"{key}_spilled_bytes": float(sum(cost.spilled_bytes for cost in costs))}
    return spilled | {
        f"{key}_{cost.name.removeprefix('farz_')}_register_count": float(cost.register_count) for cost in costs
    }
