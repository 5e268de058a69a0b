"""Exported networks compute what torch computes, at any size, and nothing half-written stays behind."""

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner

from sorter.errors import BadInputError
from sorter.model.materials import CLASS_NAMES
from sorter.model.settings import DetectorSettings, Settings
from sorter.runtime.bundle import ClassCalibration, SecondLook, bundle_for, file_sha256, load_bundle
from training.input_size import InputSize, read_size
from training.release.bundle_writer import CARD_NAME, Identity, with_measurements, write_bundle, write_manifest
from training.release.export_command import export, write_like
from training.release.model_card import write_card
from training.run_record import RunRecord, Work
from vision.detectors.openvino_detector import OpenVinoDetector
from vision.frame import Frame

torch = pytest.importorskip("torch")
pytest.importorskip("ultralytics")

from training.fitting.bundle_weights import network_of  # noqa: E402
from training.fitting.network import build_network  # noqa: E402
from training.release import export as exporting  # noqa: E402
from training.release.export import ExportError, export_onnx  # noqa: E402


@pytest.fixture(scope="module")
def network() -> Any:
    torch.manual_seed(0)
    return build_network(len(CLASS_NAMES)).eval()


@pytest.fixture(scope="module")
def run_folder(network: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    torch.save({"average": network.state_dict(), "epoch": 1}, folder / "checkpoint.pt")
    return folder


def invoke(*arguments: object) -> str:
    answer = CliRunner().invoke(export, [str(one) for one in arguments], catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    return answer.stdout


@pytest.mark.parametrize(("size_px", "shape"), [(64, (1, 64, 64, 3)), ((128, 64), (1, 64, 128, 3))])
def test_a_square_or_rectangular_network_computes_what_torch_computes(
    network: Any, tmp_path: Path, size_px: int | tuple[int, int], shape: tuple[int, ...]
) -> None:
    differences = export_onnx(network, tmp_path / "network.onnx", size_px)
    assert InputSize.of(size_px).shape == shape
    assert differences["box_px"] <= exporting.BOX_TOLERANCE_PX
    assert [one.name for one in tmp_path.iterdir()] == ["network.onnx"]


def test_a_network_that_computes_something_else_leaves_no_file(
    network: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "_by_openvino", lambda _path, picture: np.zeros((1, 13, 84)) + picture.mean())
    with pytest.raises(ExportError, match="OpenVINO differs from torch"):
        export_onnx(network, tmp_path / "network.onnx", 64)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size_px", [0, 100, (640, 383), (16, 64)])
def test_a_size_that_does_not_fit_the_stride_is_refused(size_px: int | tuple[int, int]) -> None:
    with pytest.raises(BadInputError, match="multiples of 32"):
        InputSize.of(size_px)


@pytest.mark.parametrize(("text", "size"), [("512", (512, 512)), ("640x384", (640, 384)), ("640×384", (640, 384))])
def test_sizes_are_read_as_people_write_them(text: str, size: tuple[int, int]) -> None:
    assert read_size(text).sides_px == size


@pytest.mark.parametrize("text", ["", "big", "640x", "x384", "640x384x3", "-512", "5.5"])
def test_other_sizes_are_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(BadInputError, match="--size-px"):
        read_size(text)


def test_a_run_is_exported_beside_its_checkpoint(run_folder: Path) -> None:
    report = json.loads(invoke(run_folder, "--size-px", "96x64", "--json"))
    assert Path(report["file"]) == run_folder / "network-96x64.onnx"
    assert (report["input_width_px"], report["input_height_px"]) == (96, 64)


def test_a_bundle_like_another_runs_on_the_line_at_its_own_size(network: Any, run_folder: Path, tmp_path: Path) -> None:
    export_onnx(network, tmp_path / "square.onnx", 64)
    identity = Identity("square", "1", "AGPL-3.0-or-later")
    square = write_bundle(tmp_path / "square", tmp_path / "square.onnx", identity, CLASS_NAMES, 64)
    with_measurements(square, {"can": ClassCalibration(1.5)}, {}, {"test_map50": 0.5}, [])
    invoke(run_folder / "checkpoint.pt", "--size-px", "128x64", "--like", square.folder, "--out", tmp_path / "wide")
    wide = load_bundle(tmp_path / "wide")
    manifest = wide.manifest
    assert (manifest.name, manifest.network.input_width_px, manifest.network.input_height_px) == ("wide", 128, 64)
    assert manifest.calibration == {"can": ClassCalibration(1.5)}
    assert manifest.network.fit == square.manifest.network.fit
    assert manifest.metrics == {}  # they were measured on the other network
    detector = OpenVinoDetector(wide, DetectorSettings(score_threshold=0.001))
    found = detector.detect(Frame(0, 0, 0, np.full((64, 128, 3), 90, np.uint8)))
    assert len(found.boxes_px) > 0
    assert found.class_probs.shape[1] == len(CLASS_NAMES)


def test_a_bundle_like_another_takes_its_second_look_over(tmp_path: Path) -> None:
    for name in ("square", "wide"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.onnx").write_bytes(b"a network")
    identity = Identity("square", "1", "AGPL-3.0-or-later")
    square = write_bundle(tmp_path / "square", tmp_path / "square" / "square.onnx", identity, CLASS_NAMES, 64)
    names_path = square.folder / "names.onnx"
    names_path.write_bytes(b"names")
    look = SecondLook(names_path.name, file_sha256(names_path), 32, 1.25, 0.5)
    write_manifest(square.folder, msgspec.structs.replace(square.manifest, second_look=look))
    wide = write_like(load_bundle(square.folder), tmp_path / "wide" / "wide.onnx", InputSize.of(64))
    assert wide.manifest.second_look == look
    assert (wide.folder / "names.onnx").read_bytes() == b"names"


def test_a_bundle_is_not_written_over_its_pattern(network: Any, run_folder: Path, tmp_path: Path) -> None:
    export_onnx(network, tmp_path / "square.onnx", 64)
    identity = Identity("square", "1", "AGPL-3.0-or-later")
    square = write_bundle(tmp_path / "square", tmp_path / "square.onnx", identity, CLASS_NAMES, 64).folder
    for place in ((), ("--out", square)):
        with pytest.raises(BadInputError, match="--out"):
            invoke(run_folder, "--size-px", "64", "--like", square, *place)
    few = write_bundle(tmp_path / "few", tmp_path / "square.onnx", identity, ("can",), 64).folder
    with pytest.raises(BadInputError, match="1 classes"):
        invoke(run_folder, "--size-px", "64", "--like", few, "--out", tmp_path / "new")


def test_what_is_no_checkpoint_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"no checkpoint\.pt there"):
        invoke(tmp_path, "--size-px", "64")
    for content in ({"average": {}}, {"network": 1}, {"average": {"model.24.cv3.0.2.weight": torch.zeros(2)}}):
        torch.save(content, tmp_path / "checkpoint.pt")
        with pytest.raises(BadInputError, match="not a checkpoint") as refusal:
            invoke(tmp_path, "--size-px", "64")
        assert "\n" not in str(refusal.value)
    (tmp_path / "checkpoint.pt").write_bytes(b"junk")
    with pytest.raises(BadInputError, match="not a checkpoint"):
        invoke(tmp_path, "--size-px", "64")


def test_a_network_that_sees_both_views_knows_no_left_and_right(tmp_path: Path) -> None:
    network = network_of(bundle_for(Settings()), "yolov5n.yaml")
    for name, mirrored_view in (("one", False), ("both", True)):
        export_onnx(network, tmp_path / f"{name}.onnx", (128, 64), mirrored_view=mirrored_view)
    picture = np.random.default_rng(5).integers(0, 256, (1, 64, 128, 3), dtype=np.uint8)
    mirrored = np.ascontiguousarray(picture[:, :, ::-1])

    def answer(name: str, shown: np.ndarray[Any, Any]) -> Any:
        """Box and scores of each cell, a row each."""
        return exporting._by_onnxruntime(tmp_path / f"{name}.onnx", shown)[0].T

    one, one_mirrored = answer("one", picture), answer("one", mirrored)
    both, both_mirrored = answer("both", picture), answer("both", mirrored)
    cells = np.concatenate([numbers.reshape(-1, 128 // stride)[:, ::-1].ravel() for numbers, stride in _maps(64, 128)])
    turned = both_mirrored[cells]
    turned[:, 0] = 128 - turned[:, 0]
    np.testing.assert_allclose(both, turned, atol=1e-3)
    one_turned = one_mirrored[cells]
    assert np.abs(one[:, 4:] - one_turned[:, 4:]).max() > 0.01, "else there would be nothing to gain"
    np.testing.assert_allclose(both[:, 1:], (one[:, 1:] + one_turned[:, 1:]) / 2, atol=1e-3)


def _maps(height_px: int, width_px: int) -> list[tuple[np.ndarray[Any, Any], int]]:
    """Numbers of the cells of each of the head's maps, with its stride."""
    maps, first = [], 0
    for stride in (8, 16, 32):
        count = height_px * width_px // stride**2
        maps.append((np.arange(first, first + count), stride))
        first += count
    return maps


def test_a_bundle_is_exported_anew_with_one_view(network: Any, tmp_path: Path) -> None:
    export_onnx(network, tmp_path / "both.onnx", 64, mirrored_view=True)
    export_onnx(network, tmp_path / "one.onnx", 64)
    identity = Identity("both", "1", "AGPL-3.0-or-later")
    both = write_bundle(tmp_path / "both", tmp_path / "both.onnx", identity, CLASS_NAMES, 64, mirrored_view=True)
    record = RunRecord("yolov5n.yaml", (), "abc", {"torch": "2"}, "a machine", fit=Work(seconds=1200.0))
    write_card(both, None, record)
    invoke(both.folder, "--size-px", "64", "--one-view", "--like", both.folder, "--out", tmp_path / "fast")
    fast = load_bundle(tmp_path / "fast")
    assert both.manifest.network.mirrored_view
    assert not fast.manifest.network.mirrored_view
    cards = [(folder / CARD_NAME).read_text() for folder in (both.folder, fast.folder)]
    assert all("in 20 min on a machine" in card for card in cards)
    assert ["as it is and mirrored" in card for card in cards] == [True, False]
    picture = np.random.default_rng(6).integers(0, 256, (1, 64, 64, 3), dtype=np.uint8)
    found, expected = (exporting._by_onnxruntime(path, picture) for path in (fast.network_path, tmp_path / "one.onnx"))
    np.testing.assert_allclose(found, expected, atol=1e-3)
