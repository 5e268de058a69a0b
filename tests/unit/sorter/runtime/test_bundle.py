"""Reading bundles: what is missing, altered or made for other classes is refused, with the reason."""

import hashlib
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sorter.calibration import open_calibration
from sorter.errors import BundleError
from sorter.model.materials import CLASS_NAMES, class_list_sha256
from sorter.model.settings import DetectorSettings, RecipeSettings, Settings, StationSettings
from sorter.runtime.bundle import MANIFEST_NAME, bundle_for, default_bundle_folder, file_sha256, load_bundle
from sorter.runtime.bundle_trust import signature_path
from sorter.runtime.model_shelf import Champion, ModelShelf
from sorter.runtime.secret_key import new_secret_key, sign
from sorter.runtime.signature import signature_file

NETWORK = b"a network"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model.onnx").write_bytes(NETWORK)
    write(tmp_path, manifest(tmp_path))
    return tmp_path


def manifest(folder: Path, classes: tuple[str, ...] = CLASS_NAMES) -> dict[str, Any]:
    return {
        "name": "test",
        "version": "3",
        "licence": "AGPL-3.0-or-later",
        "classes": list(classes),
        "classes_sha256": class_list_sha256(classes),
        "network": {
            "file": "model.onnx",
            "sha256": file_sha256(folder / "model.onnx"),
            "input_width_px": 512,
            "input_height_px": 512,
            "head": "raw",
        },
    }


def write(folder: Path, content: dict[str, Any]) -> None:
    (folder / MANIFEST_NAME).write_text(json.dumps(content))


def refusal(folder: Path) -> str:
    with pytest.raises(BundleError) as caught:
        load_bundle(folder)
    return str(caught.value)


def using(folder: Path, classes: tuple[str, ...] = CLASS_NAMES) -> Settings:
    station = StationSettings(id="one", offset_mm=700.0, targets=(classes[0],))
    return Settings(
        detector=DetectorSettings(model=str(folder), allow_unsigned=True),
        recipe=RecipeSettings(classes=classes, stations=(station,)),
    )


def test_a_whole_bundle_is_read_and_known_by_name_version_and_network(folder: Path) -> None:
    bundle = load_bundle(folder)
    assert bundle.model_id == f"test-3-{file_sha256(folder / 'model.onnx')[:8]}"
    assert bundle.network_path == folder / "model.onnx"
    assert bundle.manifest.classes == CLASS_NAMES
    assert bundle.manifest.network.takes_uint8_bgr
    assert bundle.manifest.network.fit == "letterbox"  # what manifests meant before there was a choice


def test_the_hash_of_a_file_is_its_sha_256(folder: Path) -> None:
    # printf 'a network' | sha256sum
    assert file_sha256(folder / "model.onnx") == ("2f782beca6c497e09ee1b67bd6a1202048f19e97f7e1364a58d415ce7b3ecd9e")


