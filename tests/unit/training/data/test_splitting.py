"""Splits: nothing leaks, nothing is lost, classes are balanced, and what cannot be done is said."""

import errno
import json
import shutil
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from sorter.errors import DataFolderError
from sorter.model.materials import CLASS_NAMES
from sorter.runtime.labelled_folder import read_labelled_folder
from training.data.assignment import assign_groups
from training.data.check import check_folders
from training.data.importing import ImportRequest, import_source
from training.data.manifest import read_manifest
from training.data.sheet_command import sheet
from training.data.split_command import split
from training.data.splitting import SplitRequest, split_folder

Item = tuple[str, float, float, float, float]
SourceWriter = Callable[[str, Path, Mapping[str, Sequence[Item]]], Path]
SHARES = {"train": 0.6, "val": 0.2, "test": 0.2}
TIN: Item = ("tin", 10, 20, 50, 60)
JUG: Item = ("jug", 60, 30, 150, 110)
NAMES = [f"cam_2024-03-{day:02d}_{hour:02d}-{minute:02d}-00.jpg" for day in (4, 5) for hour in range(6, 11)
         for minute in (1, 30)]  # fmt: skip


@pytest.fixture
def folder(write_source: SourceWriter, class_map: Path, tmp_path: Path) -> Path:
    """Ten hours of two pictures each; every second hour has a jug."""
    pictures = {name: [TIN, JUG] if index // 2 % 2 else [TIN] for index, name in enumerate(NAMES)}
    source = write_source("yolo", tmp_path / "source", pictures)
    import_source(ImportRequest(source, class_map, "A", "CC0", tmp_path / "site"))
    return tmp_path / "site"


def parts_by_session(out: Path) -> dict[str, set[str]]:
    parts = defaultdict(set)
    for name in SHARES:
        for entry in read_manifest(out / name).pictures:
            parts[entry.session.name].add(name)
    return parts


def test_every_picture_is_in_one_part_with_its_labels_and_no_session_in_two(folder: Path, tmp_path: Path) -> None:
    report = split_folder(SplitRequest(folder, tmp_path / "out", SHARES))
    before = read_labelled_folder(folder, CLASS_NAMES)
    after = [read_labelled_folder(tmp_path / "out" / name, CLASS_NAMES) for name in SHARES]
    boxes = {picture.path.name: picture.boxes for part in after for picture in part.pictures}
    assert sorted(boxes) == sorted(NAMES)
    assert sum(len(part.pictures) for part in after) == len(NAMES)
    for picture in before.pictures:
        np.testing.assert_array_equal(boxes[picture.path.name], picture.boxes)
    assert all(len(parts) == 1 for parts in parts_by_session(tmp_path / "out").values())
    assert [part.picture_count for part in report.parts.values()] == [12, 4, 4]
    assert [part.label_counts["hdpe"] for part in report.parts.values()] == [6, 2, 2]
    assert check_folders([tmp_path / "out"], CLASS_NAMES).error_count == 0
    assert "# Data sheet: out/val" in (tmp_path / "out" / "val" / "DATA_SHEET.md").read_text()


@settings(max_examples=20, deadline=None)
@given(counts=st.lists(st.tuples(*[st.integers(0, 9)] * 3), min_size=3, max_size=25), seed=st.integers(0, 5))
def test_no_part_is_empty_and_the_seed_decides(counts: list[tuple[int, int, int]], seed: int) -> None:
    amounts = np.array(counts, dtype=np.float64)
    amounts[:, 0] += 1
    shares = np.array([0.7, 0.15, 0.15])
    parts = assign_groups(amounts, shares, seed)
    assert set(parts.tolist()) == {0, 1, 2}
    np.testing.assert_array_equal(parts, assign_groups(amounts, shares, seed))


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000))
def test_many_small_groups_are_shared_out_closely(seed: int) -> None:
    counts = np.random.default_rng(seed).integers(1, 6, (60, 4)).astype(np.float64)
    shares = np.array([0.7, 0.15, 0.15])
    parts = assign_groups(counts, shares, seed)
    got = np.array([counts[parts == part].sum(axis=0) for part in range(3)]) / counts.sum(axis=0)
    assert np.abs(got - shares[:, None]).max() < 0.03


