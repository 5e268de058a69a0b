"""The fakes are strict: an adapter that is wrong in one place, and right in all others, is caught for each place."""

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import numpy as np
import pytest
from gpu_fakes import NEEDS_COMPILER, Machine, Misuse, pretended_gpu
from numpy.typing import NDArray

from sorter.model.settings import DetectorSettings
from sorter.runtime.bundle import default_bundle_folder, load_bundle
from vision.cuda.device import CudaDevice, open_device
from vision.detectors import tensorrt_opening
from vision.detectors.tensorrt_detector import Seat, TensorRtDetector
from vision.detectors.tensorrt_library import Recipe, TensorRt
from vision.detectors.tensorrt_opening import open_tensorrt, vectors
from vision.frame import Detections, Frame

pytestmark = [
    NEEDS_COMPILER,
    pytest.mark.skipif(not default_bundle_folder().is_dir(), reason="no bundle is shipped yet"),
]


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A proven engine of the shipped model, so that each test opens one in no time."""
    folder = tmp_path_factory.mktemp("engines")
    with pretended_gpu():
        opened(folder)
    return folder


def opened(engines: Path, **settings: Any) -> TensorRtDetector:
    wanted = DetectorSettings(runtime="tensorrt", engine_folder=str(engines))
    with patch.object(tensorrt_opening, "_VECTOR_COUNT", 1):
        return open_tensorrt(load_bundle(default_bundle_folder()), msgspec.structs.replace(wanted, **settings))


def a_frame() -> Frame:
    """A picture with items on it, in memory that the GPU reads."""
    picture = open_device().mapped_empty((416, 736, 3))
    picture[:] = sprites()
    return Frame(0, 0, 0, picture)


@functools.cache
def sprites() -> NDArray[np.uint8]:
    with patch.object(tensorrt_opening, "_VECTOR_COUNT", 1):
        return vectors(416, 736)[0].image


def seat_of(engines: Path) -> Seat:
    return opened(engines).open_seat()


def test_the_adapter_itself_is_never_caught(engines: Path) -> None:
    with pretended_gpu() as machine:
        detector = opened(engines)
        detector.detect(a_frame())
        in_threads(lambda: detector.open_seat().lay(a_frame()))
        machine.check_balanced()


# wrong call order


def test_running_before_the_tensors_have_addresses_is_caught(engines: Path) -> None:
    with pretended_gpu():
        seat = seat_of(engines)
        with open_device().current():
            seat._context = opened(engines)._engine.create_execution_context()
        seat.lay(a_frame())
        with pytest.raises(Misuse, match="before its tensors had addresses"):
            seat.look()


def test_reading_before_the_gpu_is_through_is_caught(engines: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hasty(seat: Seat) -> None:
        with seat._device.current():
            seat._queue()

    with pretended_gpu():
        detector = opened(engines)
        right = detector.detect(a_frame())
        assert len(right.boxes_px) > 0
        monkeypatch.setattr(Seat, "_run", hasty)
        hurried = detector.open_seat()
        hurried.lay(a_frame())
        assert not same(answer_or_none(hurried), right)


def test_waiting_for_an_event_that_was_never_recorded_is_caught(engines: Path) -> None:
    with pretended_gpu():
        seat = seat_of(engines)
        with open_device().current(), pytest.raises(Misuse, match="never recorded"):
            seat._done.synchronize()


def test_building_from_a_network_that_was_never_parsed_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TensorRt, "_parse", lambda _self, _network, _path: None)
    with pretended_gpu(), open_device().current(), pytest.raises(Misuse, match="nothing was parsed"):
        TensorRt().build(Recipe(shipped_network(), "f32", has_types=False), b"", ignore_progress)


# unknown tensor names, wrong sizes


def test_a_tensor_of_another_name_is_caught(engines: Path) -> None:
    with pretended_gpu():
        seat = seat_of(engines)
        with open_device().current(), pytest.raises(Misuse, match="no tensor 'images'"):
            seat._context.set_tensor_address("images", seat.input.address)


def test_a_buffer_that_is_too_small_is_caught(engines: Path) -> None:
    with pretended_gpu():
        detector = opened(engines)
        seat, name = detector.open_seat(), detector._sides[0].name
        memory = open_device().allocate(16)
        with open_device().current(), pytest.raises(Misuse, match="too small"):
            seat._context.set_tensor_address(name, int(memory))


# freed and unpinned buffers


def test_a_buffer_that_was_freed_is_caught(engines: Path) -> None:
    with pretended_gpu():
        seat = seat_of(engines)
        seat.lay(a_frame())
        seat.input._memory.free()
        with pytest.raises(Misuse, match="after it was freed"):
            seat.look()


def test_a_slot_that_was_let_go_while_the_kernel_reads_it_is_caught(engines: Path) -> None:
    with pretended_gpu():
        seat = seat_of(engines)
        seat.lay(a_frame())  # nothing holds the picture from here on
        with pytest.raises(Misuse, match="after it was freed"):
            seat.look()


def test_an_address_of_the_host_is_caught(engines: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CudaDevice, "pointer_of", lambda _self, array: array.ctypes.data)
    with pretended_gpu(), pytest.raises(Misuse, match="no pointer of the GPU"):
        opened(engines).detect(a_frame())


def test_page_locked_memory_that_is_not_mapped_is_caught() -> None:
    with pretended_gpu():
        device = open_device()
        device._driver.host_alloc_flags = type("Flags", (), {"DEVICEMAP": 0})
        with pytest.raises(Misuse, match="without DEVICEMAP"):
            device.mapped_empty((4, 4))


def test_a_mapped_buffer_rebound_to_an_ordinary_array_is_counted_as_a_copy(engines: Path) -> None:
    with pretended_gpu():
        detector = opened(engines)
        frame = a_frame()
        detector.detect(frame)
        assert (detector.copied_count, detector.traffic.copied_bytes) == (0, 0)
        detector.detect(Frame(1, 0, 0, frame.image.copy()))
        assert (detector.copied_count, detector.traffic.copied_bytes) == (1, frame.image.nbytes)


# unbalanced contexts, wrong threads


@contextmanager
def without_pop(device: CudaDevice) -> Iterator[None]:
    device._context.push()
    yield


def test_a_context_that_is_pushed_and_not_popped_is_caught(engines: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CudaDevice, "current", without_pop)
    with pytest.raises(Misuse, match="never popped"), pretended_gpu():
        opened(engines).detect(a_frame())


def test_a_context_that_is_popped_twice_is_caught() -> None:
    with pretended_gpu():
        device = open_device()
        with pytest.raises(Misuse, match="not pushed"), device.current():
            device._driver.Context.pop()


def test_a_context_that_only_the_opening_thread_has_is_caught(engines: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As pycuda.autoinit would have it: all is well until another thread looks."""
    machine = Machine()
    with pretended_gpu(machine=machine):
        device = open_device()
        device._context.push()
        monkeypatch.setattr(CudaDevice, "current", lambda _self: never_mind())
        seat, frame = seat_of(engines), a_frame()
        seat.lay(frame)
        seat.start(lambda: None)
        with pytest.raises(Misuse, match="without a context of its own"):
            seat.answer()
        machine.pop()