def test_an_altered_network_is_refused(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(NETWORK + b"!")
    assert "model.onnx does not match its hash" in refusal(folder)


def with_form(folder: Path, **changes: Any) -> dict[str, Any]:
    """A manifest with a further form in two files; `changes` are laid over the form."""
    files = []
    for name in ("model.xml", "model.bin"):
        (folder / name).write_bytes(name.encode())
        files.append({"file": name, "sha256": file_sha256(folder / name)})
    content = manifest(folder)
    form = {"made_from_sha256": content["network"]["sha256"], "files": files}
    return content | {"forms": {"openvino-int8": form | {"input_width_px": 512, "input_height_px": 512} | changes}}


def test_a_further_form_is_read_and_the_model_keeps_its_name(folder: Path) -> None:
    model_id = load_bundle(folder).model_id
    write(folder, with_form(folder))
    bundle = load_bundle(folder)
    assert [one.file for one in bundle.manifest.forms["openvino-int8"].files] == ["model.xml", "model.bin"]
    assert bundle.model_id == model_id


@pytest.mark.parametrize("name", ["model.xml", "model.bin"])
def test_an_altered_or_missing_file_of_a_form_is_refused(folder: Path, name: str) -> None:
    write(folder, with_form(folder))
    (folder / name).write_bytes(b"altered")
    assert f"{name} does not match its hash" in refusal(folder)
    (folder / name).unlink()
    assert f"{name} is missing" in refusal(folder)


def test_a_form_of_another_network_is_refused(folder: Path) -> None:
    write(folder, with_form(folder, made_from_sha256="0" * 64))
    assert "'openvino-int8' was made from another network" in refusal(folder)


@pytest.mark.parametrize("name", ["../model.xml", "/model.xml", "a\\model.xml"])
def test_a_form_cannot_lead_out_of_the_bundle(folder: Path, name: str) -> None:
    write(folder, with_form(folder, files=[{"file": name, "sha256": "0" * 64}]))
    assert "cannot be read" in refusal(folder)


def with_second_look(folder: Path, content: bytes = b"names", **changes: Any) -> dict[str, Any]:
    """A manifest with a second look; `changes` are laid over it."""
    (folder / "names.onnx").write_bytes(content)
    look = {"file": "names.onnx", "sha256": file_sha256(folder / "names.onnx"), "side_px": 128}
    return manifest(folder) | {"second_look": look | {"margin_ratio": 1.25, "own_name_ratio": 0.5} | changes}


def test_a_second_look_is_read_and_is_part_of_the_model_s_name(folder: Path) -> None:
    alone_id = load_bundle(folder).model_id
    model_ids = {alone_id}
    for content in (b"names", b"other names"):
        write(folder, with_second_look(folder, content))
        bundle = load_bundle(folder)
        assert bundle.manifest.second_look is not None
        assert bundle.manifest.second_look.side_px == 128
        model_ids.add(bundle.model_id)
    assert len(model_ids) == 3
    assert {len(model_id) for model_id in model_ids} == {len(alone_id)}
    (folder / "model.onnx").write_bytes(NETWORK + b"!")
    write(folder, with_second_look(folder))
    assert load_bundle(folder).model_id not in model_ids


def test_the_digits_of_a_model_with_a_second_look_are_of_both_hashes(folder: Path) -> None:
    write(folder, with_second_look(folder))
    both = file_sha256(folder / "model.onnx") + file_sha256(folder / "names.onnx")
    assert load_bundle(folder).model_id == f"test-3-{hashlib.sha256(both.encode()).hexdigest()[:8]}"


def test_an_altered_or_missing_second_look_is_refused(folder: Path) -> None:
    write(folder, with_second_look(folder))
    (folder / "names.onnx").write_bytes(b"altered")
    assert "names.onnx does not match its hash" in refusal(folder)
    (folder / "names.onnx").unlink()
    assert "names.onnx is missing" in refusal(folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("file", "../names.onnx"), ("side_px", 0), ("margin_ratio", 0.9), ("own_name_ratio", 1.1),
        ("own_name_ratio", -0.1), ("certainty_ratio", 1.1), ("squaring_ratio", -0.1), ("surroundings_ratio", 2.0),
        ("colour_of_belt", 1),
    ],
)  # fmt: skip
def test_a_second_look_described_wrongly_is_refused(folder: Path, key: str, value: object) -> None:
    write(folder, with_second_look(folder, **{key: value}))
    assert "cannot be read" in refusal(folder)


def test_a_missing_network_is_refused(folder: Path) -> None:
    (folder / "model.onnx").unlink()
    assert "model.onnx is missing" in refusal(folder)


def test_an_altered_class_list_is_refused(folder: Path) -> None:
    content = manifest(folder)
    content["classes"] = content["classes"][::-1]
    write(folder, content)
    assert "class hash" in refusal(folder)


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    assert MANIFEST_NAME in refusal(tmp_path)
    assert MANIFEST_NAME in refusal(tmp_path / "gone")


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"name": "\xff"}', b""])
def test_a_manifest_that_is_no_json_is_refused(folder: Path, content: bytes) -> None:
    (folder / MANIFEST_NAME).write_bytes(content)
    assert "cannot be read" in refusal(folder)


@pytest.mark.parametrize("key", ["name", "version", "licence", "classes", "classes_sha256", "network"])
def test_a_manifest_without_a_key_it_needs_is_refused_by_that_key(folder: Path, key: str) -> None:
    content = manifest(folder)
    del content[key]
    write(folder, content)
    assert f"`{key}`" in refusal(folder)


