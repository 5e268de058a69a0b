"""`farz harvest` as people type it."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from sorter.errors import DataFolderError
from training.harvest.harvest_command import harvest
from training.harvest.harvest_folder import read_harvest
from vision.harvest.choice import Reason


def run(*arguments: object) -> str:
    result = CliRunner().invoke(harvest, [str(one) for one in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_list_counts_by_day_reason_and_class(harvest_folder: Path) -> None:
    summary = json.loads(run("list", harvest_folder, "--json"))
    pictures = read_harvest(harvest_folder)
    assert summary["picture_count"] == len(pictures)
    assert summary["by_day"]["2026-03-04"]["random"] == sum(one.kept.reason is Reason.RANDOM for one in pictures)
    labels = [item for one in pictures for item in one.pre_labels(0.3)]
    assert sum(summary["by_class"].values()) == len(labels)
    assert "hdpe" in run("list", harvest_folder)


def test_a_reason_can_be_exported_alone(harvest_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = ("--format", "label-studio", "--reason", "random", "--address", "http://pictures/", "--json")
    report = json.loads(run("export", harvest_folder, "--out", out, *options))
    assert report["by_reason"].keys() == {"random"}
    tasks = json.loads((out / "tasks.json").read_text())
    assert len(tasks) == report["picture_count"] == len(list((out / "images").iterdir()))
    assert all(task["data"]["image"].startswith("http://pictures/hall-3_") for task in tasks)


def test_since_takes_a_date(harvest_folder: Path) -> None:
    assert "pictures" in run("list", harvest_folder, "--since", "2026-03-04")
    result = CliRunner().invoke(harvest, ["list", str(harvest_folder), "--since", "last week"])
    assert result.exit_code == 2
    assert "--since" in result.output


def test_what_a_picture_was_kept_for_is_shown_to_the_labeller(harvest_folder: Path) -> None:
    disagreeing = read_harvest(harvest_folder, [Reason.DISAGREEING])
    assert all(any(item.reasons for item in one.pre_labels(1.0)) for one in disagreeing)


@pytest.mark.parametrize("format_name", ["label-studio", "cvat", "yolo"])
def test_export_says_what_comes_next(harvest_folder: Path, tmp_path: Path, format_name: str) -> None:
    text = run("export", harvest_folder, "--out", tmp_path / "out", "--format", format_name)
    assert f"farz harvest import {tmp_path / 'out'}" in text


def test_import_reports_what_was_left_out(harvest_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run("export", harvest_folder, "--out", out, "--format", "cvat", "--link")
    next((out / "images").iterdir()).unlink()
    text = run("import", out, out / "annotations.xml", "--out", tmp_path / "back")
    assert "read as cvat" in text
    assert "left out: hall-3_" in text


@pytest.mark.parametrize(
    ("since", "sentence"), [("2027-01-01", "no kept pictures there"), ("", "none of .* was kept for that")]
)
def test_nothing_to_export_is_a_sentence(harvest_folder: Path, since: str, sentence: str) -> None:
    with pytest.raises(DataFolderError, match=sentence):
        read_harvest(harvest_folder, [Reason.FLAGGED], since)


def test_a_sidecar_without_its_picture_is_named(harvest_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(harvest_folder, tmp_path / "copy")
    picture = next((tmp_path / "copy").glob("*/*.jpg"))
    picture.unlink()
    with pytest.raises(DataFolderError, match=picture.name):
        read_harvest(tmp_path / "copy")
