"""A plain Ultralytics model judged as a bundle is: its classes find their material, its boxes stay where they are."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from sorter.errors import BadInputError
from sorter.model.materials import CLASS_NAMES
from sorter.model.settings import DetectorSettings
from training.evaluation.reference import UltralyticsModel, class_of_each, detect_with, open_ultralytics
from training.evaluation.reference_command import reference

torch = pytest.importorskip("torch")
pytest.importorskip("ultralytics")
SIDE_PX = 96


class OneOfEach:
    """Stands for a YOLO: it finds a box of each of its classes, more surely the later the class."""

    def __init__(self, names: dict[int, str]) -> None:
        self.names = names

    def predict(self, picture: np.ndarray, **_: Any) -> list[Any]:
        from ultralytics.engine.results import Results

        rows = [[index, 2, index + 10, 12, 0.5 + index / 100, index] for index in self.names]
        return [Results(picture, "", self.names, boxes=torch.tensor(rows))]


def write_class_map(folder: Path) -> Path:
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "a.png").write_bytes(b"")
    (folder / "data.yaml").write_text("names: [tin, jug, film]\n")
    (folder / "class_map.toml").write_text('[map]\ntin = "can"\njug = "hdpe"\nfilm = "ignore"\n')
    return folder


def test_classes_are_materials_by_name_or_by_the_class_map(tmp_path: Path) -> None:
    names = {0: "jug", 1: "glass", 2: "film", 3: "zebra"}
    columns = class_of_each(names, write_class_map(tmp_path / "d"))
    assert columns.tolist() == [CLASS_NAMES.index("hdpe"), CLASS_NAMES.index("glass"), -1, -1]


def test_a_model_of_other_things_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="zebra"):
        class_of_each({0: "zebra"}, write_class_map(tmp_path / "d"))


def test_detections_keep_box_and_score_and_drop_what_stands_for_no_material() -> None:
    model = UltralyticsModel(OneOfEach({0: "jug", 1: "zebra", 2: "tin"}), {0: "jug", 1: "zebra", 2: "tin"}, SIDE_PX)
    columns = np.array([CLASS_NAMES.index("hdpe"), -1, CLASS_NAMES.index("can")])
    found = detect_with(model, columns)(np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8))
    assert found.boxes_px.tolist() == [[0, 2, 10, 12], [2, 2, 12, 12]]
    assert found.class_probs.argmax(axis=1).tolist() == [CLASS_NAMES.index("hdpe"), CLASS_NAMES.index("can")]
    assert found.class_probs.max(axis=1).tolist() == pytest.approx([0.5, 0.52])


def test_thinned_as_the_line_does_an_item_has_one_name() -> None:
    asked: dict[str, Any] = {}

    class Listener(OneOfEach):
        def predict(self, picture: np.ndarray, **words: Any) -> list[Any]:
            asked.update(words)
            return super().predict(picture, **words)

    model = UltralyticsModel(Listener({0: "jug"}), {0: "jug"}, SIDE_PX, thins_as_line=True)
    detect_with(model, np.array([3]))(np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8))
    assert (asked["agnostic_nms"], asked["iou"]) == (True, DetectorSettings().nms_iou_ratio)


@pytest.mark.parametrize("name", ["nowhere.pt", "model.txt"])
def test_what_is_no_model_is_refused_in_a_sentence(name: str, tmp_path: Path) -> None:
    (tmp_path / "model.txt").write_text("no model")
    with pytest.raises(BadInputError, match="--weights"):
        open_ultralytics(tmp_path / name)


def test_a_broken_file_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"no network")
    with pytest.raises(BadInputError, match=r"broken\.onnx"):
        open_ultralytics(path)


def test_a_trained_file_is_measured_by_picture(square_folder: Path, tmp_path: Path) -> None:
    from training.fitting.network import build_network

    network = build_network(len(CLASS_NAMES))
    network.names, network.args = dict(enumerate(CLASS_NAMES)), {"imgsz": SIDE_PX}
    path = tmp_path / "plain.pt"
    torch.save({"model": network, "train_args": {"imgsz": SIDE_PX, "task": "detect"}}, path)
    words = ["--weights", str(path), "--data", str(square_folder), "--json"]
    answer = CliRunner().invoke(reference, words, catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    found = json.loads(answer.stdout)
    assert (found["runtime"], found["picture_count"]) == ("ultralytics", 12)
    assert found["model"]["input_px"] == [SIDE_PX, SIDE_PX]
    assert set(found["picture_results"]["per_class"]) == {"can", "hdpe"}
    assert len(found["picture_results"]["pictures"]) == 12
