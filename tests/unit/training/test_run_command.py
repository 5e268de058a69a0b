"""From a folder of pictures to a bundle that the line can open and `farz eval` can measure."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from sorter.errors import BadInputError, BundleError, DataFolderError
from sorter.model.materials import CLASS_NAMES
from sorter.runtime.bundle import load_bundle
from training.evaluation.eval_command import evaluate
from training.release.calibrate_command import calibrate
from training.run_command import finish, fit, run
from training.run_settings import read_plan

pytest.importorskip("torch")
pytest.importorskip("ultralytics")

SIZE_PX = 96
BeltWriter = Callable[[Path, int, int, tuple[str, ...]], Path]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, write_belts: BeltWriter) -> tuple[Path, Path]:
    """A tiny model and the folder it learned from."""
    place = tmp_path_factory.mktemp("lab")
    data = write_belts(place / "belts", 24, SIZE_PX, CLASS_NAMES)
    arguments = [
        "--data", data, "--test", data, "--out", place / "tiny", "--run", place / "run", "--epochs", "1",
        "--pictures-per-epoch", "16", "--size-px", str(SIZE_PX),
    ]  # fmt: skip
    answer = CliRunner().invoke(run, [str(one) for one in arguments], catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    return place / "tiny", data


def run_evaluate(*arguments: object) -> str:
    answer = CliRunner().invoke(evaluate, [str(one) for one in arguments], catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    return answer.stdout


def test_the_bundle_is_complete(trained: tuple[Path, Path]) -> None:
    manifest = load_bundle(trained[0]).manifest
    assert manifest.name == "tiny"
    assert manifest.classes == CLASS_NAMES
    assert (manifest.network.input_width_px, manifest.network.input_height_px) == (SIZE_PX, SIZE_PX)
    assert set(manifest.calibration) == set(CLASS_NAMES)
    assert "test_map50" in manifest.metrics
    assert (trained[0] / "MODEL_CARD.md").is_file()


@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
def test_evaluation_gives_one_object(trained: tuple[Path, Path], runtime: str) -> None:
    report = json.loads(run_evaluate("--model", trained[0], "--data", trained[1], "--json", "--runtime", runtime))
    assert report["model_id"] == load_bundle(trained[0]).model_id
    assert (report["runtime"], report["precision"], report["picture_count"]) == (runtime, "f32", 24)
    assert 0 <= report["map50"]["low"] <= report["map50"]["high"] <= 1
    assert report["seconds"] > 0
    assert sum(one["label_count"] for one in report["per_class"].values()) > 0


def test_only_exhaustively_labelled_classes_count(
    trained: tuple[Path, Path], tmp_path: Path, write_belts: BeltWriter
) -> None:
    data = write_belts(tmp_path / "cans", 12, SIZE_PX, ("can",))
    report = json.loads(run_evaluate("--model", trained[0], "--data", data, "--json"))
    assert list(report["per_class"]) == ["can"]


def test_evaluation_is_readable_without_json(trained: tuple[Path, Path]) -> None:
    assert "mAP50" in run_evaluate("--model", trained[0], "--data", trained[1])


def test_a_run_cannot_be_taken_up_where_there_is_none(trained: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="farz train fit"):
        CliRunner().invoke(
            run,
            ["--data", str(trained[1]), "--out", str(tmp_path / "x"), "--size-px", str(SIZE_PX), "--resume"],
            catch_exceptions=False,
        )


def test_a_folder_without_exhaustive_labels_cannot_judge(
    trained: tuple[Path, Path], tmp_path: Path, write_belts: BeltWriter
) -> None:
    data = write_belts(tmp_path / "none", 2, SIZE_PX, ())
    with pytest.raises(DataFolderError, match="complete_for"):
        run_evaluate("--model", trained[0], "--data", data)


def test_a_missing_model_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="manifest"):
        run_evaluate("--model", tmp_path, "--data", tmp_path)


def test_a_run_keeps_what_it_did(trained: tuple[Path, Path]) -> None:
    folder = trained[0].parent / "run"
    record = json.loads((folder / "record.json").read_text())
    assert [epoch["number"] for epoch in record["epochs"]] == [1]
    assert record["fit"]["energy_wh"] > 0
    assert {one["name"] for one in record["data"]} == {f"{trained[1].parent.name}/belts"}
    assert record["figures"]["test_map50"] == load_bundle(trained[0]).manifest.metrics["test_map50"]
    assert (folder / "curves.svg").read_text().rstrip().endswith("</svg>")
    assert json.loads((folder / "run.json").read_text())["settings"]["size"] == {
        "width_px": SIZE_PX,
        "height_px": SIZE_PX,
    }


def test_a_finished_run_can_be_made_longer(trained: tuple[Path, Path], tmp_path: Path) -> None:
    folder = shutil.copytree(trained[0].parent / "run", tmp_path / "run")
    answer = CliRunner().invoke(fit, ["--run", str(folder), "--resume", "--extend-to", "2"], catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    record = json.loads((folder / "record.json").read_text())
    assert [epoch["number"] for epoch in record["epochs"]] == [1, 2]
    settings = read_plan(folder).settings
    before = read_plan(trained[0].parent / "run").settings
    assert settings.small_epoch_ratio * 2 == before.small_epoch_ratio, "as many small pictures as before"


@pytest.mark.parametrize(
    ("options", "message"),
    [(["--resume", "--extend-to", "1"], "has 1 epochs already"), (["--extend-to", "9"], "only with --resume")],
)
def test_what_cannot_be_made_longer(
    trained: tuple[Path, Path], tmp_path: Path, options: list[str], message: str
) -> None:
    folder = shutil.copytree(trained[0].parent / "run", tmp_path / "run")
    answer = CliRunner().invoke(fit, ["--run", str(folder), *options])
    assert answer.exit_code != 0
    assert message in answer.output + str(answer.exception)


def test_a_run_is_not_overwritten(trained: tuple[Path, Path], tmp_path: Path) -> None:
    arguments = ["--data", trained[1], "--out", tmp_path / "x", "--run", trained[0].parent / "run", "--epochs", "1"]
    with pytest.raises(BadInputError, match="--resume"):
        CliRunner().invoke(run, [str(one) for one in arguments], catch_exceptions=False)
    assert not (tmp_path / "x").exists()


def test_finishing_twice_gives_the_same_bundle(trained: tuple[Path, Path], tmp_path: Path) -> None:
    answer = CliRunner().invoke(
        finish, [str(trained[0].parent / "run"), "--out", str(tmp_path / "tiny")], catch_exceptions=False
    )
    assert answer.exit_code == 0, answer.output
    first, second = load_bundle(trained[0]).manifest, load_bundle(tmp_path / "tiny").manifest
    assert (first.calibration, first.metrics) == (second.calibration, second.metrics)


def test_an_existing_bundle_is_calibrated_to_a_site(
    trained: tuple[Path, Path], tmp_path: Path, write_belts: BeltWriter
) -> None:
    bundle = Path(shutil.copytree(trained[0], tmp_path / "tiny"))
    before = load_bundle(bundle)
    site = write_belts(tmp_path / "site", 8, SIZE_PX, ("can", "glass"))
    answer = CliRunner().invoke(calibrate, [str(bundle), "--data", str(site)], catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    after = load_bundle(bundle)
    assert after.model_id == before.model_id
    assert after.manifest.calibration["hdpe"] == before.manifest.calibration["hdpe"]
    assert after.manifest.metrics["site_ece"] <= after.manifest.metrics["site_ece_before"] + 0.02
    assert after.manifest.data_sheet[-1] == f"calibrated on {tmp_path.name}/site, 8 pictures"


def test_nothing_labelled_calibrates_nothing(
    trained: tuple[Path, Path], tmp_path: Path, write_belts: BeltWriter
) -> None:
    site = write_belts(tmp_path / "site", 2, SIZE_PX, CLASS_NAMES)
    for path in (site / "labels").iterdir():
        path.write_text("")
    with pytest.raises(DataFolderError, match="nothing is labelled"):
        CliRunner().invoke(calibrate, [str(trained[0]), "--data", str(site)], catch_exceptions=False)


@pytest.mark.parametrize("size", ["32", "1312", "1312x64"])
def test_a_size_that_nobody_trains_at_is_refused(tmp_path: Path, size: str) -> None:
    arguments = ["--data", str(tmp_path), "--out", str(tmp_path / "m"), "--size-px", size]
    with pytest.raises(BadInputError, match="sides from 64 to 1280 px"):
        CliRunner().invoke(run, arguments, catch_exceptions=False)
