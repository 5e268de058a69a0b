"""Making keys and signing bundles from the command line."""

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from sorter.bundle_command import show, verify
from sorter.errors import BundleError, SignatureError
from sorter.model.materials import CLASS_NAMES
from sorter.runtime import secret_key
from sorter.runtime.bundle import Bundle, SecondLook, file_sha256, load_bundle
from sorter.runtime.model_shelf import Champion, ModelShelf
from sorter.runtime.signature import read_public_key
from training.release.bundle_writer import Identity, with_measurements, write_bundle, write_manifest
from training.release.sign_command import PUBLIC_NAME, SECRET_NAME, make_key, sign_bundle


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    network = tmp_path / "network.onnx"
    network.write_bytes(b"a network")
    written = write_bundle(tmp_path / "tiny", network, Identity("tiny", "1", "CC0-1.0"), CLASS_NAMES, 512)
    (written.folder / "MODEL_CARD.md").write_text("good for bottles")
    return written


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    assert run(make_key, "--out", tmp_path / "keys").exit_code == 0
    return tmp_path / "keys"


def run(command, *arguments: object, typed: str | None = None) -> Result:
    return CliRunner().invoke(command, [str(one) for one in arguments], input=typed)


def expect_refusal(command, *arguments: object) -> str:
    error = run(command, *arguments).exception
    assert isinstance(error, BundleError | SignatureError), error
    assert "\n" not in str(error)
    return str(error)


def test_a_signed_bundle_verifies_and_says_who_signed_it(bundle: Bundle, keys: Path) -> None:
    assert run(sign_bundle, bundle.folder, "--key", keys / SECRET_NAME).exit_code == 0
    answer = run(verify, bundle.folder, "--key", keys / PUBLIC_NAME)
    assert answer.exit_code == 0
    assert read_public_key((keys / PUBLIC_NAME).read_text()).name in answer.output
    assert bundle.model_id in answer.output


def test_the_secret_key_is_its_owner_s_alone_and_never_replaced(keys: Path) -> None:
    assert (keys / SECRET_NAME).stat().st_mode & 0o777 == 0o600
    before = (keys / SECRET_NAME).read_text(), (keys / PUBLIC_NAME).read_text()
    assert "never replaced" in expect_refusal(make_key, "--out", keys)
    assert ((keys / SECRET_NAME).read_text(), (keys / PUBLIC_NAME).read_text()) == before


def test_what_is_printed_belongs_into_the_configuration(tmp_path: Path) -> None:
    output = run(make_key, "--out", tmp_path / "keys").output
    key = read_public_key((tmp_path / "keys" / PUBLIC_NAME).read_text())
    assert f'trusted_keys = ["{key.text}"]' in output


