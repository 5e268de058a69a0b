"""Each rule of the check finds what it is for, finds nothing in a sound folder, and the command says so."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from sorter.model.materials import CLASS_NAMES
from training.data.check import CheckReport, check_folders
from training.data.check_command import check
from training.data.importing import ImportRequest, import_source
from training.data.near_duplicates import joined_groups, near_pairs
from training.data.picture_file import read_facts

Item = tuple[str, float, float, float, float]
SourceWriter = Callable[[str, Path, Mapping[str, Sequence[Item]]], Path]
PictureWriter = Callable[..., Path]
TIN: Item = ("tin", 10, 20, 50, 60)


@pytest.fixture
def folder(write_source: SourceWriter, class_map: Path, tmp_path: Path) -> Path:
    """A sound folder: three pictures of three hours, 24 cans."""
    tins: list[Item] = [("tin", 5 * n, 10, 5 * n + 30, 60) for n in range(8)]
    names = [f"cam_2024-03-04_0{hour}-00-00.jpg" for hour in (6, 7, 8)]
    source = write_source("yolo", tmp_path / "source", dict.fromkeys(names, tins))
    import_source(ImportRequest(source, class_map, "A", "CC0", tmp_path / "site"))
    return tmp_path / "site"


def kinds(*folders: Path) -> set[str]:
    return {f"{finding.level}: {finding.kind}" for finding in report(*folders).findings}


def report(*folders: Path) -> CheckReport:
    return check_folders(folders, CLASS_NAMES)


def first(folder: Path, kind: str) -> Path:
    return sorted((folder / kind).iterdir())[0]


def test_a_sound_folder_has_no_findings_and_its_figures_are_right(folder: Path) -> None:
    found = report(folder)
    assert found.findings == ()
    (one,) = found.folders
    assert (one.picture_count, one.empty_count, one.session_count, one.label_count) == (3, 0, 3, 24)
    assert list(one.classes) == ["can"]
    can = one.classes["can"]
    assert (can.label_count, can.picture_count, can.is_complete) == (24, 3, True)
    assert can.sizes is not None
    assert can.sizes.median == pytest.approx(np.sqrt(30 / 160 * 50 / 120), abs=1e-3)


@pytest.mark.parametrize("damage", ["cut", "text"])
def test_broken_pictures_are_found(folder: Path, damage: str) -> None:
    path = first(folder, "images")
    path.write_bytes(path.read_bytes()[:-300] if damage == "cut" else b"no picture")
    assert "error: broken picture" in kinds(folder)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("0 0.5 0.5 0.2", "error: unreadable labels"),
        ("77 0.5 0.5 0.2 0.2", "error: unreadable labels"),
        ("0 0.5 0.5 0 0.2", "error: box without area"),
        ("0 1.5 0.5 0.2 0.2", "error: box without area"),
        ("0 0.95 0.5 0.2 0.2", "warning: box out of range"),
        ("0 0.5 -0.01 0.2 0.2", "warning: box out of range"),
        ("0 0.5 0.5 0.2 0.2\n1 0.5 0.5 0.2 0.2", "warning: item labelled twice"),
    ],
)
def test_labels_that_are_wrong_are_found(folder: Path, line: str, kind: str) -> None:
    path = first(folder, "labels")
    path.write_text(f"{path.read_text()}{line}\n")
    assert kinds(folder) == {kind} | ({"warning: rare class"} if "unreadable" in kind else set())


def test_missing_and_stray_files_are_found(folder: Path) -> None:
    first(folder, "labels").unlink()
    (folder / "labels" / "stray.txt").touch()
    first(folder, "images").with_suffix(".png").write_bytes(first(folder, "images").read_bytes())
    expected = {
        "warning: no label file", "warning: labels without a picture", "error: two pictures, one label file",
        "warning: not in the manifest", "warning: rare class",
    }  # fmt: skip
    assert kinds(folder) == expected


def test_changes_since_the_manifest_are_found(folder: Path, picture_writer: PictureWriter) -> None:
    one, other, _ = sorted((folder / "images").iterdir())
    picture_writer(one, 99)
    other.unlink()
    assert {"error: changed since the manifest", "error: in the manifest but gone"} <= kinds(folder)


def test_a_promised_class_without_labels_is_found(folder: Path) -> None:
    class_map = folder / "class_map.toml"
    class_map.write_text(class_map.read_text().replace('["can"]', '["can", "hdpe"]'))
    assert kinds(folder) == {"warning: class without labels"}


@pytest.mark.parametrize("change", ["none", "smaller", "mirrored", "turned", "darker"])
def test_a_picture_that_looks_the_same_in_two_folders_is_an_error(folder: Path, tmp_path: Path, change: str) -> None:
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    (other / "manifest.json").unlink()
    keep, *rest = sorted((other / "images").iterdir())
    for path in rest:
        path.unlink()
    picture = cv2.imread(str(keep))
    changed = {
        "none": picture,
        "smaller": cv2.resize(picture, (96, 72)),
        "mirrored": picture[:, ::-1],
        "turned": picture[::-1, ::-1],
        "darker": (picture * 0.7).astype(np.uint8),
    }[change]
    cv2.imwrite(str(keep.with_name("elsewhere.jpg")), np.ascontiguousarray(changed))
    keep.unlink()
    (found,) = [one for one in report(folder, other).findings if one.level == "error"]
    assert found.kind == "same picture in two folders"
    assert "elsewhere.jpg" in found.place


def test_one_session_in_two_folders_is_an_error(
    folder: Path, write_source: SourceWriter, picture_writer: PictureWriter, class_map: Path, tmp_path: Path
) -> None:
    source = write_source("yolo", tmp_path / "source2", {"cam_2024-03-04_07-59-00.jpg": [TIN]})
    picture_writer(source / "images" / "cam_2024-03-04_07-59-00.jpg", 50)
    import_source(ImportRequest(source, class_map, "B", "CC0", tmp_path / "other"))
    found = [one for one in report(folder, tmp_path / "other").findings if one.level == "error"]
    assert [(one.kind, one.place) for one in found] == [("same session in two folders", "cam_20240304_07")]


def test_sessions_that_only_the_order_tells_are_not_compared_between_sources(
    write_source: SourceWriter, picture_writer: PictureWriter, class_map: Path, tmp_path: Path
) -> None:
    for number, name in enumerate(("A", "B")):
        source = write_source("yolo", tmp_path / f"source {name}", {"1.jpg": [TIN]})
        picture_writer(source / "images" / "1.jpg", 50 + number)
        import_source(ImportRequest(source, class_map, name, "CC0", tmp_path / name))
    assert report(tmp_path / "A", tmp_path / "B").error_count == 0


def test_the_command_s_exit_code_says_whether_there_are_errors(folder: Path) -> None:
    said = CliRunner().invoke(check, [str(folder)])
    assert (said.exit_code, "nothing found" in said.output) == (0, True)
    first(folder, "labels").unlink()
    said = CliRunner().invoke(check, [str(folder)])
    assert (said.exit_code, "no label file" in said.output) == (0, True)
    first(folder, "images").write_bytes(b"")
    said = CliRunner().invoke(check, [str(folder), "--json"])
    assert said.exit_code == 1
    assert json.loads(said.output)["error_count"] >= 1


def test_a_folder_of_parts_is_checked_part_by_part(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "both").mkdir()
    shutil.copytree(folder, tmp_path / "both" / "train")
    shutil.copytree(folder, tmp_path / "both" / "val")
    found = report(tmp_path / "both")
    assert [Path(one.folder).name for one in found.folders] == ["train", "val"]
    assert sum(one.kind == "same picture in two folders" for one in found.findings) == 3


def test_different_pictures_do_not_look_the_same(tmp_path: Path, picture_writer: PictureWriter) -> None:
    looks = [read_facts(picture_writer(tmp_path / f"{n}.png", n), with_looks=True).looks for n in range(30)]
    assert near_pairs([one for one in looks if one is not None]) == []


def pairs_of(count: int) -> st.SearchStrategy[list[tuple[int, int]]]:
    one = st.integers(0, count - 1)
    return st.lists(st.tuples(one, one), max_size=12)


@given(st.integers(1, 12).flatmap(lambda count: st.tuples(st.just(count), pairs_of(count))))
def test_groups_are_joined_by_pairs_and_by_nothing_else(drawn: tuple[int, list[tuple[int, int]]]) -> None:
    count, pairs = drawn
    groups = joined_groups(count, pairs)
    assert all(groups[one] == groups[other] for one, other in pairs)
    reachable = {one: {one} for one in range(count)}
    for _ in range(count):
        for one, other in pairs:
            reachable[one] = reachable[other] = reachable[one] | reachable[other]
        for one in range(count):
            for other in tuple(reachable[one]):
                reachable[other] = reachable[one] = reachable[one] | reachable[other]
    assert all(
        (groups[one] == groups[other]) == (other in reachable[one]) for one in range(count) for other in range(count)
    )
