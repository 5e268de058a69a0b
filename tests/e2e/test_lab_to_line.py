"""Eight pictures, one epoch: from foreign labels to a promoted model on a running line, by commands alone."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import pytest
from free_ports import free_port

from sorter.model.materials import CLASS_NAMES
from training.synthesis.mixture import Mixture, Recipe, fill_stock
from vision.sprites.artist import DrawnSprites

pytest.importorskip("torch")
pytest.importorskip("ultralytics")

FARZ = [sys.executable, "-c", "from sorter.cli import main; main()"]
SIZE_PX = 96
CLASS_MAP = "complete_for = {classes}\n[map]\n{rows}\n"
CONFIGURATION = """
[camera]
width_px = 96
height_px = 96
[detector]
model = "{shelf}"
trusted_keys = ["{key}"]
[ui]
port = {port}
"""


def farz(place: Path, *arguments: object, code: int = 0) -> str:
    """Run a command as a user would; its standard output."""
    command = [*FARZ, *(str(one) for one in arguments)]
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(place)}
    answer = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=280, env=environment)
    assert answer.returncode == code, f"{arguments}\n{answer.stdout}\n{answer.stderr}"
    return answer.stdout


def write_site(place: Path) -> None:
    """Eight pictures of two hours with COCO labels under the site's own names, and a class map."""
    recipe = Recipe(belt_ratio=1.0, belt_count=1, drawn_per_class=2)
    belts = Mixture((), fill_stock((), [DrawnSprites()], CLASS_NAMES, recipe, SIZE_PX, 5), recipe, SIZE_PX, 5)
    (place / "export").mkdir()
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for index in range(8):
        scene, name = belts.scene(index), f"site_04-Mar_{9 + index // 4:02d}-{index:02d}-00.png"
        cv2.imwrite(str(place / "export" / name), scene.picture)
        images.append({"id": index, "file_name": name, "width": SIZE_PX, "height": SIZE_PX})
        for class_id, (x0, y0, x1, y1) in zip(scene.class_ids.tolist(), scene.boxes_px.tolist(), strict=True):
            annotations.append({
                "id": len(annotations), "image_id": index, "category_id": class_id,
                "bbox": [x0, y0, x1 - x0, y1 - y0], "area": (x1 - x0) * (y1 - y0), "iscrowd": 0,
            })  # fmt: skip
    categories = [{"id": index, "name": f"our {name}"} for index, name in enumerate(CLASS_NAMES)]
    labels = {"images": images, "annotations": annotations, "categories": categories}
    (place / "export" / "labels.json").write_text(json.dumps(labels))
    rows = "\n".join(f'"our {name}" = "{name}"' for name in CLASS_NAMES)
    (place / "map.toml").write_text(CLASS_MAP.format(classes=list(CLASS_NAMES), rows=rows))


@pytest.mark.timeout(600)
def test_from_eight_pictures_to_a_running_line(tmp_path: Path) -> None:
    write_site(tmp_path)
    origin = ["--source", "site A", "--licence", "own"]
    farz(tmp_path, "train", "import", "export", "--class-map", "map.toml", *origin, "--out", "site")
    assert json.loads(farz(tmp_path, "train", "check", "site", "--json"))
    farz(
        tmp_path, "train", "run", "--data", "site", "--test", "site", "--out", "tiny", "--epochs", 1,
        "--pictures-per-epoch", 16, "--size-px", SIZE_PX, "--device", "cpu", "--mirrored-view",
    )  # fmt: skip
    farz(tmp_path, "train", "calibrate", "tiny", "--data", "site")
    farz(tmp_path, "train", "export", "tiny.run", "--size-px", "96x64", "--out", "tiny-96x64.onnx")
    lessons = ["--epochs", 1, "--items-per-epoch", 16, "--side-px", 64, "--taught-side-px", 64]
    farz(
        tmp_path, "train", "second-look", "tiny", "--data", "site", *lessons, "--test", "site", "--device", "cpu",
        "--out", "twice",
    )  # fmt: skip
    card = (tmp_path / "twice" / "MODEL_CARD.md").read_text()
    assert all(heading in card for heading in ("## Training", "## Second look", "## Known weaknesses"))
    again = ["train", "second-look", "tiny", "--out", "again", "--run", "twice.second-look"]
    farz(tmp_path, *again, "--data", "site", code=2)
    farz(tmp_path, *again, "--resume")
    one_view = ["--size-px", SIZE_PX, "--one-view", "--like", "twice", "--out", "light"]
    farz(tmp_path, "train", "export", "twice", *one_view)
    farz(tmp_path, "bundle", "lighten", "twice", "light")
    shown = json.loads(farz(tmp_path, "bundle", "show", "twice", "--json"))
    assert shown["mirrored_view"]
    assert not json.loads(farz(tmp_path, "bundle", "show", "twice/lighter", "--json"))["mirrored_view"]
    farz(tmp_path, "bundle", "key", "--out", "keys")
    key = (tmp_path / "keys" / "farz-signing.pub").read_text().splitlines()[-1]
    configuration = tmp_path / "line.toml"
    configuration.write_text(CONFIGURATION.format(shelf=tmp_path / "shelf", key=key, port=free_port()))
    promote = ["bundle", "promote", "twice", "--shelf", "shelf", "--data", "site", "--config", configuration]
    farz(tmp_path, *promote, code=2)
    farz(tmp_path, "bundle", "sign", "twice", "--key", "keys/farz-signing.key")
    farz(tmp_path, *promote)
    farz(
        tmp_path, "train", "fit", "--data", "site", "--weights", "twice", "--run", "next.run", "--epochs", 1,
        "--pictures-per-epoch", 16, "--size-px", SIZE_PX, "--device", "cpu",
    )  # fmt: skip
    first = json.loads((tmp_path / "next.run" / "record.json").read_text())["data"][1]
    assert first["name"].endswith("/twice"), "the next training goes on from the promoted bundle"
    report = json.loads(farz(tmp_path, "run", "--config", configuration, "--for", "3s", "--json"))
    assert report["model_id"].startswith("twice-")
    assert report["item_count"] > 0
    configuration.write_text(configuration.read_text().replace("[detector]", '[detector]\nlighter = "always"'))
    report = json.loads(farz(tmp_path, "run", "--config", configuration, "--for", "3s", "--json"))
    assert report["model_id"] == shown["lighter_model_id"]
    assert report["item_count"] > 0