@pytest.mark.parametrize(
    ("key", "value"), [("input_width_px", 0), ("head", "tail"), ("colour_of_belt", 1), ("takes_uint8_bgr", "yes")]
)
def test_a_network_described_wrongly_is_refused(folder: Path, key: str, value: object) -> None:
    content = manifest(folder)
    content["network"][key] = value
    write(folder, content)
    assert "cannot be read" in refusal(folder)


def test_a_bundle_for_the_recipe_s_classes_is_used(folder: Path) -> None:
    assert bundle_for(using(folder)).folder == folder


@pytest.mark.parametrize("classes", [CLASS_NAMES[::-1], CLASS_NAMES[:-1], (*CLASS_NAMES[:-1], "textile")])
def test_a_bundle_for_other_classes_or_another_order_is_refused(folder: Path, classes: tuple[str, ...]) -> None:
    with pytest.raises(BundleError, match="same order") as caught:
        bundle_for(using(folder, classes))
    assert class_list_sha256(classes)[:8] in str(caught.value)
    assert class_list_sha256(CLASS_NAMES)[:8] in str(caught.value)


def test_without_a_name_the_shipped_bundle_is_meant(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr("sorter.runtime.bundle.default_bundle_folder", lambda: folder)
    assert bundle_for(Settings(detector=DetectorSettings(allow_unsigned=True))).folder == folder
    assert default_bundle_folder().parent.name == "models"


def test_a_line_refuses_a_bundle_that_nobody_it_trusts_has_signed(folder: Path) -> None:
    settings, key = using(folder), new_secret_key()
    strict = msgspec.structs.replace(
        settings, detector=DetectorSettings(model=str(folder), trusted_keys=(key.public.text,))
    )
    with pytest.raises(BundleError, match="not signed"):
        bundle_for(strict)
    path = folder / MANIFEST_NAME
    signature_path(path).write_text(signature_file(sign(path.read_bytes(), key, "test"), "test"))
    assert bundle_for(strict).folder == folder
    write(folder, manifest(folder) | {"version": "4"})
    with pytest.raises(BundleError, match="changed since"):
        bundle_for(strict)


def test_files_that_a_signed_manifest_names_cannot_be_altered(folder: Path) -> None:
    card = folder / "MODEL_CARD.md"
    card.write_text("good for bottles")
    write(folder, manifest(folder) | {"files": {card.name: file_sha256(card)}})
    load_bundle(folder)
    card.write_text("good for everything")
    assert "MODEL_CARD.md does not match its hash" in refusal(folder)


def test_a_shelf_stands_for_its_champion_s_bundle(folder: Path, tmp_path: Path) -> None:
    shelf = ModelShelf(tmp_path / "shelf")
    model_id = load_bundle(folder).model_id
    with shelf.changing(), shelf.taking_in(folder) as part:
        shelf.shelve(part, model_id)
        shelf.point_to(Champion(model_id, (), "site", "now"))
    assert load_bundle(shelf.folder).folder == shelf.bundle_folder(model_id)
    assert bundle_for(using(shelf.folder)).model_id == model_id


def test_the_shipped_bundle_is_signed_with_the_release_key() -> None:
    assert bundle_for(Settings()).folder == default_bundle_folder()


def test_the_calibration_of_a_bundle_is_applied_class_by_class_in_the_recipe_s_order(folder: Path) -> None:
    content = manifest(folder)
    content["calibration"] = {CLASS_NAMES[2]: {"slope": 1.5, "offset": -0.5}, CLASS_NAMES[0]: {"offset": 0.25}}
    write(folder, content)
    calibration = open_calibration(using(folder))
    assert calibration.slope.tolist() == [1.0, 1.0, 1.5] + [1.0] * (len(CLASS_NAMES) - 3)
    assert calibration.offset.tolist() == [0.25, 0.0, -0.5] + [0.0] * (len(CLASS_NAMES) - 3)


def test_the_oracle_needs_no_bundle_and_no_calibration(tmp_path: Path) -> None:
    settings = Settings(detector=DetectorSettings(runtime="oracle", model=str(tmp_path / "gone")))
    calibration = open_calibration(settings)
    assert set(calibration.slope.tolist()) == {1.0}
    assert set(calibration.offset.tolist()) == {0.0}
