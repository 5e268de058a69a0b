"""What is on a shelf, and the way back, from the command line."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from sorter.errors import ShelfError
from sorter.runtime.model_shelf import Champion, ModelShelf
from sorter.shelf_command import list_shelf, rollback


@pytest.fixture
def shelf(tmp_path: Path) -> ModelShelf:
    """Three bundles: c in use, b before it, a before that."""
    shelf = ModelShelf(tmp_path / "shelf")
    with shelf.changing():
        for model_id in "abc":
            shelf.bundle_folder(model_id).mkdir()
        shelf.point_to(Champion("c", ("a", "b"), "site", "2026-01-01T00:00:00+00:00"))
    return shelf


def listed(shelf: ModelShelf) -> list[str]:
    answer = CliRunner().invoke(list_shelf, ["--shelf", str(shelf.folder)], catch_exceptions=False)
    return answer.stdout.splitlines()


def test_the_list_shows_what_is_in_use_and_what_a_rollback_brings_back(shelf: ModelShelf) -> None:
    assert listed(shelf) == ["  a  2 back", "  b  1 back", "→ c  in use since 2026-01-01T00:00:00+00:00"]


def test_rollback_takes_one_command_and_says_what_it_did(shelf: ModelShelf) -> None:
    answer = CliRunner().invoke(rollback, ["--shelf", str(shelf.folder)], catch_exceptions=False)
    assert "b is champion again, in place of c" in answer.stdout
    assert listed(shelf)[1].startswith("→ b")
    assert listed(shelf)[2] == "  c"


def test_the_list_as_json_is_one_object(shelf: ModelShelf) -> None:
    report = json.loads(CliRunner().invoke(list_shelf, ["--shelf", str(shelf.folder), "--json"]).stdout)
    assert report["champion"]["model_id"] == "c"
    assert report["model_ids"] == ["a", "b", "c"]


@pytest.mark.parametrize("command", [list_shelf, rollback])
def test_a_folder_that_is_no_shelf_is_refused_and_left_alone(tmp_path: Path, command) -> None:
    error = CliRunner().invoke(command, ["--shelf", str(tmp_path)]).exception
    assert isinstance(error, ShelfError)
    assert "no champion" in str(error)
    assert list(tmp_path.iterdir()) == []