def test_pictures_that_look_the_same_pull_their_sessions_together(folder: Path, tmp_path: Path) -> None:
    images = sorted((folder / "images").iterdir())
    (folder / "manifest.json").unlink()
    chained = images[0], images[4], images[9], images[14]
    for path in chained[1:]:
        shutil.copyfile(chained[0], path)
    for seed in range(4):
        out = tmp_path / f"out{seed}"
        report = split_folder(SplitRequest(folder, out, SHARES, seed))
        holders = {name for name in SHARES for path in chained if (out / name / "images" / path.name).is_file()}
        assert len(holders) == 1
        assert (report.group_count, report.near_pair_count) == (7, 6)
        assert all(len(parts) == 1 for parts in parts_by_session(out).values())


def test_a_pattern_tells_the_sessions(folder: Path, tmp_path: Path) -> None:
    request = SplitRequest(folder, tmp_path / "out", {"a": 0.5, "b": 0.5}, session_pattern=r"2024-03-(\d\d)")
    split_folder(request)
    days = [{entry.session.name for entry in read_manifest(tmp_path / "out" / part).pictures} for part in ("a", "b")]
    assert sorted(days, key=min) == [{"04"}, {"05"}]


def test_too_few_sessions_for_the_parts_is_an_error_that_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    request = SplitRequest(folder, tmp_path / "out", SHARES, session_pattern=r"2024-03-(\d\d)")
    with pytest.raises(DataFolderError, match="cannot fill 3 parts"):
        split_folder(request)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("shares", "named"),
    [({"train": 1.0}, "less than two"), ({"train": 0.7, "val": 0.2}, "0.9"), ({"train": 1.0, "val": 0.0}, "train=1"),
     ({"train": 1.5, "val": -0.5}, "train=1.5"), ({"../up": 0.5, "val": 0.5}, "'../up'")],
)  # fmt: skip
def test_shares_that_cannot_be_are_refused(folder: Path, tmp_path: Path, shares: dict[str, float], named: str) -> None:
    with pytest.raises(DataFolderError) as caught:
        split_folder(SplitRequest(folder, tmp_path / "out", shares))
    assert named in str(caught.value)


def test_broken_pictures_are_reported_and_in_no_part(folder: Path, tmp_path: Path) -> None:
    (folder / "images" / NAMES[0]).write_bytes(b"no picture")
    report = split_folder(SplitRequest(folder, tmp_path / "out", SHARES))
    assert [one.place for one in report.skipped] == [NAMES[0]]
    assert sum(part.picture_count for part in report.parts.values()) == len(NAMES) - 1


def test_a_full_disk_leaves_nothing_behind(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copies: list[Path] = []
    copy = shutil.copyfile

    def soon_full(source: Path, target: Path) -> None:
        if len(copies) > 9:
            raise OSError(errno.ENOSPC, "No space left on device")
        copies.append(target)
        copy(source, target)

    monkeypatch.setattr(shutil, "copyfile", soon_full)
    before = set(tmp_path.iterdir())
    with pytest.raises(DataFolderError, match="the disk is full"):
        split_folder(SplitRequest(folder, tmp_path / "out", SHARES))
    assert set(tmp_path.iterdir()) == before


def test_the_commands_speak_in_tables_and_in_json(folder: Path, tmp_path: Path) -> None:
    said = CliRunner().invoke(split, [str(folder), "--out", str(tmp_path / "one"), "--link"], catch_exceptions=False)
    assert "can labels" in said.output
    kept = next((tmp_path / "one").glob("*/images/*"))
    assert kept.samefile(folder / "images" / kept.name)
    arguments = [str(folder), "--out", str(tmp_path / "two"), "--json", "--shares", "a=0.5,b=0.5"]
    assert set(json.loads(CliRunner().invoke(split, arguments, catch_exceptions=False).output)["parts"]) == {"a", "b"}
    refused = CliRunner().invoke(split, [str(folder), "--out", str(tmp_path / "three"), "--shares", "a:0.5"])
    assert isinstance(refused.exception, DataFolderError)


def test_the_sheet_follows_the_class_map(folder: Path) -> None:
    class_map = folder / "class_map.toml"
    class_map.write_text(class_map.read_text().replace('"jug" = "hdpe"', '"jug" = "ignore"'))
    CliRunner().invoke(sheet, [str(folder)], catch_exceptions=False)
    assert "| jug | ignored" in (folder / "DATA_SHEET.md").read_text()


def test_a_sheet_needs_a_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()
    refused = CliRunner().invoke(sheet, [str(folder)])
    assert "manifest.json" in str(refused.exception)
