"""Made-up detections, and a network with pictures that it half understands: what tests of the judging share."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from sorter.model.materials import CLASS_NAMES
from training.evaluation.average_precision import PictureResult
from training.release.bundle_writer import Identity, write_bundle

SIDE_PX = 400
Noisy = Callable[..., list[PictureResult]]


@pytest.fixture(scope="session")
def noisy_results() -> Noisy:
    """A function that makes results up: (seed, picture_count, class_count, found_ratio)."""
    return make_noisy_results


def make_noisy_results(
    seed: int, picture_count: int = 12, class_count: int = 3, found_ratio: float = 0.8
) -> list[PictureResult]:
    """Six labels a picture, most found twice with some error, and five false detections."""
    rng = np.random.default_rng(seed)
    return [_noisy_result(rng, class_count, found_ratio) for _ in range(picture_count)]


def _noisy_result(rng: np.random.Generator, class_count: int, found_ratio: float) -> PictureResult:
    labels_px = _boxes_px(rng, 6)
    kept = rng.random(6) < found_ratio
    moved_px = labels_px[kept] + rng.normal(0, 6, (int(kept.sum()), 4))
    boxes_px = np.concatenate([moved_px, moved_px + 3, _boxes_px(rng, 5)])
    boxes_px[:, 2:] = np.maximum(boxes_px[:, 2:], boxes_px[:, :2] + 1)
    labels = rng.integers(0, class_count, 6)
    classes = np.concatenate([labels[kept], labels[kept], rng.integers(0, class_count, 5)])
    return PictureResult(labels_px, labels, boxes_px, rng.random(len(boxes_px)), classes)


def _boxes_px(rng: np.random.Generator, count: int) -> np.ndarray:
    low = rng.uniform(0, SIDE_PX, (count, 2))
    return np.concatenate([low, low + rng.uniform(20, 120, (count, 2))], axis=1)


CELL_PX = 16
CELL_COUNT = 6
SQUARES_PX = CELL_PX * CELL_COUNT


@pytest.fixture(scope="session")
def square_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of all classes whose network calls a blue cell a can and a red one hdpe, as surely as it is bright."""
    place = tmp_path_factory.mktemp("bundles")
    onnx.save(_square_network(), place / "squares.onnx")
    identity = Identity("squares", "1.0.0", "AGPL-3.0-or-later")
    return write_bundle(place / "squares", place / "squares.onnx", identity, CLASS_NAMES, SQUARES_PX).folder


@pytest.fixture(scope="session")
def square_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dozen pictures of two cameras: cans and hdpe, some dim, some under the other's colour, some unlabelled."""
    folder = tmp_path_factory.mktemp("data") / "squares"
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True)
    (folder / "data.yaml").write_text("names: [tin, jug]\n")
    (folder / "class_map.toml").write_text('complete_for = ["can", "hdpe"]\n[map]\ntin = "can"\njug = "hdpe"\n')
    rng = np.random.default_rng(5)
    for number in range(12):
        _write_squares(folder, f"{'north' if number % 3 else 'south'}_{number:03d}", rng)
    return folder


def _write_squares(folder: Path, name: str, rng: np.random.Generator) -> None:
    picture = np.zeros((SQUARES_PX, SQUARES_PX, 3), np.uint8)
    lines = []
    for cell in rng.choice(CELL_COUNT**2, 5, replace=False):
        row, column = divmod(int(cell), CELL_COUNT)
        truth, is_confused = int(rng.integers(2)), rng.random() < 0.15
        channel = (0, 2)[truth != is_confused]
        area = (slice(row * CELL_PX, (row + 1) * CELL_PX), slice(column * CELL_PX, (column + 1) * CELL_PX))
        picture[(*area, channel)] = int(rng.uniform(60, 250))
        if rng.random() < 0.8:
            side = 1 / CELL_COUNT
            lines.append(f"{truth} {(column + 0.5) * side:.5f} {(row + 0.5) * side:.5f} {side:.5f} {side:.5f}")
    cv2.imwrite(str(folder / "images" / f"{name}.png"), picture)
    (folder / "labels" / f"{name}.txt").write_text("\n".join(lines))


def _square_network() -> onnx.ModelProto:
    cells = np.stack(np.meshgrid(np.arange(CELL_COUNT), np.arange(CELL_COUNT)), axis=0).reshape(1, 2, -1)
    boxes = np.concatenate([(cells + 0.5) * CELL_PX, np.full(cells.shape, CELL_PX)], axis=1).astype(np.float32)
    colours = np.zeros((len(CLASS_NAMES), 3), np.float32)
    colours[CLASS_NAMES.index("can"), 0] = colours[CLASS_NAMES.index("hdpe"), 2] = 1 / 255
    constants = {"boxes": boxes, "colours": colours[:, :, None, None], "shape": np.array([1, len(CLASS_NAMES), -1])}
    nodes = [
        helper.make_node("Cast", ["picture"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["floats"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("AveragePool", ["planes"], ["means"], kernel_shape=[CELL_PX] * 2, strides=[CELL_PX] * 2),
        helper.make_node("Conv", ["means", "colours"], ["named"]),
        helper.make_node("Reshape", ["named", "shape"], ["scores"]),
        helper.make_node("Concat", ["boxes", "scores"], ["output"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "squares",
        [helper.make_tensor_value_info("picture", TensorProto.UINT8, [1, SQUARES_PX, SQUARES_PX, 3])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 4 + len(CLASS_NAMES), CELL_COUNT**2])],
        [numpy_helper.from_array(values, name) for name, values in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
