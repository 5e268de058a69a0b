"""What is written as a bundle is read back, and nothing in it can be changed unnoticed."""

import json
from pathlib import Path

import msgspec
import pytest

from sorter.errors import BundleError
from sorter.model.materials import CLASS_NAMES, class_list_sha256
from sorter.runtime.bundle import (
    Bundle,
    ClassCalibration,
    FormFile,
    NetworkForm,
    OperatingPoint,
    SecondLook,
    file_sha256,
    load_bundle,
)
from training.release.bundle_writer import Identity, with_measurements, with_second_look, write_bundle, write_manifest
from training.release.model_card import write_card
from training.run_record import RunRecord, Work

IDENTITY = Identity("tiny", "1.2.3", "AGPL-3.0-or-later")


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    network = tmp_path / "network.onnx"
    network.write_bytes(b"a network")
    return write_bundle(tmp_path / "tiny", network, IDENTITY, CLASS_NAMES, 512)


def test_round_trip(bundle: Bundle) -> None:
    calibration = {"can": ClassCalibration(1.5, -0.25)}
    curve = {"can": [OperatingPoint(0.5, 0.75, 0.5)]}
    written = with_measurements(bundle, calibration, curve, {"test_map50": 0.5}, ["a data set"])
    read = load_bundle(bundle.folder)
    assert read == written
    assert read.manifest.calibration == calibration
    assert read.manifest.operating_curve == curve
    assert read.manifest.data_sheet == ["a data set"]


def test_a_model_trained_here_is_shown_stretched_pictures(bundle: Bundle) -> None:
    assert bundle.manifest.network.fit == "stretch"


def test_it_names_its_classes_by_hash(bundle: Bundle) -> None:
    assert bundle.manifest.classes == CLASS_NAMES
    assert bundle.manifest.classes_sha256 == class_list_sha256(CLASS_NAMES)


def test_the_model_id_tells_networks_apart(bundle: Bundle, tmp_path: Path) -> None:
    other_network = tmp_path / "other.onnx"
    other_network.write_bytes(b"another network")
    other = write_bundle(tmp_path / "other", other_network, IDENTITY, CLASS_NAMES, 512)
    assert bundle.model_id.startswith("tiny-1.2.3-")
    assert bundle.model_id != other.model_id


def test_an_altered_network_is_refused(bundle: Bundle) -> None:
    bundle.network_path.write_bytes(b"a netw0rk")
    with pytest.raises(BundleError, match="does not match its hash"):
        load_bundle(bundle.folder)


def test_an_altered_class_list_is_refused(bundle: Bundle) -> None:
    path = bundle.folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["classes"][0], manifest["classes"][1] = manifest["classes"][1], manifest["classes"][0]
    path.write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="class hash"):
        load_bundle(bundle.folder)


def test_a_missing_network_is_refused(bundle: Bundle) -> None:
    bundle.network_path.unlink()
    with pytest.raises(BundleError, match="missing"):
        load_bundle(bundle.folder)


def test_the_card_says_what_the_model_is_for(bundle: Bundle) -> None:
    text = write_card(with_measurements(bundle, {}, {}, {"held_out_real_map50": 0.4}, ["a data set"]), None).read_text()
    assert bundle.model_id in text
    assert "site's own pictures" in text
    assert "a data set" in text
    assert "held_out_real_map50 | 0.4" in text


def test_a_second_look_makes_another_model_and_takes_the_place_of_the_one_before(
    bundle: Bundle, tmp_path: Path
) -> None:
    path = tmp_path / "second.onnx"
    written = [bundle]
    for content, name in ((b"names", "first.onnx"), (b"better names", "next.onnx")):
        path.write_bytes(content)
        second_look = SecondLook(name, file_sha256(path), 160, 1.2, 0.3)
        written.append(with_second_look(written[-1], path, second_look, "twice", "2.0.0"))
    assert len({one.model_id for one in written}) == 3
    assert written[-1].model_id.startswith("twice-2.0.0-")
    assert load_bundle(bundle.folder).manifest.second_look == second_look
    assert not (bundle.folder / "first.onnx").exists()
    (bundle.folder / "next.onnx").write_bytes(b"other names!")
    with pytest.raises(BundleError, match="does not match its hash"):
        load_bundle(bundle.folder)


def test_forms_of_the_first_network_stay_as_they_are(bundle: Bundle, tmp_path: Path) -> None:
    sha256 = bundle.manifest.network.sha256
    form = NetworkForm(sha256, (FormFile("tiny.onnx", sha256),), 512, 512, {"map50_drop": 0.01})
    write_manifest(bundle.folder, msgspec.structs.replace(bundle.manifest, forms={"onnx-qdq": form}))
    path = tmp_path / "second.onnx"
    path.write_bytes(b"names")
    second_look = SecondLook("second.onnx", file_sha256(path), 160, 1.2, 0.3)
    written = with_second_look(load_bundle(bundle.folder), path, second_look, "twice", "2.0.0")
    assert written.manifest.forms == {"onnx-qdq": form}


def test_the_card_keeps_what_it_said_of_the_first_network(bundle: Bundle) -> None:
    work = Work(seconds=1200.0, processor_s=3600.0, energy_wh=11.0, energy_method="estimated")
    first = RunRecord("yolov5n.yaml", (), "abc", {"torch": "2"}, "a machine", fit=work)
    write_card(bundle, None, first)
    look = msgspec.structs.replace(first, architecture="tf_efficientnet_lite2", fit=Work(seconds=600.0))
    text = write_card(bundle, None, second_look=look).read_text()
    assert "yolov5n.yaml" in text
    assert "in 20 min" in text
    assert "## Second look" in text
    assert "in 10 min" in text
    assert text.index("## Training") < text.index("## Second look") < text.index("## Known weaknesses")
    assert write_card(bundle, None, second_look=look).read_text() == text
