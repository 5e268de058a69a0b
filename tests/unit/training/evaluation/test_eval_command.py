"""`farz eval` on a network that half understands its pictures: one object, honest figures, comparisons, sentences."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from sorter.errors import BadInputError, BundleError, ConfigurationError, DataFolderError
from sorter.runtime.bundle import load_bundle
from training.evaluation.eval_command import evaluate
from training.evaluation.model_under_test import PRECISIONS, RUNTIMES, open_model


def run(*arguments: object) -> str:
    answer = CliRunner().invoke(
        evaluate, [str(one) for one in arguments], catch_exceptions=False, standalone_mode=False
    )
    assert answer.exit_code == 0, answer.output
    assert [row for row in answer.stderr.splitlines() if "it is not signed" not in row] == []
    return answer.stdout


@pytest.fixture(scope="module")
def report(square_bundle: Path, square_folder: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(
        run("--model", square_bundle, "--data", square_folder, "--strip", "--keep-results", "--json")
    )
    return loaded


def test_the_object_keeps_the_keys_that_others_read(report: dict[str, Any], square_bundle: Path) -> None:
    assert report["model_id"] == load_bundle(square_bundle).model_id
    assert (report["runtime"], report["precision"], report["picture_count"]) == ("openvino", "f32", 12)
    for key in ("map50", "map50_95", "ece"):
        assert 0 <= report[key]["low"] <= report[key]["value"] <= report[key]["high"] <= 1
    assert set(report["per_class"]) == {"can", "hdpe"}
    for one in report["per_class"].values():
        assert {"ap50", "ap50_95", "precision", "recall", "label_count"} <= set(one)
        assert one["ap50_interval"]["low"] <= one["ap50"] <= one["ap50_interval"]["high"]


def test_a_network_that_half_understands_scores_half(report: dict[str, Any]) -> None:
    assert 0.4 < report["map50"]["value"] < 0.95
    assert report["curves"]["can"][0] >= report["curves"]["can"][-1]
    assert np.mean(report["curves"]["can"]) == pytest.approx(report["per_class"]["can"]["ap50"], abs=1e-3)


def test_confusions_misses_and_false_alarms_are_counted(report: dict[str, Any]) -> None:
    confusion = report["confusion"]
    assert confusion["rows"] == ["hdpe", "can", "nothing there"]
    assert confusion["columns"] == ["hdpe", "can", "another class", "missed"]
    counts = np.array(confusion["counts"])
    assert counts[:2].sum() == sum(one["label_count"] for one in report["per_class"].values())
    assert counts[0, 0] > 0
    assert counts[0, 1] + counts[1, 0] > 0
    assert counts[2, :2].sum() > 0


def test_parts_are_by_source_camera_and_size(report: dict[str, Any]) -> None:
    parts = report["breakdown"]
    assert set(parts["camera"]) == {"north", "south"}
    assert next(iter(parts["source"])).endswith("/squares")
    assert sum(one["picture_count"] for one in parts["camera"].values()) == 12


def test_sorting_figures_and_the_closed_loop_are_of_the_same_items(report: dict[str, Any]) -> None:
    can = report["sorting"]["can"]
    assert 0 < can["recovery"]["value"] <= 1
    assert can["purity"]["value"] >= can["purity_counting_empty_shots"]["value"]
    (strip,) = report["strips"].values()
    assert strip["item_count"] == sum(one["label_count"] for one in report["per_class"].values())
    assert set(strip["stations"]) == {"pet", "hdpe", "can"}


def test_the_same_seed_gives_the_same_figures(square_bundle: Path, square_folder: Path) -> None:
    words = ("--model", square_bundle, "--data", square_folder, "--json")
    first, again = (json.loads(run(*words)) for _ in range(2))
    for one in (first, again):
        one.pop("seconds")
        one.pop("measured_at")
    assert first == again


def test_a_model_is_compared_with_its_own_earlier_evaluation(
    report: dict[str, Any], square_bundle: Path, square_folder: Path, tmp_path: Path
) -> None:
    earlier = tmp_path / "earlier.json"
    earlier.write_text(json.dumps(report))
    words = ("--model", square_bundle, "--data", square_folder)
    found = json.loads(run(*words, "--compare", earlier, "--compare-model", square_bundle, "--json"))
    for one in found["comparisons"]:
        assert one["name"] == f"{report['model_id']} openvino f32"
        assert one["map50"] == report["map50"]
        assert one["difference"]["map50"]["value"] == pytest.approx(0.0, abs=1e-9)
        assert one["unpaired_because"] is None
    assert "picture_results" not in found
    assert "against squares-1.0.0" in run(*words, "--compare", earlier)


def test_two_folders_are_two_sources_and_twice_the_labels(
    report: dict[str, Any], square_bundle: Path, square_folder: Path, tmp_path: Path
) -> None:
    copied = tmp_path / "copied"
    copied.mkdir()
    for part in ("images", "labels", "data.yaml", "class_map.toml"):
        (copied / part).symlink_to(square_folder / part)
    found = json.loads(run("--model", square_bundle, "--data", square_folder, "--data", copied, "--json"))
    assert len(found["breakdown"]["source"]) == 2
    assert found["map50"]["value"] == pytest.approx(report["map50"]["value"], abs=0.02)
    assert found["data"]["label_count"] == 2 * report["data"]["label_count"]


def test_a_class_that_one_folder_does_not_label_is_not_judged_there(
    square_bundle: Path, square_folder: Path, tmp_path: Path
) -> None:
    for part in ("images", "labels", "data.yaml"):
        (tmp_path / part).symlink_to(square_folder / part)
    (tmp_path / "class_map.toml").write_text('complete_for = ["can"]\n[map]\ntin = "can"\njug = "hdpe"\n')
    found = json.loads(run("--model", square_bundle, "--data", tmp_path, "--json"))
    assert list(found["per_class"]) == ["can"]
    assert found["confusion"]["columns"] == ["can", "another class", "missed"]


def test_what_lies_in_an_ignored_region_is_neither_right_nor_wrong(
    report: dict[str, Any], square_bundle: Path, square_folder: Path, tmp_path: Path
) -> None:
    for part in ("images", "data.yaml"):
        (tmp_path / part).symlink_to(square_folder / part)
    (tmp_path / "class_map.toml").write_text('complete_for = ["can"]\n[map]\ntin = "can"\njug = "ignore"\n')
    (tmp_path / "labels").mkdir()
    for label in sorted((square_folder / "labels").iterdir()):
        lines = label.read_text().splitlines()
        (tmp_path / "labels" / label.name).write_text("\n".join([*lines, "1 0.5 0.5 1 1"]))
    found = json.loads(run("--model", square_bundle, "--data", tmp_path, "--json"))
    assert found["per_class"]["can"]["precision"] == 1.0
    assert found["per_class"]["can"]["recall"] == report["per_class"]["can"]["recall"]


def test_the_table_shows_the_figures_of_the_object(square_bundle: Path, square_folder: Path) -> None:
    words = ("--model", square_bundle, "--data", square_folder)
    text, found = run(*words), json.loads(run(*words, "--json"))
    for key in ("map50", "map50_95", "ece"):
        assert f"{found[key]['value']:.3f}" in text
    assert "mAP50 by camera" in text


def test_every_precision_of_the_settings_is_offered() -> None:
    assert {"f32", "bf16"} <= set(PRECISIONS)
    assert {"openvino", "onnxruntime"} <= set(RUNTIMES)
    assert "oracle" not in RUNTIMES


def test_what_cannot_be_measured_is_said_in_a_sentence(
    square_bundle: Path, square_folder: Path, tmp_path: Path
) -> None:
    cases = [
        (("--model", tmp_path, "--data", square_folder), BundleError, "manifest"),
        (("--model", square_bundle, "--data", tmp_path), DataFolderError, "images/"),
        (("--model", square_bundle, "--data", square_folder, "--compare", tmp_path / "x"), BadInputError, "--compare"),
        (("--model", square_bundle, "--data", square_folder, "--report", tmp_path / "a" / "b"), BadInputError, "--rep"),
    ]
    for words, kind, needle in cases:
        with pytest.raises(kind, match=needle):
            run(*words)
    with pytest.raises(ConfigurationError, match="precision"):
        open_model(square_bundle, precision="f7")


def test_a_folder_that_labels_nothing_exhaustively_is_refused(
    square_bundle: Path, square_folder: Path, tmp_path: Path
) -> None:
    for part in ("images", "labels", "data.yaml"):
        (tmp_path / part).symlink_to(square_folder / part)
    (tmp_path / "class_map.toml").write_text('[map]\ntin = "can"\njug = "hdpe"\n')
    with pytest.raises(DataFolderError, match="complete_for"):
        run("--model", square_bundle, "--data", tmp_path)