def test_a_key_under_a_password_asks_for_it(bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # the real limits take a gigabyte
    defaults = secret_key.secret_key_file.__defaults__
    monkeypatch.setattr(secret_key.secret_key_file, "__defaults__", (defaults[0], 2**15, 2**20))
    made = run(make_key, "--out", tmp_path / "keys", "--password", typed="belt\nbelt\n")
    assert made.exit_code == 0, made.output
    key_path = tmp_path / "keys" / SECRET_NAME
    wrong = run(sign_bundle, bundle.folder, "--key", key_path, typed="felt\n")
    assert "password is wrong" in str(wrong.exception)
    assert run(sign_bundle, bundle.folder, "--key", key_path, typed="belt\n").exit_code == 0
    assert run(verify, bundle.folder, "--key", tmp_path / "keys" / PUBLIC_NAME).exit_code == 0


@pytest.mark.parametrize("name", ["tiny.onnx", "MODEL_CARD.md", "manifest.json"])
def test_every_file_of_a_signed_bundle_is_covered(bundle: Bundle, keys: Path, name: str) -> None:
    run(sign_bundle, bundle.folder, "--key", keys / SECRET_NAME)
    path = bundle.folder / name
    path.write_bytes(path.read_bytes() + b" ")
    expect_refusal(verify, bundle.folder, "--key", keys / PUBLIC_NAME)


def test_a_second_look_is_signed_with_the_rest(bundle: Bundle, keys: Path) -> None:
    path = bundle.folder / "names.onnx"
    path.write_bytes(b"names")
    look = SecondLook(path.name, file_sha256(path), 32, 1.25, 0.5)
    write_manifest(bundle.folder, msgspec.structs.replace(bundle.manifest, second_look=look))
    assert run(sign_bundle, bundle.folder, "--key", keys / SECRET_NAME).exit_code == 0
    assert run(verify, bundle.folder, "--key", keys / PUBLIC_NAME).exit_code == 0
    signed = load_bundle(bundle.folder).manifest
    assert signed.second_look == look
    assert path.name not in signed.files  # its hash is in the manifest once
    assert "32×32 px, margin 1.25, own name 0.5, certainty 1" in run(show, bundle.folder).output
    path.write_bytes(b"other names")
    expect_refusal(verify, bundle.folder, "--key", keys / PUBLIC_NAME)


def test_a_bundle_that_is_changed_is_signed_anew(bundle: Bundle, keys: Path) -> None:
    run(sign_bundle, bundle.folder, "--key", keys / SECRET_NAME)
    (bundle.folder / "MODEL_CARD.md").write_text("good for cans")
    assert run(sign_bundle, bundle.folder, "--key", keys / SECRET_NAME).exit_code == 0
    assert run(verify, bundle.folder, "--key", keys / PUBLIC_NAME).exit_code == 0


def test_new_figures_take_the_signature_away(bundle: Bundle, keys: Path) -> None:
    run(sign_bundle, bundle.folder, "--key", keys / SECRET_NAME)
    with_measurements(load_bundle(bundle.folder), {}, {}, {"map50": 0.9}, [])
    assert "not signed" in expect_refusal(verify, bundle.folder, "--key", keys / PUBLIC_NAME)


def test_a_bundle_whose_network_was_altered_is_not_signed(bundle: Bundle, keys: Path) -> None:
    before = (bundle.folder / "manifest.json").read_bytes()
    bundle.network_path.write_bytes(b"another")
    assert "does not match its hash" in expect_refusal(sign_bundle, bundle.folder, "--key", keys / SECRET_NAME)
    assert (bundle.folder / "manifest.json").read_bytes() == before
    assert not (bundle.folder / "manifest.json.minisig").exists()


def test_bundles_on_a_shelf_stay_as_they_are(bundle: Bundle, keys: Path, tmp_path: Path) -> None:
    shelf = ModelShelf(tmp_path / "shelf")
    with shelf.changing(), shelf.taking_in(bundle.folder) as part:
        shelf.shelve(part, bundle.model_id)
        shelf.point_to(Champion(bundle.model_id, (), "site", "now"))
    for folder in (shelf.folder, shelf.bundle_folder(bundle.model_id)):
        assert "never change" in expect_refusal(sign_bundle, folder, "--key", keys / SECRET_NAME)


def test_files_that_are_no_keys_are_refused(bundle: Bundle, keys: Path, tmp_path: Path) -> None:
    assert "no minisign secret key" in expect_refusal(sign_bundle, bundle.folder, "--key", keys / PUBLIC_NAME)
    assert "cannot be read" in expect_refusal(sign_bundle, bundle.folder, "--key", tmp_path / "gone")
    assert "cannot be read" in expect_refusal(verify, bundle.folder, "--key", tmp_path / "gone")
    assert "no minisign public key" in expect_refusal(verify, bundle.folder, "--key", keys / SECRET_NAME)


def test_show_says_what_a_bundle_is_and_whether_it_is_trusted(bundle: Bundle) -> None:
    answer = run(show, bundle.folder)
    assert bundle.model_id in answer.output
    assert "not signed" in answer.output
    assert '"is_trusted": true' in run(show, "--json").output, "the shipped bundle is"
