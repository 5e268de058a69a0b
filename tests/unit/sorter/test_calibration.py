"""Calibrations follow the model of each frame, also when a shelf's champion changes under a running line."""

import json
from pathlib import Path

import pytest

from sorter.calibration import ModelCalibrations
from sorter.errors import BundleError
from sorter.model.materials import class_list_sha256
from sorter.model.settings import DetectorSettings, RecipeSettings, Settings, StationSettings
from sorter.runtime.bundle import LIGHTER_FOLDER, MANIFEST_NAME, file_sha256, load_bundle
from sorter.runtime.model_shelf import Champion, ModelShelf

CLASSES = ("can", "pet")


def write_bundle(folder: Path, version: str, offset: float, classes: tuple[str, ...] = CLASSES) -> Path:
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(b"a network")
    network = {"file": "model.onnx", "sha256": file_sha256(folder / "model.onnx"), "head": "raw"}
    manifest = {
        "name": "tiny",
        "version": version,
        "licence": "CC0-1.0",
        "classes": list(classes),
        "classes_sha256": class_list_sha256(classes),
        "network": network | {"input_width_px": 64, "input_height_px": 64},
        "calibration": {"can": {"offset": offset}},
    }
    (folder / MANIFEST_NAME).write_text(json.dumps(manifest))
    return folder


def write_pair(folder: Path, version: str) -> tuple[Path, str]:
    """A bundle with a lighter model in it, and the lighter one's id; offsets 0.25 and -0.5."""
    write_bundle(folder, version, 0.25)
    lighter = write_bundle(folder / LIGHTER_FOLDER, f"{version}-light", -0.5)
    manifest = json.loads((folder / MANIFEST_NAME).read_bytes())
    manifest["lighter_sha256"] = file_sha256(lighter / MANIFEST_NAME)
    (folder / MANIFEST_NAME).write_text(json.dumps(manifest))
    return folder, load_bundle(lighter).model_id


def promote(shelf: ModelShelf, folder: Path) -> str:
    model_id = load_bundle(folder).model_id
    with shelf.changing(), shelf.taking_in(folder) as part:
        shelf.shelve(part, model_id)
        shelf.point_to(Champion(model_id, (), "site", "now"))
    return model_id


def settings_for(model: Path, **detector: object) -> Settings:
    station = StationSettings(id="cans", offset_mm=700.0, targets=("can",))
    return Settings(
        detector=DetectorSettings(model=str(model), **{"allow_unsigned": True, **detector}),  # type: ignore[arg-type]
        recipe=RecipeSettings(classes=CLASSES, stations=(station,)),
    )


def test_each_model_of_a_shelf_has_its_own(tmp_path: Path) -> None:
    shelf = ModelShelf(tmp_path / "shelf")
    first = promote(shelf, write_bundle(tmp_path / "one", "1", 0.25))
    calibrations = ModelCalibrations(settings_for(shelf.folder))
    second = promote(shelf, write_bundle(tmp_path / "two", "2", -0.5))
    assert calibrations.first.offset.tolist() == [0.25, 0.0]
    assert calibrations.of(second).offset.tolist() == [-0.5, 0.0]
    assert calibrations.of(first).offset.tolist() == [0.25, 0.0]


def test_a_lighter_model_has_its_own_in_a_folder_and_on_a_shelf(tmp_path: Path) -> None:
    pair, lighter_id = write_pair(tmp_path / "pair", "1")
    assert ModelCalibrations(settings_for(pair)).of(lighter_id).offset.tolist() == [-0.5, 0.0]
    shelf = ModelShelf(tmp_path / "shelf")
    promote(shelf, pair)
    calibrations = ModelCalibrations(settings_for(shelf.folder))
    later, later_id = write_pair(tmp_path / "later", "2")
    promote(shelf, later)
    assert calibrations.first.offset.tolist() == [0.25, 0.0]
    assert calibrations.of(later_id).offset.tolist() == [-0.5, 0.0]
    assert calibrations.of(lighter_id).offset.tolist() == [-0.5, 0.0]
    with pytest.raises(BundleError, match=r"manifest\.json"):
        calibrations.of("tiny-9-00000000")


def test_a_model_that_is_not_on_the_shelf_has_none(tmp_path: Path) -> None:
    shelf = ModelShelf(tmp_path / "shelf")
    promote(shelf, write_bundle(tmp_path / "one", "1", 0.25))
    with pytest.raises(BundleError, match=r"manifest\.json"):
        ModelCalibrations(settings_for(shelf.folder)).of("tiny-9-00000000")


def test_a_bundle_that_nobody_trusted_signed_has_none(tmp_path: Path) -> None:
    shelf = ModelShelf(tmp_path / "shelf")
    promote(shelf, write_bundle(tmp_path / "one", "1", 0.25))
    with pytest.raises(BundleError, match="not signed"):
        ModelCalibrations(settings_for(shelf.folder, allow_unsigned=False))


def test_a_bundle_of_other_classes_has_none(tmp_path: Path) -> None:
    shelf = ModelShelf(tmp_path / "shelf")
    promote(shelf, write_bundle(tmp_path / "one", "1", 0.25))
    calibrations = ModelCalibrations(settings_for(shelf.folder))
    other = promote(shelf, write_bundle(tmp_path / "two", "2", 0.5, CLASSES[::-1]))
    with pytest.raises(BundleError, match="scores come from"):
        calibrations.of(other)


def test_outside_a_shelf_the_folder_must_hold_the_model_that_speaks(tmp_path: Path) -> None:
    folder = write_bundle(tmp_path / "one", "1", 0.25)
    calibrations = ModelCalibrations(settings_for(folder))
    assert calibrations.of(load_bundle(folder).model_id).offset.tolist() == [0.25, 0.0]
    with pytest.raises(BundleError, match="scores come from tiny-2"):
        calibrations.of("tiny-2-00000000")


def test_the_oracle_s_scores_are_taken_as_they_are(tmp_path: Path) -> None:
    calibrations = ModelCalibrations(settings_for(tmp_path / "gone", runtime="oracle"))
    assert calibrations.of("oracle").offset.tolist() == [0.0, 0.0]
    assert calibrations.of("another oracle").slope.tolist() == [1.0, 1.0]
