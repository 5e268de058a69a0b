"""What every detector must do, whatever runs it; the networks are made here and see coloured squares."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import pytest
from gpu_fakes import NEEDS_COMPILER, pretended_gpu
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from sorter.errors import BundleError, ConfigurationError
from sorter.model.materials import CLASS_NAMES, class_list_sha256
from sorter.model.settings import DetectorSettings, Settings
from sorter.runtime.bundle import (
    LIGHTER_FOLDER,
    ONNX_QDQ_FORM,
    OPENVINO_INT8_FORM,
    FormFile,
    Manifest,
    Network,
    NetworkForm,
    SecondLook,
    default_bundle_folder,
    file_sha256,
    load_bundle,
)
from sorter.runtime.clock import ManualClock
from sorter.runtime.configuration import settings_from
from vision.detectors import Detector, open_detector, opening, tensorrt_opening
from vision.detectors.detector import detect_and_rename
from vision.detectors.openvino_network import known_precisions
from vision.detectors.pace import Pace
from vision.frame import Detections, Frame
from vision.picture_memory import slot_memory
from vision.ring import FrameRing
from vision.sources import open_source

CLASSES = ("blue", "red")
SIDE_PX = 64
CELL_PX = 16
NAMES_PX = 24
BLUE, RED = (255, 0, 0), (0, 0, 255)
NETWORKS = [(head, is_uint8) for head in ("raw", "end_to_end") for is_uint8 in (True, False)]
# TensorRT is a fake here that calculates by ONNX Runtime; see tests/fakes
ON_FAKES = pytest.param("tensorrt", marks=NEEDS_COMPILER)
RUNTIMES = ("openvino", "onnxruntime", ON_FAKES)
INT8_FORMS = [
    ("openvino", OPENVINO_INT8_FORM),
    ("onnxruntime", ONNX_QDQ_FORM),
    pytest.param("tensorrt", ONNX_QDQ_FORM, marks=NEEDS_COMPILER),
]


@pytest.fixture(autouse=True)
def _gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(tensorrt_opening, "_VECTOR_COUNT", 2)
    with pretended_gpu():
        yield


def square_network(head: str, is_uint8: bool) -> onnx.ModelProto:
    """A network whose 16 cells answer with how blue and how red they are."""
    nodes, constants = [], []

    def constant(name: str, values: NDArray[Any]) -> str:
        constants.append(numpy_helper.from_array(values, name))
        return name

    def node(kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    planes, channels = "picture", [2, 0]
    if is_uint8:
        floats = node("Cast", ["picture"], "floats", to=TensorProto.FLOAT)
        scaled = node("Div", [floats, constant("grey_levels", np.float32(255.0))], "scaled")
        planes, channels = node("Transpose", [scaled], "planes", perm=[0, 3, 1, 2]), [0, 2]
    means = node("AveragePool", [planes], "means", kernel_shape=[CELL_PX] * 2, strides=[CELL_PX] * 2)
    wanted = node("Gather", [means, constant("channels", np.array(channels))], "wanted", axis=1)
    scores = node("Reshape", [wanted, constant("shape", np.array([1, 2, 16]))], "scores")
    centres = (np.stack(np.meshgrid(np.arange(4), np.arange(4)), axis=0).reshape(1, 2, 16) + 0.5) * CELL_PX
    sizes = np.full((1, 2, 16), CELL_PX)
    if head == "raw":
        boxes = constant("boxes", np.concatenate([centres, sizes], axis=1).astype(np.float32))
        node("Concat", [boxes, scores], "output", axis=1)
        shape = [1, 6, 16]
    else:
        corners = np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1).transpose(0, 2, 1)
        best = node("ReduceMax", [scores, constant("axis", np.array([1]))], "best", keepdims=1)
        name = node("Cast", [node("ArgMax", [scores], "index", axis=1)], "name", to=TensorProto.FLOAT)
        columns = [node("Transpose", [values], f"{values}_column", perm=[0, 2, 1]) for values in (best, name)]
        node("Concat", [constant("boxes", corners.astype(np.float32)), *columns], "output", axis=2)
        shape = [1, 16, 6]
    input_type, input_shape = (
        (TensorProto.UINT8, [1, SIDE_PX, SIDE_PX, 3]) if is_uint8 else (TensorProto.FLOAT, [1, 3, SIDE_PX, SIDE_PX])
    )
    graph = helper.make_graph(
        nodes,
        "squares",
        [helper.make_tensor_value_info("picture", input_type, input_shape)],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, shape)],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def write_bundle(folder: Path, head: str = "raw", is_uint8: bool = True, changes: dict[str, Any] | None = None) -> Path:
    """A bundle of the square network; `changes` are laid over the manifest's network."""
    folder.mkdir()
    onnx.save(square_network(head, is_uint8), folder / "squares.onnx")
    network = {
        "file": "squares.onnx",
        "sha256": file_sha256(folder / "squares.onnx"),
        "input_width_px": SIDE_PX,
        "input_height_px": SIDE_PX,
        "head": head,
        "takes_uint8_bgr": is_uint8,
    }
    manifest = Manifest(
        "squares",
        "1",
        "CC0-1.0",
        CLASSES,
        class_list_sha256(CLASSES),
        msgspec.convert(network | (changes or {}), Network),
    )
    (folder / "manifest.json").write_bytes(msgspec.json.encode(manifest))
    return folder


