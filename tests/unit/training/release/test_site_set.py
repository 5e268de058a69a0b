"""The hash of a site set: the same for the same pictures and labels, another for any change that matters."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from sorter.runtime.labelled_folder import read_labelled_folder
from training.release.site_set import site_set_sha256

CLASSES = ("can", "hdpe")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "set"
    for part in ("images", "labels"):
        (place / part).mkdir(parents=True)
    for number in range(3):
        (place / "images" / f"{number}.png").write_bytes(bytes([number]))
        lines = f"0 0.5 0.5 0.2 0.2\n1 0.25 0.2{number} 0.1 0.1\n"
        (place / "labels" / f"{number}.txt").write_text(lines)
    (place / "data.yaml").write_text("names: [tin, jug]\n")
    (place / "class_map.toml").write_text('complete_for = ["can"]\n[map]\ntin = "can"\njug = "hdpe"\n')
    return place


def hash_of(folder: Path) -> str:
    return site_set_sha256(read_labelled_folder(folder, CLASSES))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_copy_elsewhere_is_the_same_set(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "copy")
    assert hash_of(tmp_path / "copy") == hash_of(folder)


def test_the_order_of_label_lines_and_how_they_are_written_is_irrelevant(folder: Path) -> None:
    before = hash_of(folder)
    path = folder / "labels" / "1.txt"
    path.write_text("\n".join(reversed(path.read_text().splitlines())))
    edit(path, "0.5 0.5 0.2", "0.50 5e-1 0.2")
    assert hash_of(folder) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: edit(folder / "labels" / "1.txt", "0.25", "0.26"),
        lambda folder: edit(folder / "labels" / "1.txt", "1 0.25", "0 0.25"),
        lambda folder: (folder / "labels" / "1.txt").unlink(),
        lambda folder: (folder / "images" / "1.png").write_bytes(b"other"),
        lambda folder: (folder / "images" / "1.png").unlink(),
        lambda folder: (folder / "images" / "9.png").write_bytes(b"more"),
        lambda folder: edit(folder / "class_map.toml", 'jug = "hdpe"', 'jug = "ignore"'),
        lambda folder: edit(folder / "class_map.toml", '["can"]', '["can", "hdpe"]'),
    ],
)
def test_any_change_that_matters_is_noticed(folder: Path, change) -> None:
    before = hash_of(folder)
    change(folder)
    assert hash_of(folder) != before


def test_boxes_cannot_wander_from_one_picture_to_the_next_unnoticed(folder: Path) -> None:
    before = hash_of(folder)
    first, second = (folder / "labels" / f"{number}.txt" for number in (0, 1))
    second.write_text(first.read_text() + second.read_text())
    first.write_text("")
    assert hash_of(folder) != before
    assert np.all([path.is_file() for path in (first, second)])
