"""The kernels, built for the host from their own sources, against OpenCV and NumPy; and what nvcc makes of them."""

import functools
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from gpu_fakes import NEEDS_COMPILER
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sorter.model.settings import DetectorSettings
from vision.cuda import host_build
from vision.cuda.host_build import HostKernels
from vision.cuda.host_pictures import HostFit, thinned
from vision.cuda.nvcc import build_fatbin, costs_said, kernel_costs, known_architectures, nvcc_path
from vision.cuda.signatures import KERNEL_SOURCE, SIGNATURES
from vision.detectors.fitting import FittedInput
from vision.detectors.heads import decode_raw

NEEDS_NVCC = pytest.mark.skipif(nvcc_path() is None, reason="nvcc is not installed")
SIDES = st.integers(1, 96)
PICTURES = st.builds(
    lambda seed, height, width: np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8),
    st.integers(0, 2**16), SIDES, SIDES,
)  # fmt: skip


@functools.cache
def kernels() -> HostKernels:
    return HostKernels()


def fitted(picture: NDArray[np.uint8], number: type[Any], placement: FittedInput, scale: float = 1.0) -> NDArray[Any]:
    _, height, width, _ = placement.shape
    return HostFit(kernels(), number, scale).fitted(picture, height, width, placement.placement.inside)


@NEEDS_COMPILER
@given(PICTURES, SIDES, SIDES)
def test_a_resize_is_opencv_s_within_a_grey_level(picture: NDArray[np.uint8], height: int, width: int) -> None:
    ours = HostFit(kernels(), np.uint8).fitted(picture, height, width, (0, 0, height, width))
    theirs = cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR)
    assert np.abs(ours.astype(int) - theirs).max() <= 1


@NEEDS_COMPILER
@given(PICTURES, SIDES, SIDES, st.sampled_from(["letterbox", "stretch"]))
def test_a_fitted_picture_is_the_one_that_processors_get(
    picture: NDArray[np.uint8], height: int, width: int, fit: Any
) -> None:
    cpu = FittedInput(height, width, fit)
    expected = cpu.take(picture)[0]
    assert np.abs(fitted(picture, np.uint8, cpu).astype(int) - expected).max() <= 1


@NEEDS_COMPILER
@given(PICTURES, st.sampled_from(["letterbox", "stretch"]))
def test_planes_are_red_first_from_zero_to_one_in_every_kind_of_number(picture: NDArray[np.uint8], fit: Any) -> None:
    cpu = FittedInput(24, 40, fit)
    expected = np.multiply(cpu.take(picture)[0, :, :, ::-1].transpose(2, 0, 1), np.float32(1 / 255))
    level = 1 / 255
    assert np.abs(fitted(picture, np.float32, cpu) - expected).max() <= level * 1.001
    assert np.abs(fitted(picture, np.float16, cpu).astype(np.float32) - expected).max() <= level * 1.001 + 2**-11
    in_bytes = fitted(picture, np.int8, cpu, scale=1 / 127).astype(np.float32) / 127
    assert np.abs(in_bytes - expected).max() <= level * 1.001 + 0.5 / 127 + 1e-6


@NEEDS_COMPILER
def test_half_floats_and_bytes_round_as_numpy_does() -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(16, 16, 3)
    cpu = FittedInput(16, 16, "stretch")
    floats = fitted(ramp, np.float32, cpu)
    assert np.array_equal(fitted(ramp, np.float16, cpu), floats.astype(np.float16))
    scale = np.float32(0.013)
    assert np.array_equal(fitted(ramp, np.int8, cpu, float(scale)), np.rint(floats / scale).clip(-128, 127))


def crowd(seed: int, places: int, class_count: int) -> NDArray[np.float32]:
    """Boxes in heaps, with ties in the scores."""
    rng = np.random.default_rng(seed)
    output = np.zeros((1, 4 + class_count, places), np.float32)
    output[0, :2] = rng.choice(rng.uniform(0, 300, 5), (2, places)) + rng.normal(0, 6, (2, places))
    output[0, 2:4] = rng.uniform(-1, 80, (2, places))
    output[0, 4:] = rng.choice(rng.uniform(0, 1, 12).astype(np.float32), (class_count, places))
    return output


@NEEDS_COMPILER
@given(
    st.integers(0, 2**16), st.integers(1, 200), st.integers(1, 9), st.sampled_from([0.1, 0.5, 0.9]), st.integers(1, 40)
)
def test_what_is_kept_is_what_opencv_keeps(
    seed: int, places: int, class_count: int, threshold: float, limit: int
) -> None:
    output = crowd(seed, places, class_count)
    settings = DetectorSettings(score_threshold=threshold, max_detections=limit)
    expected = decode_raw(output, settings)
    boxes, class_probs = thinned(kernels(), output, threshold, settings.nms_iou_ratio, limit)
    assert np.array_equal(boxes, expected.boxes)
    assert np.array_equal(class_probs, expected.class_probs)


@NEEDS_COMPILER
def test_every_kernel_of_the_table_is_in_the_source_and_no_other() -> None:
    source = KERNEL_SOURCE.read_text()
    declared = {name for name in SIGNATURES if f"FARZ_KERNEL {name}(" in source or f"FARZ_FIT_PLANES({name}," in source}
    assert declared == set(SIGNATURES)
    assert source.count("FARZ_KERNEL farz_") + source.count("FARZ_FIT_PLANES(farz_") == len(SIGNATURES)


def test_without_a_compiler_that_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(host_build, "host_compiler", lambda: None)
    with pytest.raises(host_build.ConfigurationError, match=r"g\+\+ is not installed"):
        HostKernels()


@NEEDS_NVCC
@pytest.mark.parametrize("architecture", known_architectures())
def test_nothing_spills_on_any_architecture(architecture: str) -> None:
    costs = kernel_costs(architecture)
    assert {cost.name for cost in costs} == set(SIGNATURES)
    assert all(cost.spilled_bytes == 0 for cost in costs)
    assert all(0 < cost.register_count <= 64 for cost in costs)


@NEEDS_NVCC
def test_one_file_holds_all_architectures(tmp_path: Path) -> None:
    assert build_fatbin(tmp_path / "kernels.fatbin") == known_architectures()
    assert (tmp_path / "kernels.fatbin").stat().st_size > 1000


def test_spilled_bytes_are_read_from_what_ptxas_says() -> None:
    said = (
        "ptxas info    : Compiling entry function 'one' for 'sm_87'\n"
        "    8 bytes stack frame, 12 bytes spill stores, 16 bytes spill loads\n"
        "ptxas info    : Used 255 registers, used 0 barriers\n"
    )
    assert [(cost.name, cost.register_count, cost.spilled_bytes) for cost in costs_said(said)] == [("one", 255, 28)]
