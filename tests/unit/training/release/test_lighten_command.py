"""A lighter model in a bundle: laid in whole, held by its hash, covered by one signature, and copied with the rest."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sorter.bundle_command import show, verify
from sorter.errors import BundleError
from sorter.model.materials import CLASS_NAMES
from sorter.runtime.bundle import LIGHTER_FOLDER, MANIFEST_NAME, Bundle, lighter_of, load_bundle
from sorter.runtime.model_shelf import Champion, ModelShelf
from training.input_size import InputSize
from training.release.bundle_writer import Identity, with_measurements, write_bundle
from training.release.export_command import write_like
from training.release.lighten_command import lighten
from training.release.sign_command import PUBLIC_NAME, SECRET_NAME, make_key, sign_bundle


def written(folder: Path, version: str, classes: tuple[str, ...] = CLASS_NAMES) -> Bundle:
    folder.mkdir()
    network = folder / "network.onnx"
    network.write_bytes(f"network {version}".encode())
    bundle = write_bundle(folder, network, Identity("tiny", version, "CC0-1.0"), classes, 512)
    (folder / "MODEL_CARD.md").write_text(f"card {version}")
    return bundle


@pytest.fixture
def full(tmp_path: Path) -> Bundle:
    return written(tmp_path / "full", "1")


@pytest.fixture
def light(tmp_path: Path) -> Bundle:
    return written(tmp_path / "light", "2")


def run(command, *arguments: object) -> Result:
    return CliRunner().invoke(command, [str(one) for one in arguments])


def refusal(command, *arguments: object) -> str:
    error = run(command, *arguments).exception
    assert isinstance(error, BundleError), error
    assert "\n" not in str(error)
    return str(error)


def lighter_id(folder: Path) -> str:
    lighter = lighter_of(load_bundle(folder))
    assert lighter is not None
    return lighter.model_id


def test_a_bundle_holds_its_lighter_model_whole(full: Bundle, light: Bundle) -> None:
    assert lighter_of(full) is None
    assert run(lighten, full.folder, light.folder).exit_code == 0
    assert lighter_id(full.folder) == light.model_id
    assert (full.folder / LIGHTER_FOLDER / "MODEL_CARD.md").read_text() == "card 2"
    assert load_bundle(full.folder).model_id == full.model_id
    assert f"lighter model  {light.model_id}" in run(show, full.folder).output


@pytest.mark.parametrize("name", [MANIFEST_NAME, "tiny.onnx"])
def test_one_signature_covers_both(full: Bundle, light: Bundle, tmp_path: Path, name: str) -> None:
    keys = tmp_path / "keys"
    run(make_key, "--out", keys)
    run(lighten, full.folder, light.folder)
    assert "not signed" in refusal(verify, full.folder, "--key", keys / PUBLIC_NAME)
    assert run(sign_bundle, full.folder, "--key", keys / SECRET_NAME).exit_code == 0
    assert run(verify, full.folder, "--key", keys / PUBLIC_NAME).exit_code == 0
    path = full.folder / LIGHTER_FOLDER / name
    path.write_bytes(path.read_bytes() + b" ")
    assert "does not match its hash" in refusal(verify, full.folder, "--key", keys / PUBLIC_NAME)


def test_another_takes_its_place_also_where_what_was_there_is_broken(
    full: Bundle, light: Bundle, tmp_path: Path
) -> None:
    run(lighten, full.folder, light.folder)
    (full.folder / LIGHTER_FOLDER / MANIFEST_NAME).unlink()
    with pytest.raises(BundleError, match="missing"):
        load_bundle(full.folder)
    other = written(tmp_path / "other", "3")
    assert run(lighten, full.folder, other.folder).exit_code == 0
    assert lighter_id(full.folder) == other.model_id


def test_what_was_changed_in_its_place_is_taken_anew(full: Bundle, light: Bundle) -> None:
    run(lighten, full.folder, light.folder)
    place = full.folder / LIGHTER_FOLDER
    with_measurements(load_bundle(place), {}, {}, {"map50": 0.9}, [])
    assert isinstance(run(show, full.folder).exception, BundleError)
    assert run(lighten, full.folder, place).exit_code == 0
    found = lighter_of(load_bundle(full.folder))
    assert found is not None
    assert found.manifest.metrics == {"map50": 0.9}


def test_what_cannot_be_a_lighter_model_changes_nothing(full: Bundle, light: Bundle, tmp_path: Path) -> None:
    before = (full.folder / MANIFEST_NAME).read_bytes()
    others = written(tmp_path / "others", "3", CLASS_NAMES[::-1])
    assert "other classes" in refusal(lighten, full.folder, others.folder)
    assert "the bundle itself" in refusal(lighten, full.folder, full.folder)
    nested = written(tmp_path / "nested", "4")
    run(lighten, nested.folder, light.folder)
    assert "a lighter model itself" in refusal(lighten, full.folder, nested.folder)
    assert (full.folder / MANIFEST_NAME).read_bytes() == before
    assert not (full.folder / LIGHTER_FOLDER).exists()


def test_the_shelf_takes_both_and_changes_neither(full: Bundle, light: Bundle, tmp_path: Path) -> None:
    run(lighten, full.folder, light.folder)
    shelf = ModelShelf(tmp_path / "shelf")
    with shelf.changing(), shelf.taking_in(full.folder) as part:
        shelf.shelve(part, full.model_id)
        shelf.point_to(Champion(full.model_id, (), "site", "now"))
    assert lighter_id(shelf.folder) == light.model_id
    assert "never change" in refusal(lighten, shelf.bundle_folder(full.model_id), light.folder)


def test_a_bundle_made_like_another_does_not_take_its_lighter_model(
    full: Bundle, light: Bundle, tmp_path: Path
) -> None:
    run(lighten, full.folder, light.folder)
    network = tmp_path / "made" / "made.onnx"
    network.parent.mkdir()
    network.write_bytes(b"a third network")
    made = write_like(load_bundle(full.folder), network, InputSize(512, 512))
    assert lighter_of(made) is None