def test_autoinit_is_caught() -> None:
    with pretended_gpu():
        import pycuda.autoinit

        with pytest.raises(Misuse, match="importing thread alone"):
            _ = pycuda.autoinit.context


def test_one_execution_context_on_two_streams_is_caught(engines: Path) -> None:
    with pretended_gpu():
        detector, frame = opened(engines), a_frame()
        first, second = detector.open_seat(), detector.open_seat()
        second._context = first._context
        for seat in (first, second):
            seat.lay(frame)
        first.look()
        with pytest.raises(Misuse, match="on two streams"):
            second.look()


# removed calls


@pytest.mark.parametrize(
    ("version", "call"),
    [
        ("10.3.0", lambda seat: seat._context.execute_async_v2([0, 0], 0)),
        ("10.3.0", lambda seat: seat._context.execute_v2([0, 0])),
        ("11.0.0", lambda seat: seat._context.execute_async_v2([0, 0], 0)),
    ],
)
def test_calls_without_names_are_caught(version: str, call: Callable[[Seat], Any], tmp_path: Path) -> None:
    with pretended_gpu(version):
        seat = seat_of(tmp_path)
        with open_device().current(), pytest.raises(Misuse, match="was removed"):
            call(seat)


def test_binding_numbers_are_caught(engines: Path) -> None:
    with pretended_gpu():
        engine = opened(engines)._engine
        with pytest.raises(Misuse, match=r"num_bindings was removed"):
            _ = engine.num_bindings


def test_a_precision_flag_on_version_11_is_caught() -> None:
    with pretended_gpu("11.0.0"), open_device().current():
        library = TensorRt()
        library._has_flags = True  # an adapter that takes 11 for 10
        with pytest.raises(Misuse, match="FP16 was removed"):
            library.build(Recipe(shipped_network(), "f16", has_types=False), b"", ignore_progress)


def test_a_calibrator_on_version_11_is_caught() -> None:
    with pretended_gpu("11.0.0"), open_device().current():
        library = TensorRt()
        config = library._trt.Builder(library._logger).create_builder_config()
        with pytest.raises(Misuse, match="int8_calibrator was removed"):
            config.int8_calibrator = object()


def test_rounding_without_types_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TensorRt, "_network_flags", lambda _self, _recipe: 0)
    bundle = load_bundle(default_bundle_folder())
    path = bundle.folder / bundle.manifest.forms["onnx-qdq"].files[0].file
    with pretended_gpu(), open_device().current(), pytest.raises(Misuse, match="Q/DQ was built without types"):
        TensorRt().build(Recipe(path, "int8", has_types=True), b"", ignore_progress)


# kernels


def test_a_kernel_that_writes_behind_its_buffer_is_caught(engines: Path) -> None:
    with pretended_gpu():
        seat = seat_of(engines)
        seat.input._columns = open_device().allocate(736 * 16 - 64)
        frame = a_frame()
        seat.lay(frame)
        with pytest.raises(Misuse, match="behind a buffer"):
            seat.look()


def test_compiling_for_another_gpu_is_caught() -> None:
    with pretended_gpu():
        device = open_device()
        device.architecture = "sm_72"
        with device.current(), pytest.raises(Misuse, match="not this GPU"):
            device.launch("farz_clear", 1, device.open_stream(), 0)


def test_kernel_arguments_in_another_order_are_caught() -> None:
    with pretended_gpu():
        device = open_device()
        stream, memory = device.open_stream(), device.allocate(64)
        with device.current(), pytest.raises(Misuse, match="no pointer of the GPU"):
            device.launch("farz_select_rows", 1, stream, 1, int(memory), 0.5, int(memory), int(memory), int(memory))


def shipped_network() -> Path:
    return load_bundle(default_bundle_folder()).network_path


def ignore_progress(_phase: str, _done: int, _all: int) -> None:
    """Nobody watches."""


@contextmanager
def never_mind() -> Iterator[None]:
    yield


def in_threads(work: Callable[[], Any]) -> None:
    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def answer_or_none(seat: Seat) -> Detections | None:
    try:
        return seat.look()
    except (IndexError, ValueError):
        return None


def same(one: Detections | None, other: Detections) -> bool:
    return one is not None and np.array_equal(one.boxes_px, other.boxes_px)
