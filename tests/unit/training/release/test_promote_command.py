"""Promotion from end to end: tiny real networks against each other on generated pictures, on a shelf on disk."""

import json
from pathlib import Path

import cv2
import msgspec
import numpy as np
import onnx
import pytest
from click.testing import CliRunner, Result
from onnx import TensorProto, helper, numpy_helper

from sorter.errors import BundleError, ShelfError
from sorter.model.materials import CLASS_NAMES, class_list_sha256
from sorter.runtime.bundle import ClassCalibration, load_bundle
from sorter.runtime.model_shelf import ModelShelf
from sorter.runtime.secret_key import new_secret_key
from sorter.shelf_command import rollback
from training.release.bundle_writer import Identity, with_measurements, write_bundle, write_manifest
from training.release.lighten_command import with_lighter
from training.release.promote_command import promote
from training.release.sealing import seal

CELL_PX, CELL_COUNT = 16, 6
SIDE_PX = CELL_PX * CELL_COUNT
KEY = new_secret_key()
CHANNEL_OF = {"can": 0, "hdpe": 2}


@pytest.fixture(scope="module")
def site_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Blue cells are cans, red ones hdpe, each of a brightness of its own; stains of either colour are faint."""
    folder = tmp_path_factory.mktemp("site") / "set"
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True)
    (folder / "data.yaml").write_text("names: [can, hdpe]\n")
    (folder / "class_map.toml").write_text('complete_for = ["can", "hdpe"]\n[map]\ncan = "can"\nhdpe = "hdpe"\n')
    rng = np.random.default_rng(3)
    for number in range(16):
        write_picture(folder, f"belt_{number:03d}", rng)
    return folder


def write_picture(folder: Path, name: str, rng: np.random.Generator) -> None:
    picture = np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8)
    lines = []
    for place, cell in enumerate(rng.choice(CELL_COUNT**2, 8, replace=False)):
        row, column = divmod(int(cell), CELL_COUNT)
        class_id, is_item = int(rng.integers(2)), place < 6
        brightness = rng.integers(60, 250) if is_item else rng.integers(20, 70)
        area = (slice(row * CELL_PX, (row + 1) * CELL_PX), slice(column * CELL_PX, (column + 1) * CELL_PX))
        picture[(*area, (0, 2)[class_id])] = brightness
        if is_item:
            side = 1 / CELL_COUNT
            lines.append(f"{class_id} {(column + 0.5) * side:.5f} {(row + 0.5) * side:.5f} {side:.5f} {side:.5f}")
    cv2.imwrite(str(folder / "images" / f"{name}.png"), picture)
    (folder / "labels" / f"{name}.txt").write_text("\n".join(lines))


def network(least: dict[str, float]) -> onnx.ModelProto:
    """Names a cell by its colour, as surely as it is bright; `least` is the brightness (0..1) from which it sees."""
    cells = np.stack(np.meshgrid(np.arange(CELL_COUNT), np.arange(CELL_COUNT)), axis=0).reshape(1, 2, -1)
    boxes = np.concatenate([(cells + 0.5) * CELL_PX, np.full(cells.shape, CELL_PX)], axis=1).astype(np.float32)
    colours, offsets = np.zeros((len(CLASS_NAMES), 3, 1, 1), np.float32), np.zeros(len(CLASS_NAMES), np.float32)
    for name, channel in CHANNEL_OF.items():
        colours[CLASS_NAMES.index(name), channel] = 1 / 255
        offsets[CLASS_NAMES.index(name)] = -least.get(name, 0.0)
    shape = np.array([1, len(CLASS_NAMES), -1])
    constants = {"boxes": boxes, "colours": colours, "offsets": offsets, "shape": shape}
    nodes = [
        helper.make_node("Cast", ["picture"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["floats"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("AveragePool", ["planes"], ["means"], kernel_shape=[CELL_PX] * 2, strides=[CELL_PX] * 2),
        helper.make_node("Conv", ["means", "colours", "offsets"], ["named"]),
        helper.make_node("Relu", ["named"], ["seen"]),
        helper.make_node("Reshape", ["seen", "shape"], ["scores"]),
        helper.make_node("Concat", ["boxes", "scores"], ["output"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "cells",
        [helper.make_tensor_value_info("picture", TensorProto.UINT8, [1, SIDE_PX, SIDE_PX, 3])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 4 + len(CLASS_NAMES), CELL_COUNT**2])],
        [numpy_helper.from_array(values, name) for name, values in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


class Lab:
    """A place with a shelf, a line's configuration and bundles that are signed with the line's key."""

    def __init__(self, place: Path, site_set: Path) -> None:
        self.place, self.site_set = place, site_set
        self.shelf = ModelShelf(place / "shelf")
        self.config = place / "line.toml"
        self.config.write_text(f'[detector]\ntrusted_keys = ["{KEY.public.text}"]\n')

    def bundle(
        self, version: str, least: dict[str, float] | None = None, offset: float = 1.0, *, is_signed: bool = True
    ) -> Path:
        """A bundle; `least` makes it blind to what is dim, `offset` is that of its calibration."""
        onnx_path = self.place / f"{version}.onnx"
        onnx.save(network(least or {}), onnx_path)
        folder = self.place / f"bundle-{version}"
        written = write_bundle(folder, onnx_path, Identity("cells", version, "CC0-1.0"), CLASS_NAMES, SIDE_PX)
        calibration = {name: ClassCalibration(1.0, offset) for name in CHANNEL_OF}
        with_measurements(written, calibration, {}, {}, [])
        if is_signed:
            seal(folder, KEY)
        return folder

    def promote(self, bundle: Path, *options: str, data: Path | None = None) -> Result:
        arguments = ["--shelf", self.shelf.folder, "--data", data or self.site_set, "--config", self.config]
        return CliRunner().invoke(promote, [str(bundle), *map(str, arguments), *options])

    def refusal(self, bundle: Path, *options: str, data: Path | None = None) -> str:
        """The sentence of a challenger that cannot be tried; nothing on the shelf changes by it."""
        before = files(self.shelf.folder)
        error = self.promote(bundle, *options, data=data).exception
        assert isinstance(error, BundleError | ShelfError), error
        assert files(self.shelf.folder) == before
        return str(error)

    def champion_version(self) -> str:
        champion = self.shelf.champion()
        assert champion is not None
        return load_bundle(self.shelf.bundle_folder(champion.model_id)).manifest.version

    def journal(self) -> list[dict]:
        return [json.loads(line) for line in (self.shelf.folder / "journal.jsonl").read_text().splitlines()]


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def lab(tmp_path: Path, site_set: Path) -> Lab:
    return Lab(tmp_path, site_set)


@pytest.fixture
def lab_with_champion(lab: Lab) -> Lab:
    assert lab.promote(lab.bundle("1", {"can": 0.3, "hdpe": 0.3})).exit_code == 0
    return lab


def test_the_first_model_becomes_champion_and_freezes_the_site_set(lab: Lab) -> None:
    answer = lab.promote(lab.bundle("1"), "--json")
    assert answer.exit_code == 0, answer.output
    report = json.loads(answer.stdout)
    assert report["event"] == "promoted"
    assert report["trial"]["contest"] is None
    assert report["trial"]["challenger"]["map50"] > 0.9
    champion = lab.shelf.champion()
    assert champion is not None
    assert champion.site_set_sha256 == report["trial"]["site_set_sha256"]
    assert lab.champion_version() == "1"


def test_a_better_model_takes_over_and_rollback_brings_the_old_one_back(lab_with_champion: Lab) -> None:
    lab = lab_with_champion
    answer = lab.promote(lab.bundle("2"))
    assert answer.exit_code == 0, answer.output
    assert "in place of cells-1" in answer.output
    assert lab.champion_version() == "2"
    entry = lab.journal()[-1]
    assert entry["event"] == "promoted"
    assert entry["trial"]["contest"]["map50"]["low"] > 0
    assert CliRunner().invoke(rollback, ["--shelf", str(lab.shelf.folder)]).exit_code == 0
    assert lab.champion_version() == "1"
    assert [one["event"] for one in lab.journal()] == ["promoted", "promoted", "rolled_back"]


def test_a_line_that_always_runs_the_lighter_model_has_that_one_measured(lab_with_champion: Lab) -> None:
    lab = lab_with_champion
    challenger = lab.bundle("2")
    with_lighter(challenger, load_bundle(lab.bundle("2-light", {"can": 0.7, "hdpe": 0.7})))
    seal(challenger, KEY)
    lab.config.write_text(lab.config.read_text() + 'lighter = "always"\n')
    answer = lab.promote(challenger)
    assert answer.exit_code == 1, answer.output
    assert "cells-2-light" in answer.output
    lab.config.write_text(lab.config.read_text().replace("always", "never"))
    assert lab.promote(challenger).exit_code == 0
    assert lab.champion_version() == "2"


def test_an_equal_model_takes_over(lab_with_champion: Lab) -> None:
    lab = lab_with_champion
    assert lab.promote(lab.bundle("2", {"can": 0.3, "hdpe": 0.3})).exit_code == 0
    assert lab.champion_version() == "2"


@pytest.mark.parametrize(
    ("least", "offset", "reason"),
    [
        ({"can": 0.6, "hdpe": 0.6}, 1.0, "mAP50 is clearly worse"),
        ({"can": 0.0, "hdpe": 0.5}, 1.0, "hdpe is clearly worse"),
        ({"can": 0.3, "hdpe": 0.3}, -9.0, "F1 is clearly worse"),
    ],
)
def test_a_worse_model_is_refused_and_the_journal_says_on_which_figures(
    lab_with_champion: Lab, least: dict[str, float], offset: float, reason: str
) -> None:
    lab = lab_with_champion
    answer = lab.promote(lab.bundle("2", least, offset))
    assert answer.exit_code == 1
    assert f"refused: {reason}" in answer.output
    assert lab.champion_version() == "1"
    assert lab.shelf.model_ids() == [lab.shelf.champion().model_id]
    entry = lab.journal()[-1]
    assert entry["event"] == "refused"
    assert any(one.startswith(reason) for one in entry["objections"])
    assert entry["trial"]["contest"]["champion_id"].startswith("cells-1-")
    assert entry["gate"] == {"margin_ratio": 0.01, "min_label_count": 20}


def test_a_class_with_few_labels_does_not_hold_up_a_model_that_is_better_over_all(lab_with_champion: Lab) -> None:
    lab = lab_with_champion
    better = lab.bundle("2", {"can": 0.0, "hdpe": 0.34})
    assert lab.promote(better, "--min-labels", "1000").exit_code == 0


def test_a_bundle_that_the_line_does_not_trust_is_not_tried(lab_with_champion: Lab) -> None:
    lab = lab_with_champion
    assert "not signed" in lab.refusal(lab.bundle("2", is_signed=False))
    stranger = lab.bundle("3", is_signed=False)
    seal(stranger, new_secret_key())
    assert "not trusted" in lab.refusal(stranger)


def test_a_changed_site_set_is_refused_until_it_is_said_to_be_new(lab_with_champion: Lab, tmp_path: Path) -> None:
    lab = lab_with_champion
    other = tmp_path / "other"
    for source in sorted(path for path in lab.site_set.rglob("*") if path.is_file()):
        target = other / source.relative_to(lab.site_set)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
    (other / "labels" / "belt_000.txt").write_text("")
    better = lab.bundle("2")
    assert "--new-site-set" in lab.refusal(better, data=other)
    assert lab.promote(better, "--new-site-set", data=other).exit_code == 0
    assert lab.journal()[-1]["is_new_site_set"] is True
    assert "--new-site-set" in lab.refusal(lab.bundle("3"))


def test_other_classes_are_refused(lab_with_champion: Lab) -> None:
    lab = lab_with_champion
    bundle = lab.bundle("2", is_signed=False)
    manifest = load_bundle(bundle).manifest
    classes = manifest.classes[::-1]
    write_manifest(
        bundle, msgspec.structs.replace(manifest, classes=classes, classes_sha256=class_list_sha256(classes))
    )
    seal(bundle, KEY)
    assert "same order" in lab.refusal(bundle)


def test_the_champion_itself_and_another_bundle_of_its_name_are_refused(lab_with_champion: Lab) -> None:
    lab = lab_with_champion
    assert "champion already" in lab.refusal(lab.place / "bundle-1")
    assert lab.promote(lab.bundle("2", {"can": 0.3, "hdpe": 0.3})).exit_code == 0
    # the same network and version as the first champion, with another calibration
    assert "new version" in lab.refusal(lab.bundle("1", {"can": 0.3, "hdpe": 0.3}, offset=1.01))
