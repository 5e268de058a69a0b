"""Reading labelled folders: boxes and polygons, class maps, and every way a part can be missing or malformed."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.errors import DataFolderError
from sorter.runtime.labelled_folder import LabelledFolder, read_labelled_folder

CLASSES = ("can", "pet", "hdpe")
CLASS_MAP = 'complete_for = ["can"]\n[map]\n"tin" = "can"\n"bottle" = "pet"\n"shoe" = "ignore"\n'
NAMES = "names:\n  0: shoe\n  1: 'tin'\n  2: \"bottle\"\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return laid_out(tmp_path / "val")


def laid_out(folder: Path) -> Path:
    (folder / "images").mkdir(parents=True)
    (folder / "labels").mkdir()
    (folder / "class_map.toml").write_text(CLASS_MAP)
    (folder / "data.yaml").write_text(NAMES)
    (folder / "images" / "a.jpg").touch()
    return folder


def labelled(folder: Path, text: str) -> LabelledFolder:
    (folder / "labels" / "a.txt").write_text(text)
    return read_labelled_folder(folder, CLASSES)


def refusal(folder: Path) -> str:
    with pytest.raises(DataFolderError) as caught:
        read_labelled_folder(folder, CLASSES)
    return str(caught.value)


def test_boxes_are_read_under_the_recipe_s_class_numbers_and_ignored_classes_left_out(folder: Path) -> None:
    read = labelled(folder, "1 0.5 0.4 0.2 0.1\n\n0 0.1 0.1 0.1 0.1\n2 0.25 0.75 0.5 0.5\n")
    (picture,) = read.pictures
    np.testing.assert_allclose(picture.boxes, [[0.5, 0.4, 0.2, 0.1], [0.25, 0.75, 0.5, 0.5]])
    assert picture.class_ids.tolist() == [0, 1]
    assert picture.path == folder / "images" / "a.jpg"
    assert read.complete_for == ("can",)


coordinates = st.integers(0, 1000).map(lambda value: value / 1000)


@given(points=st.lists(st.tuples(coordinates, coordinates), min_size=3, max_size=12))
def test_a_polygon_becomes_the_box_around_it(
    tmp_path_factory: pytest.TempPathFactory, points: list[tuple[float, float]]
) -> None:
    folder = laid_out(tmp_path_factory.mktemp("polygon") / "val")
    numbers = " ".join(f"{x} {y}" for x, y in points)
    ((box,),) = (picture.boxes for picture in labelled(folder, f"1 {numbers}").pictures)
    across, along = zip(*points, strict=True)
    assert box[0] - box[2] / 2 == pytest.approx(min(across))
    assert box[0] + box[2] / 2 == pytest.approx(max(across))
    assert box[1] - box[3] / 2 == pytest.approx(min(along))
    assert box[1] + box[3] / 2 == pytest.approx(max(along))


def test_pictures_come_by_name_and_without_a_label_file_they_hold_nothing(folder: Path) -> None:
    for name in ("c.PNG", "b.webp", "notes.txt"):
        (folder / "images" / name).touch()
    pictures = labelled(folder, "1 0.5 0.5 0.1 0.1").pictures
    assert [picture.path.name for picture in pictures] == ["a.jpg", "b.webp", "c.PNG"]
    assert [len(picture.boxes) for picture in pictures] == [1, 0, 0]
    assert pictures[1].boxes.shape == (0, 4)


def test_names_and_map_may_lie_in_the_parent_and_the_folder_s_own_come_first(folder: Path) -> None:
    (folder / "data.yaml").rename(folder.parent / "data.yaml")
    (folder.parent / "class_map.toml").write_text(CLASS_MAP.replace('"can"\n"bottle"', '"hdpe"\n"bottle"'))
    assert labelled(folder, "1 0.5 0.5 0.1 0.1").pictures[0].class_ids.tolist() == [0]
    (folder / "class_map.toml").unlink()
    assert labelled(folder, "1 0.5 0.5 0.1 0.1").pictures[0].class_ids.tolist() == [2]


@pytest.mark.parametrize("names", ["names: [shoe, 'tin', \"bottle\"]\n", "path: x\nnc: 3\n" + NAMES])
def test_names_are_read_in_either_spelling(folder: Path, names: str) -> None:
    (folder / "data.yaml").write_text(names)
    assert labelled(folder, "2 0.5 0.5 0.1 0.1").pictures[0].class_ids.tolist() == [1]


def test_an_unmapped_class_is_named(folder: Path) -> None:
    (folder / "data.yaml").write_text(NAMES + "  3: sock\n")
    assert "'sock'" in refusal(folder)


def test_a_map_to_a_class_that_the_recipe_lacks_is_named(folder: Path) -> None:
    (folder / "class_map.toml").write_text(CLASS_MAP.replace('"pet"', '"petrol"'))
    message = refusal(folder)
    assert "'bottle'" in message
    assert "'petrol'" in message
    assert "hdpe" in message


@pytest.mark.parametrize(
    "line",
    [
        "1 0.5 0.5 0.1",
        "1",
        "1 0.1 0.1 0.2 0.2 0.3",
        "1 0.1 0.1 0.2 0.2 0.3 0.3 0.4",
        "1 a b c d",
        "tin 0.5 0.5 0.1 0.1",
        "7 0.5 0.5 0.1 0.1",
        "-1 0.5 0.5 0.1 0.1",
        "1 nan 0.5 0.1 0.1",
        "1 0.5 0.5 inf 0.1",
        "1 0.5 0.5 -0.1 0.1",
    ],
)
def test_a_malformed_line_is_refused_with_its_file(folder: Path, line: str) -> None:
    (folder / "labels" / "a.txt").write_text(f"1 0.5 0.5 0.1 0.1\n{line}\n")
    message = refusal(folder)
    assert "a.txt" in message
    assert line in message


def test_a_label_file_that_is_no_text_is_refused(folder: Path) -> None:
    (folder / "labels" / "a.txt").write_bytes(b"\xff\xfe\x00")
    assert "a.txt" in refusal(folder)


@pytest.mark.parametrize("name", ["data.yaml", "class_map.toml"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    message = refusal(folder)
    assert name in message
    assert str(folder) in message


def test_a_folder_without_pictures_is_refused(folder: Path) -> None:
    (folder / "images" / "a.jpg").unlink()
    assert "no pictures" in refusal(folder)
    (folder / "images").rmdir()
    assert "images/" in refusal(folder)
    assert "images/" in refusal(folder / "gone")


@pytest.mark.parametrize("content", [b"[map", b"x = 1\n[map]\n", b"complete_for = []\n", b"\xff\xfe"])
def test_a_class_map_that_cannot_be_read_is_named(folder: Path, content: bytes) -> None:
    (folder / "class_map.toml").write_bytes(content)
    assert "class_map.toml" in refusal(folder)


def test_a_list_of_names_without_names_is_refused(folder: Path) -> None:
    (folder / "data.yaml").write_text("nc: 3\n")
    assert "no class names" in refusal(folder)


def test_ignored_regions_are_carried_and_background_is_not(folder: Path) -> None:
    (folder / "data.yaml").write_text(NAMES + "  3: belt stain\n")
    (folder / "class_map.toml").write_text(CLASS_MAP + '"belt stain" = "background"\n')
    (picture,) = labelled(folder, "0 0.1 0.2 0.1 0.1\n3 0.9 0.9 0.1 0.1\n1 0.5 0.5 0.2 0.2\n").pictures
    np.testing.assert_allclose(picture.ignored, [[0.1, 0.2, 0.1, 0.1]])
    np.testing.assert_allclose(picture.boxes, [[0.5, 0.5, 0.2, 0.2]])


def test_outlines_stand_beside_their_boxes(folder: Path) -> None:
    (picture,) = labelled(folder, "1 0.5 0.5 0.2 0.2\n0 0 0 1 0 1 1\n2 0.1 0.1 0.3 0.1 0.2 0.4\n").pictures
    box_alone, outline = picture.polygons
    assert box_alone is None
    assert outline is not None
    np.testing.assert_allclose(outline, [[0.1, 0.1], [0.3, 0.1], [0.2, 0.4]])


def test_a_quoted_name_is_read_as_it_was_meant(folder: Path) -> None:
    (folder / "data.yaml").write_text('names:\n  0: shoe\n  1: "5\\" tin: dented"\n  2: bottle\n')
    (folder / "class_map.toml").write_text(CLASS_MAP.replace('"tin"', '"5\\" tin: dented"'))
    assert labelled(folder, "1 0.5 0.5 0.1 0.1").pictures[0].class_ids.tolist() == [0]
