"""A quantised bundle runs in 8-bit numbers, keeps its name, and is not written where it loses too much."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from click.testing import CliRunner, Result

from sorter.errors import BadInputError, DataFolderError
from sorter.model.materials import CLASS_NAMES
from sorter.model.settings import DetectorSettings
from sorter.runtime.bundle import ONNX_F16_FORM, ONNX_QDQ_FORM, OPENVINO_INT8_FORM, ClassCalibration, load_bundle
from sorter.runtime.clock import ManualClock
from sorter.runtime.labelled_folder import labelled_boxes_px
from training.evaluation.evaluate import detect_by
from training.release import quantise_run
from training.release.bundle_writer import Identity, with_measurements, write_bundle
from training.release.parity_command import other_detectors, parity
from training.release.quantise_bundle import MadeForm, with_forms
from training.release.quantise_command import quantise
from training.release.quantise_layers import Rung, kept_in_floats, rungs_for
from training.release.quantise_limits import Drop, Limits
from training.release.quantise_openvino import ControlJudge, float_model, layer_names, quantised_model
from training.release.quantise_pictures import InputFiller, calibration_inputs, read_quantisation_set
from training.release.quantise_run import median_milliseconds, quantise_bundle
from training.release.quantise_tensorrt import rounded_convolution_count, tensorrt_faults
from vision.detectors.forms import MAIN_FORM, form_named
from vision.detectors.openvino_core import openvino_core
from vision.detectors.openvino_detector import OpenVinoDetector
from vision.detectors.openvino_network import known_precisions
from vision.frame import Detections

torch = pytest.importorskip("torch")
pytest.importorskip("ultralytics")
pytest.importorskip("nncf")

SIZE_PX = 96
BeltWriter = Callable[[Path, int, int, tuple[str, ...]], Path]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory, write_belts: BeltWriter) -> tuple[Path, Path]:
    """Pictures to calibrate with, and others to measure on."""
    place = tmp_path_factory.mktemp("belts")
    return write_belts(place / "train", 20, SIZE_PX, CLASS_NAMES), write_belts(place / "test", 6, SIZE_PX, CLASS_NAMES)


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of a network that has learned nothing but is sure of much."""
    from training.fitting.network import build_network
    from training.release.export import export_onnx

    torch.manual_seed(1)
    network = build_network(len(CLASS_NAMES)).eval()
    for branch in network.model[-1].cv3:
        branch[-1].weight.data.normal_(0.0, 5.0)  # scores far apart, so that rounding changes no order
        branch[-1].bias.data.fill_(0.0)
    folder = tmp_path_factory.mktemp("models")
    export_onnx(network, folder / "network.onnx", SIZE_PX, mirrored_view=True)
    identity = Identity("tiny", "1", "AGPL-3.0-or-later")
    bundle = write_bundle(folder / "tiny", folder / "network.onnx", identity, CLASS_NAMES, SIZE_PX)
    calibration = {name: ClassCalibration(1.0, 1.5) for name in CLASS_NAMES}
    return with_measurements(bundle, calibration, {}, {}, []).folder


def copied(folder: Path, place: Path) -> Path:
    place.mkdir()
    for path in folder.iterdir():
        (place / path.name).write_bytes(path.read_bytes())
    return place


def invoke(command: Any, *arguments: object) -> Result:
    return CliRunner().invoke(command, [str(one) for one in arguments], catch_exceptions=False)