def with_form(folder: Path, name: str, network: onnx.ModelProto) -> Path:
    """The same bundle with a further form of its network."""
    onnx.save(network, folder / "form.onnx")
    manifest = msgspec.json.decode((folder / "manifest.json").read_bytes(), type=Manifest)
    file = FormFile("form.onnx", file_sha256(folder / "form.onnx"))
    form = NetworkForm(manifest.network.sha256, (file,), SIDE_PX, SIDE_PX)
    (folder / "manifest.json").write_bytes(msgspec.json.encode(msgspec.structs.replace(manifest, forms={name: form})))
    return folder


def names_network(side_px: int | str = NAMES_PX, class_count: int = 2, batch: int | str = "n") -> onnx.ModelProto:
    """A network that names a square by its mean colour: blue, red, or neither of them."""
    constants = {
        "floor": np.array([[0.0, 0.0, 2.0]], np.float32),
        # of blue, green, red
        "weights": np.array([[8, 0, 0], [0, 0, 0], [0, 8, 0]], np.float32) / 255,
        "axes": np.array([1, 2]),
        "kept": np.arange(class_count) % 2,
    }
    nodes = [
        helper.make_node("Cast", ["squares"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats", "axes"], ["means"], keepdims=0),
        helper.make_node("Gemm", ["means", "weights", "floor"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["every_name"], axis=1),
        helper.make_node("Gather", ["every_name", "kept"], ["names"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "names",
        [helper.make_tensor_value_info("squares", TensorProto.UINT8, [batch, side_px, side_px, 3])],
        [helper.make_tensor_value_info("names", TensorProto.FLOAT, [batch, class_count])],
        [numpy_helper.from_array(values, name) for name, values in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def with_second_look(folder: Path, network: onnx.ModelProto | None = None, margin_ratio: float = 1.0) -> Path:
    """The same bundle with a second look."""
    onnx.save(network or names_network(), folder / "names.onnx")
    manifest = msgspec.json.decode((folder / "manifest.json").read_bytes(), type=Manifest)
    look = SecondLook("names.onnx", file_sha256(folder / "names.onnx"), NAMES_PX, margin_ratio, 0.5)
    (folder / "manifest.json").write_bytes(msgspec.json.encode(msgspec.structs.replace(manifest, second_look=look)))
    return folder


def network_settings(folder: Path, runtime: str = "openvino", **detector: Any) -> Settings:
    station = {"id": "red", "offset_mm": 500.0, "targets": ["red"]}
    return settings_from(
        {
            "recipe": {"classes": list(CLASSES), "stations": [station]},
            "detector": {
                "runtime": runtime,
                "model": str(folder),
                "score_threshold": 0.4,
                "allow_unsigned": True,
                "engine_folder": str(folder.parent / "engines"),
                **detector,
            },
        }
    )


def picture(height_px: int = 64, width_px: int = 64) -> NDArray[np.uint8]:
    return np.zeros((height_px, width_px, 3), np.uint8)


def frame_of(image: NDArray[np.uint8]) -> Frame:
    return Frame(frame_id=0, exposed_at_ns=0, travel_um=0, image=image)


@pytest.fixture(params=NETWORKS, ids=lambda form: f"{form[0]}-{'uint8' if form[1] else 'float'}")
def bundle_folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "squares", *request.param)


@pytest.fixture(params=RUNTIMES)
def detector(request: pytest.FixtureRequest, bundle_folder: Path) -> Detector:
    return open_detector(network_settings(bundle_folder, request.param))


def oracle_at(travel_settings: dict[str, Any]) -> tuple[Detector, Frame]:
    settings = settings_from(
        {"detector": {"runtime": "oracle"}, "simulation": {"occupancy_ratio": 0.3}, **travel_settings}
    )
    return open_detector(settings), Frame(7, 2_000_000_000, 0, picture(640, 640))


@pytest.fixture(params=["oracle", *RUNTIMES])
def any_detector(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Detector, Frame]]:
    if request.param == "oracle":
        yield oracle_at({})
        return
    image = picture(64, 64)
    image[16:32, 48:64] = RED
    yield open_detector(network_settings(write_bundle(tmp_path / "squares"), request.param)), frame_of(image)


def test_every_detector_answers_with_arrays_of_the_agreed_form(any_detector: tuple[Detector, Frame]) -> None:
    detector, frame = any_detector
    found = detector.detect(frame)
    assert len(found.boxes_px) > 0
    assert found.boxes_px.shape == (len(found.boxes_px), 4)
    assert found.class_probs.shape == (len(found.boxes_px), len(detector.class_names))
    assert found.boxes_px.dtype == found.class_probs.dtype == np.float32
    assert (found.boxes_px[:, :2] < found.boxes_px[:, 2:]).all()
    assert found.boxes_px.min() >= 0
    assert (found.boxes_px[:, 2:] <= [frame.image.shape[1], frame.image.shape[0]]).all()
    assert ((found.class_probs >= 0) & (found.class_probs <= 1)).all()


def test_every_detector_repeats_itself_and_lets_go_of_what_it_answered(any_detector: tuple[Detector, Frame]) -> None:
    detector, frame = any_detector
    first = detector.detect(frame)
    kept = first.boxes_px.copy(), first.class_probs.copy()
    second = detector.detect(frame)
    empty = detector.detect(Frame(8, 400_000_000_000, 0, picture(*frame.image.shape[:2])))
    assert np.array_equal(second.boxes_px, kept[0])
    assert np.array_equal(first.boxes_px, kept[0])
    assert np.array_equal(first.class_probs, kept[1])
    assert empty.boxes_px.shape[1] == 4


def test_two_seats_of_every_detector_answer_as_it_does_itself(any_detector: tuple[Detector, Frame]) -> None:
    detector, frame = any_detector
    other = Frame(8, 400_000_000_000, 0, np.ascontiguousarray(frame.image[::-1]))
    expected = [detector.detect(one) for one in (frame, other)]
    seats, told = [detector.open_seat(), detector.open_seat()], threading.Semaphore(0)
    for _ in range(3):
        for seat, one in zip(seats, (frame, other), strict=True):
            seat.lay(one)
        for seat in seats:
            seat.start(told.release)
        assert all(told.acquire(timeout=20) for _ in seats)
        for seat, wanted in zip(seats, expected, strict=True):
            found = seat.answer()
            assert np.array_equal(found.boxes_px, wanted.boxes_px)
            assert np.array_equal(found.class_probs, wanted.class_probs)


def test_a_picture_of_the_network_s_size_is_not_copied(detector: Detector) -> None:
    def in_a_slot(height_px: int, width_px: int) -> Frame:
        memory = slot_memory(DetectorSettings(runtime=detector.runtime))  # type: ignore[arg-type]
        return frame_of(FrameRing(1, height_px, width_px, allocate=memory).next_slot())

    detector.detect(in_a_slot(64, 64))
    assert detector.copied_count == 0
    detector.detect(in_a_slot(64, 128))
    # a GPU resizes while it reads
    assert detector.copied_count == (0 if detector.runtime == "tensorrt" else 1)


def test_every_detector_says_what_it_is(any_detector: tuple[Detector, Frame]) -> None:
    detector, _ = any_detector
    assert detector.precision == ("exact" if detector.runtime == "oracle" else "f32")
    assert detector.runtime in {"oracle", "openvino", "onnxruntime", "tensorrt"}
    assert detector.model_id
    assert detector.class_names in {CLASSES, CLASS_NAMES}


def test_a_network_finds_the_squares_and_names_their_colour(detector: Detector) -> None:
    image = picture()
    image[0:16, 16:32] = BLUE
    image[32:48, 48:64] = (0, 0, 200)
    found = detector.detect(frame_of(image))
    assert np.allclose(found.boxes_px, [[16, 0, 32, 16], [48, 32, 64, 48]])
    assert np.allclose(found.class_probs, [[1.0, 0.0], [0.0, 200 / 255]], atol=1e-5)


def test_an_empty_picture_gives_empty_arrays(detector: Detector) -> None:
    found = detector.detect(frame_of(picture()))
    assert found.boxes_px.shape == (0, 4)
    assert found.class_probs.shape == (0, len(CLASSES))


def test_a_wide_picture_is_letterboxed_and_the_boxes_come_back_to_it(detector: Detector) -> None:
    image = picture(height_px=64, width_px=128)
    image[0:32, 96:128] = RED
    found = detector.detect(frame_of(image))
    assert np.allclose(found.boxes_px, [[96, 0, 128, 32]])
    assert found.class_probs[0].argmax() == CLASSES.index("red")


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("is_uint8", [True, False])
def test_a_network_that_learned_stretched_pictures_is_shown_a_wide_one_stretched(
    tmp_path: Path, runtime: str, is_uint8: bool
) -> None:
    folder = write_bundle(tmp_path / "squares", is_uint8=is_uint8, changes={"fit": "stretch"})
    image = picture(height_px=64, width_px=128)
    image[32:48, 96:128] = RED
    found = open_detector(network_settings(folder, runtime)).detect(frame_of(image))
    assert np.allclose(found.boxes_px, [[96, 32, 128, 48]])
    assert found.class_probs[0].argmax() == CLASSES.index("red")


def test_pictures_of_changing_size_leave_nothing_behind(detector: Detector) -> None:
    detector.detect(frame_of(np.full((64, 64, 3), 255, np.uint8)))
    found = detector.detect(frame_of(picture(height_px=64, width_px=128)))
    assert len(found.boxes_px) == 0  # nor the grey beside the picture, which is bluer than the threshold


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_the_limit_keeps_the_best(bundle_folder: Path, runtime: str) -> None:
    image = picture()
    for number in range(4):
        image[0:16, number * 16 : number * 16 + 16] = (150 + number * 20, 0, 0)
    found = open_detector(network_settings(bundle_folder, runtime, max_detections=2)).detect(frame_of(image))
    assert np.allclose(found.boxes_px[:, 0], [48, 32])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("other", ["openvino", ON_FAKES])
def test_runtimes_agree(bundle_folder: Path, seed: int, other: str) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (48, 80, 3), np.uint8)
    image[:, ::2] //= 2
    first, second = (
        open_detector(network_settings(bundle_folder, runtime, score_threshold=0.3)).detect(frame_of(image))
        for runtime in ("onnxruntime", other)
    )
    assert len(first.boxes_px) > 0
    assert_same(first, second, 1e-3)


def assert_same(first: Detections, second: Detections, tolerance: float) -> None:
    """Equal up to the order of detections whose scores tie."""
    assert len(first.boxes_px) == len(second.boxes_px)
    orders = [np.lexsort(found.boxes_px.round().T) for found in (first, second)]
    assert np.allclose(first.boxes_px[orders[0]], second.boxes_px[orders[1]], atol=100 * tolerance)
    assert np.allclose(first.class_probs[orders[0]], second.class_probs[orders[1]], atol=tolerance)


def test_without_a_second_look_in_the_bundle_there_is_none(any_detector: tuple[Detector, Frame]) -> None:
    detector, frame = any_detector
    assert detector.second_look is None
    found, renamed = detector.detect(frame), detect_and_rename(detector, frame)
    assert np.array_equal(found.boxes_px, renamed.boxes_px)
    assert np.array_equal(found.class_probs, renamed.class_probs)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_second_look_names_what_lies_in_a_box(tmp_path: Path, runtime: str) -> None:
    folder = with_second_look(write_bundle(tmp_path / "squares"))
    detector = open_detector(network_settings(folder, runtime))
    assert detector.second_look is not None
    image = picture()
    image[0:16, 16:32] = BLUE
    image[32:48, 48:64] = RED
    boxes_px = np.array([[16, 0, 32, 16], [48, 32, 64, 48], [0, 48, 16, 64]], np.float32)
    names = detector.second_look.names(image, boxes_px)
    logits = np.array([[8, 0, 2], [0, 8, 2], [0, 0, 2]])
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert names.dtype == np.float32
    assert np.allclose(names, expected[:, :2], atol=1e-3)  # at its edge a square is mixed with what lies beside it
    assert detector.second_look.names(image, boxes_px[:0]).shape == (0, 2)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_any_number_of_items_can_be_looked_at_and_answers_are_let_go_of(tmp_path: Path, runtime: str) -> None:
    second_look = open_detector(
        network_settings(with_second_look(write_bundle(tmp_path / "squares")), runtime)
    ).second_look
    assert second_look is not None
    second_look.warm_up(8)
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (64, 64, 3), np.uint8)
    low = rng.uniform(0, 50, (150, 2))
    boxes_px = np.concatenate([low, low + rng.uniform(2, 14, (150, 2))], axis=1).astype(np.float32)
    names = second_look.names(image, boxes_px)
    kept = names.copy()
    one_by_one = np.concatenate([second_look.names(image, boxes_px[place : place + 1]) for place in range(150)])
    assert np.allclose(names, one_by_one, atol=1e-5)
    assert np.array_equal(names, kept)


@pytest.mark.parametrize("other", ["openvino", ON_FAKES])
def test_second_looks_of_runtimes_agree(tmp_path: Path, other: str) -> None:
    folder = with_second_look(write_bundle(tmp_path / "squares", changes={"fit": "stretch"}), margin_ratio=1.5)
    image = np.random.default_rng(0).integers(0, 256, (48, 80, 3), np.uint8)
    image[:, ::2] //= 2
    first, second = (
        detect_and_rename(open_detector(network_settings(folder, runtime, score_threshold=0.3)), frame_of(image))
        for runtime in ("onnxruntime", other)
    )
    assert len(first.boxes_px) > 0
    assert_same(first, second, 1e-3)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_detector_s_own_answer_is_the_first_look_alone(tmp_path: Path, runtime: str) -> None:
    plain = open_detector(network_settings(write_bundle(tmp_path / "plain"), runtime))
    twice = open_detector(network_settings(with_second_look(write_bundle(tmp_path / "twice")), runtime))
    image = picture()
    image[0:16, 16:32] = (200, 0, 40)
    expected, found = plain.detect(frame_of(image)), twice.detect(frame_of(image))
    assert np.array_equal(found.boxes_px, expected.boxes_px)
    assert np.array_equal(found.class_probs, expected.class_probs)
    renamed = detect_and_rename(twice, frame_of(image))
    assert np.array_equal(renamed.boxes_px, expected.boxes_px)
    assert (renamed.class_probs < expected.class_probs).all()
    assert twice.model_id != plain.model_id


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_second_look_can_be_left_out(tmp_path: Path, runtime: str) -> None:
    folder = with_second_look(write_bundle(tmp_path / "squares"))
    assert open_detector(network_settings(folder, runtime, second_look=False)).second_look is None


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize(
    "network",
    [names_network(side_px=NAMES_PX + 8), names_network(class_count=3), names_network(batch=1)],
    ids=["side", "classes", "one at a time"],
)
def test_a_second_look_that_is_not_what_the_manifest_says_is_refused(
    tmp_path: Path, runtime: str, network: onnx.ModelProto
) -> None:
    folder = with_second_look(write_bundle(tmp_path / "squares"), network)
    with pytest.raises(BundleError, match="put of its second look is") as refusal:
        open_detector(network_settings(folder, runtime))
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_second_look_that_is_no_network_is_refused_in_one_sentence(tmp_path: Path, runtime: str) -> None:
    folder = with_second_look(write_bundle(tmp_path / "squares"))
    (folder / "names.onnx").write_bytes(b"not a network")
    manifest = msgspec.json.decode((folder / "manifest.json").read_bytes(), type=Manifest)
    assert manifest.second_look is not None
    look = msgspec.structs.replace(manifest.second_look, sha256=file_sha256(folder / "names.onnx"))
    (folder / "manifest.json").write_bytes(msgspec.json.encode(msgspec.structs.replace(manifest, second_look=look)))
    with pytest.raises(BundleError, match=r"cannot run names\.onnx") as refusal:
        open_detector(network_settings(folder, runtime))
    assert "\n" not in str(refusal.value)


def test_a_bundle_for_other_classes_is_refused_naming_both(tmp_path: Path) -> None:
    settings = settings_from({"detector": {"model": str(write_bundle(tmp_path / "squares")), "allow_unsigned": True}})
    with pytest.raises(BundleError, match=r"'blue', 'red'.*pet_clear"):
        open_detector(settings)


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("change", [{"head": "end_to_end"}, {"input_width_px": 32}, {"takes_uint8_bgr": False}])
def test_a_network_that_is_not_what_the_manifest_says_is_refused(
    tmp_path: Path, runtime: str, change: dict[str, Any]
) -> None:
    folder = write_bundle(tmp_path / "squares", changes=change)
    with pytest.raises(BundleError, match="the network's"):
        open_detector(network_settings(folder, runtime))


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_file_that_is_no_network_is_refused_in_one_sentence(tmp_path: Path, runtime: str) -> None:
    folder = write_bundle(tmp_path / "squares")
    (folder / "squares.onnx").write_bytes(b"not a network")
    manifest = msgspec.json.decode((folder / "manifest.json").read_bytes(), type=Manifest)
    network = msgspec.structs.replace(manifest.network, sha256=file_sha256(folder / "squares.onnx"))
    (folder / "manifest.json").write_bytes(msgspec.json.encode(msgspec.structs.replace(manifest, network=network)))
    with pytest.raises(BundleError, match=r"cannot run squares\.onnx") as refusal:
        open_detector(network_settings(folder, runtime))
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("runtime", ["onnxruntime", ON_FAKES])
def test_what_knows_no_bf16_refuses_it(tmp_path: Path, runtime: str) -> None:
    with pytest.raises(ConfigurationError, match=r"detector\.precision = 'bf16'"):
        open_detector(network_settings(write_bundle(tmp_path / "squares"), runtime, precision="bf16"))


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_auto_takes_true_floats_where_the_bundle_has_no_figures_and_says_why(tmp_path: Path, runtime: str) -> None:
    chosen = open_detector(network_settings(write_bundle(tmp_path / "squares"), runtime, precision="auto"))
    assert chosen.precision == "f32"
    assert chosen.choice_reason.startswith("auto: the only one allowed")


def with_lighter(folder: Path) -> str:
    """Lay a lighter model into a bundle; its id."""
    lighter = write_bundle(folder / LIGHTER_FOLDER, "end_to_end")
    manifest = msgspec.json.decode((folder / "manifest.json").read_bytes(), type=Manifest)
    manifest = msgspec.structs.replace(manifest, lighter_sha256=file_sha256(lighter / "manifest.json"))
    (folder / "manifest.json").write_bytes(msgspec.json.encode(manifest))
    return load_bundle(lighter).model_id


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize(
    ("choice", "needed_ms", "is_timed", "is_lighter"),
    [
        ("auto", 82.0, True, True),
        ("auto", 81.0, True, False),
        ("auto", 82.0, False, False),
        ("always", 81.0, True, True),
        ("never", 82.0, True, False),
    ],
)
def test_the_lighter_model_is_taken_where_the_full_one_does_not_keep_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime: str, choice: str, needed_ms: float, is_timed: bool,
    is_lighter: bool,
) -> None:  # fmt: skip
    monkeypatch.setattr(opening, "pace_of", lambda *_: Pace(needed_ms, 65.0))
    folder = write_bundle(tmp_path / "squares")
    lighter_id = with_lighter(folder)
    chosen = open_detector(network_settings(folder, runtime, lighter=choice), is_timed=is_timed)
    assert chosen.bundle_id == load_bundle(folder).model_id
    assert chosen.model_id == (lighter_id if is_lighter else chosen.bundle_id)
    if is_timed and choice == "auto":
        assert f"a view takes {needed_ms:.0f} ms, the belt gives it 65 ms" in chosen.choice_reason


def test_a_model_without_a_lighter_one_stays_and_tells_that_it_does_not_keep_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "pace_of", lambda *_: Pace(82.0, 65.0))
    chosen = open_detector(network_settings(write_bundle(tmp_path / "squares")), is_timed=True)
    assert chosen.model_id == chosen.bundle_id
    assert "a view takes 82 ms, the belt gives it 65 ms" in chosen.choice_reason


def test_a_line_times_a_network_on_its_own_pictures(tmp_path: Path) -> None:
    chosen = open_detector(network_settings(with_second_look(write_bundle(tmp_path / "squares"))), is_timed=True)
    assert re.search(r"a view takes \d+ ms, the belt gives it 65 ms$", chosen.choice_reason)


@pytest.mark.parametrize("precision", ["f32", "bf16", "f16"])
def test_openvino_calculates_in_what_was_asked_for_or_refuses(tmp_path: Path, precision: str) -> None:
    settings = network_settings(write_bundle(tmp_path / "squares"), precision=precision)
    if precision not in known_precisions():
        with pytest.raises(ConfigurationError, match=r"detector\.precision"):
            open_detector(settings)
        return
    assert open_detector(settings).precision == precision


@pytest.mark.parametrize(("runtime", "name"), INT8_FORMS)
def test_int8_without_such_a_form_says_how_to_make_one(tmp_path: Path, runtime: str, name: str) -> None:
    folder = write_bundle(tmp_path / "squares")
    with pytest.raises(BundleError, match=rf"needs the form '{name}'.*farz train quantise"):
        open_detector(network_settings(folder, runtime, precision="int8"))


@pytest.mark.parametrize(("runtime", "name"), INT8_FORMS)
def test_int8_runs_the_form_and_keeps_the_name_of_the_model(tmp_path: Path, runtime: str, name: str) -> None:
    # The form finds what is red or blue where the pixels' order is the other way round: it tells the two files apart.
    other = square_network("raw", is_uint8=True)
    channels = next(one for one in other.graph.initializer if one.name == "channels")
    channels.CopyFrom(numpy_helper.from_array(np.array([2, 0]), "channels"))
    folder = with_form(write_bundle(tmp_path / "squares"), name, other)
    image = picture()
    image[16:32, 48:64] = RED
    plain, form = (
        open_detector(network_settings(folder, runtime, precision=precision)) for precision in ("f32", "int8")
    )
    assert CLASSES[plain.detect(frame_of(image)).class_probs[0].argmax()] == "red"
    assert CLASSES[form.detect(frame_of(image)).class_probs[0].argmax()] == "blue"
    assert form.model_id == plain.model_id


def test_a_form_that_computes_in_floats_is_not_called_int8(tmp_path: Path) -> None:
    folder = with_form(write_bundle(tmp_path / "squares"), OPENVINO_INT8_FORM, square_network("raw", is_uint8=True))
    assert open_detector(network_settings(folder, precision="int8")).precision in {"f32", "bf16"}


def test_the_oracle_needs_a_simulated_source() -> None:
    settings = settings_from(
        {"detector": {"runtime": "oracle"}, "source": {"kind": "video", "location": "somewhere.mp4"}}
    )
    with pytest.raises(ConfigurationError, match=r"detector\.runtime = 'oracle'"):
        open_detector(settings)


@pytest.mark.skipif(not default_bundle_folder().is_dir(), reason="no bundle is shipped yet")
def test_the_shipped_model_answers_alike_on_both_runtimes() -> None:
    tables: dict[str, Any] = {"simulation": {"occupancy_ratio": 0.2}, "detector": {"score_threshold": 0.3}}
    source = open_source(settings_from(tables), ManualClock(), 0)
    image = picture(640, 640)
    for _ in range(20):
        source.grab()
    source.retrieve(image)
    first, second = (
        open_detector(settings_from({**tables, "detector": {"score_threshold": 0.3, "runtime": runtime}}))
        for runtime in ("openvino", "onnxruntime")
    )
    found = first.detect(frame_of(image))
    assert len(found.boxes_px) > 0
    assert_same(found, second.detect(frame_of(image)), 5e-3)