@pytest.fixture(scope="module")
def quantised(
    untouched: Path, folders: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    """The bundle with both forms, and the report."""
    folder = copied(untouched, tmp_path_factory.mktemp("work") / "tiny")
    answer = invoke(
        quantise, folder, "--data", folders[0], "--validate", folders[1], "--max-drop", 1, "--max-class-drop", 1,
        "--pictures", 8, "--json",
    )  # fmt: skip
    assert answer.exit_code == 0, answer.output
    return folder, json.loads(answer.stdout)


def test_both_forms_are_in_the_bundle_and_measured_beside_true_float32(
    quantised: tuple[Path, dict[str, Any]], untouched: Path
) -> None:
    folder, report = quantised
    bundle = load_bundle(folder)
    assert set(bundle.manifest.forms) == {OPENVINO_INT8_FORM, ONNX_QDQ_FORM}
    assert bundle.model_id == load_bundle(untouched).model_id
    told = [(one["form"], one["precision"]) for one in report["forms"]]
    assert told == [(MAIN_FORM, "f32"), (OPENVINO_INT8_FORM, "int8"), (ONNX_QDQ_FORM, "int8-emulated")]
    assert (report["picture_count"], report["calibration_picture_count"]) == (6, 8)
    reference = report["forms"][0]["worth"]["map50"]
    for one in report["forms"][1:]:
        assert one["drop"]["map50"] == pytest.approx(reference - one["worth"]["map50"])
        assert bundle.manifest.forms[one["form"]].metrics["map50_f32"] == pytest.approx(reference, abs=1e-4)
    assert not list(folder.glob("*.part"))


def test_the_qdq_form_obeys_tensorrt_and_rounds_most_convolutions(quantised: tuple[Path, dict[str, Any]]) -> None:
    bundle = load_bundle(quantised[0])
    model = onnx.load(str(form_named(bundle, ONNX_QDQ_FORM).path))
    assert tensorrt_faults(model) == []
    assert rounded_convolution_count(model) >= 60
    assert model.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.UINT8


def test_the_forms_see_nearly_what_the_network_sees(
    quantised: tuple[Path, dict[str, Any]], folders: tuple[Path, Path]
) -> None:
    answer = invoke(parity, quantised[0], "--data", folders[1], "--json")
    report = json.loads(answer.stdout)
    rows = {(row["form"], row["runtime"], row["precision"]): row["difference"] for row in report["rows"]}
    # The network has learned nothing, so which of many like boxes is kept is chance; most are the same all the same.
    floats = rows[MAIN_FORM, "openvino", "f32"]
    assert floats["sure_count"] > 0
    assert floats["box_px"]["p50"] < 0.01
    assert floats["probability"]["p50"] < 0.001
    assert {(OPENVINO_INT8_FORM, "openvino", "int8"), (ONNX_QDQ_FORM, "onnxruntime", "int8-emulated")} <= set(rows)
    assert answer.exit_code == (1 if any(row["excess"] for row in rows.values()) else 0)
    assert "probability p99 by class" in invoke(parity, quantised[0], "--data", folders[1]).output


def test_where_the_processor_has_no_bf16_parity_does_without(
    quantised: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vision.detectors.openvino_network.known_precisions", lambda: ("f32", "int8"))
    found = other_detectors(load_bundle(quantised[0]))
    assert {detector.precision for _, detector in found} == {"f32", "int8", "int8-emulated"}


def test_another_network_in_the_place_of_a_form_is_beyond_its_tolerance(
    quantised: tuple[Path, dict[str, Any]], folders: tuple[Path, Path], tmp_path: Path
) -> None:
    bundle = load_bundle(copied(quantised[0], tmp_path / "tiny"))
    model = onnx.load(str(bundle.network_path))
    bias = next(one for one in model.graph.initializer if "cv3.0.2" in one.name and "bias" in one.name)
    bias.CopyFrom(onnx.numpy_helper.from_array(np.full(len(CLASS_NAMES), 4.0, np.float32), bias.name))
    onnx.save(model, str(tmp_path / "other.onnx"))
    with_forms(bundle, {ONNX_QDQ_FORM: MadeForm((tmp_path / "other.onnx",), {})}, {})
    answer = invoke(parity, bundle.folder, "--data", folders[1])
    assert answer.exit_code == 1
    assert "is above" in answer.output


def test_a_form_that_loses_too_much_is_not_written(
    untouched: Path, folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copied(untouched, tmp_path / "tiny")
    before = sorted(path.name for path in folder.iterdir())
    monkeypatch.setattr(quantise_run, "rungs_for", lambda _names: (Rung("first", ()), Rung("second", (".*",))))
    monkeypatch.setattr(
        quantise_run, "drop_between", lambda *_: Drop(0.2, dict.fromkeys(CLASS_NAMES, 0.2), "can", 20.0)
    )
    answer = invoke(quantise, folder, "--data", folders[0], "--form", OPENVINO_INT8_FORM, "--pictures", 2)
    assert answer.exit_code == 1
    assert "NOT written, 20.0 times the largest drop allowed even with second" in answer.output
    assert sorted(path.name for path in folder.iterdir()) == before
    assert load_bundle(folder).manifest.forms == {}


def test_the_first_rung_within_the_limits_is_taken(
    untouched: Path, folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the last are those of the smaller floats that the machine knows
    shares = itertools.chain([3.0, 0.5], itertools.repeat(0.0))
    monkeypatch.setattr(
        quantise_run, "drop_between", lambda *_: Drop(0.0, dict.fromkeys(CLASS_NAMES, 0.0), "can", next(shares))
    )
    bundle = load_bundle(copied(untouched, tmp_path / "tiny"))
    pictures = read_quantisation_set(bundle, [folders[0]], folders[1], 2, 0)
    report = quantise_bundle(bundle, pictures, [ONNX_QDQ_FORM], Limits(), ManualClock())
    assert report.forms[1].floats == rungs_for(layer_names(float_model(bundle.network_path)))[1].name


def test_what_smaller_floats_lose_is_written_where_the_machine_calculates_with_them(
    quantised: tuple[Path, dict[str, Any]],
) -> None:
    metrics = load_bundle(quantised[0]).manifest.metrics
    for precision in ("bf16", "f16"):
        assert (f"{precision}_map50_drop" in metrics) == (precision in known_precisions())


def test_a_second_quantisation_replaces_the_files_of_the_first(
    quantised: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    bundle = load_bundle(copied(quantised[0], tmp_path / "tiny"))
    (tmp_path / "new.xml").write_bytes(b"graph")
    (tmp_path / "new.bin").write_bytes(b"weights")
    new = with_forms(bundle, {OPENVINO_INT8_FORM: MadeForm((tmp_path / "new.xml", tmp_path / "new.bin"), {})}, {})
    named = {one.file for form in new.manifest.forms.values() for one in form.files} | {new.manifest.network.file}
    assert {path.name for path in bundle.folder.iterdir()} == named | {"manifest.json"}


def test_pictures_to_calibrate_with_are_never_judged_on(untouched: Path, folders: tuple[Path, Path]) -> None:
    bundle = load_bundle(untouched)
    chosen = read_quantisation_set(bundle, [folders[0]], None, 100, 0)
    judged = {picture.path for picture in chosen.judged.pictures}
    assert judged
    assert chosen.calibration
    assert judged.isdisjoint(chosen.calibration)
    with pytest.raises(BadInputError, match="also given as --data"):
        read_quantisation_set(bundle, folders, folders[1], 100, 0)


def test_the_same_seed_calibrates_with_the_same_pictures(untouched: Path, folders: tuple[Path, Path]) -> None:
    bundle = load_bundle(untouched)
    first, again, other = (
        read_quantisation_set(bundle, [folders[0]], folders[1], 4, seed).calibration for seed in (0, 0, 1)
    )
    assert first == again
    assert first != other


def test_accuracy_control_finds_no_loss_in_the_network_itself(untouched: Path, folders: tuple[Path, Path]) -> None:

    bundle = load_bundle(untouched)
    reference = OpenVinoDetector(bundle, DetectorSettings(score_threshold=0.001))
    pictures = read_quantisation_set(bundle, [folders[0]], folders[1], 1, 0).judged
    judge = ControlJudge(pictures, detect_by(reference), InputFiller(bundle), Limits())
    compiled = openvino_core().compile_model(str(bundle.network_path), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    assert judge(compiled, range(len(judge))) == (1.0, None)


def test_accuracy_control_finds_a_network_that_sees_nothing_beyond_the_limits(
    untouched: Path, folders: tuple[Path, Path]
) -> None:
    bundle = load_bundle(untouched)
    pictures = read_quantisation_set(bundle, [folders[0]], folders[1], 1, 0).judged
    truth = iter(pictures.pictures)

    def perfect(picture: Any) -> Detections:
        labelled = next(truth)
        boxes_px = labelled_boxes_px(labelled.boxes, picture).astype(np.float32)
        return Detections(boxes_px, np.eye(len(CLASS_NAMES), dtype=np.float32)[labelled.class_ids])

    judge = ControlJudge(pictures, perfect, InputFiller(bundle), Limits())
    assert judge(lambda _picture: [np.zeros((1, 13, 189))], range(len(judge)))[0] < 0.0


def test_accuracy_control_gives_a_quantised_network(untouched: Path, folders: tuple[Path, Path]) -> None:
    bundle = load_bundle(untouched)
    reference = OpenVinoDetector(bundle, DetectorSettings(score_threshold=0.001))
    pictures, filler = read_quantisation_set(bundle, [folders[0]], folders[1], 4, 0), InputFiller(bundle)
    judge = ControlJudge(pictures.judged, detect_by(reference), filler, Limits(1.0, 1.0))
    inputs = list(calibration_inputs(pictures.calibration, filler))
    rung = Rung("head", (r".*/model\.24/",), True)
    model = quantised_model(bundle.network_path, inputs, rung, judge)
    kinds = [one.get_type_name() for one in model.get_ops()]
    assert kinds.count("FakeQuantize") > 50


def test_each_rung_keeps_more_in_floats_and_box_decoding_and_stem_always() -> None:
    decoding, head, stem = (
        "/fused/model.24/dfl/conv/Conv",
        "/fused/model.24/cv3.1/cv3.1.2/Conv",
        "/fused/model.0/conv/Conv",
    )
    middle = "/fused/model.12/conv/Conv"
    views = "/views/Div"
    names = [stem, middle, head, decoding, views, "predictions"]
    kept = [set(kept_in_floats(names, rung)) for rung in rungs_for(names)]
    assert kept[:2] == [{decoding, views, stem}, {decoding, views, stem, head}]
    assert all(fewer <= more for fewer, more in itertools.pairwise(kept))
    assert [rung.is_controlled for rung in rungs_for(names)] == [False, False, True]
    assert all(not kept_in_floats(["conv"], rung) for rung in rungs_for(["conv"]))


def test_detectors_take_turns_when_they_are_timed(folders: tuple[Path, Path], untouched: Path) -> None:
    clock, order = ManualClock(), []

    class Slow:
        second_look = None

        def __init__(self, name: str, duration_ns: int) -> None:
            self.name, self.duration_ns = name, duration_ns

        def detect(self, _frame: object) -> Detections:
            order.append(self.name)
            clock.wait_until_ns(clock.now_ns() + self.duration_ns)
            return Detections(np.zeros((0, 4), np.float32), np.zeros((0, 2), np.float32))

    pictures = read_quantisation_set(load_bundle(untouched), [folders[0]], folders[1], 1, 0).judged.pictures[:2]
    slow: list[Any] = [Slow("a", 2_000_000), Slow("b", 3_000_000)]
    assert median_milliseconds(slow, pictures, clock) == [2.0, 3.0]
    assert order == ["a", "b", "b", "a"]


def test_bad_input_is_one_sentence(untouched: Path, folders: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(DataFolderError):
        invoke(quantise, untouched, "--data", tmp_path)
    with pytest.raises(BadInputError):
        invoke(quantise, tmp_path, "--data", folders[0])


def test_a_form_in_16_bit_floats_keeps_only_box_decoding_in_floats(
    untouched: Path, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    folder = copied(untouched, tmp_path / "tiny")
    answer = invoke(
        quantise, folder, "--data", folders[0], "--validate", folders[1], "--form", ONNX_F16_FORM, "--pictures", 2,
        "--json", "--max-drop", 1, "--max-class-drop", 1,
    )  # fmt: skip
    assert answer.exit_code == 0, answer.output
    (_, told) = json.loads(answer.stdout)["forms"]
    assert (told["form"], told["precision"], told["floats"]) == (
        ONNX_F16_FORM,
        "f16-emulated",
        "box decoding in floats",
    )
    bundle = load_bundle(folder)
    assert set(bundle.manifest.forms) == {ONNX_F16_FORM}
    halved = onnx.load(str(form_named(bundle, ONNX_F16_FORM).path))
    weights = [one for one in halved.graph.initializer if len(one.dims) == 4]
    assert sum(one.data_type == onnx.TensorProto.FLOAT16 for one in weights) >= len(weights) - 2
    assert halved.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert halved.graph.output[0].type.tensor_type.elem_type == onnx.TensorProto.FLOAT
