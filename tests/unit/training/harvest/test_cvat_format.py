"""CVAT's XML as its users export it, not only as we write it."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from sorter.errors import DataFolderError
from training.data.annotations import Annotations
from training.data.formats import read_annotations

HEAD = "<annotations><version>1.1</version><meta><job><labels><label><name>can</name></label></labels></job></meta>"


def read(folder: Path, shapes: str, image: str = 'name="a.png" width="200" height="100"') -> Annotations:
    cv2.imwrite(str(folder / "a.png"), np.zeros((100, 200, 3), np.uint8))
    cv2.imwrite(str(folder / "b.png"), np.zeros((100, 200, 3), np.uint8))
    whole = '<image id="1" name="b.png" width="200" height="100"/>'
    (folder / "annotations.xml").write_text(f'{HEAD}<image id="0" {image}>{shapes}</image>{whole}</annotations>')
    return read_annotations(folder, "cvat")


def test_boxes_polygons_and_empty_pictures(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        '<box label="can" occluded="0" xtl="20" ytl="10" xbr="60" ybr="50"/><tag label="blurred"/>'
        '<polygon label="glass" points="0,0;100,0;100,50"/>',
    )
    assert found.class_names == ("can", "glass")
    first, second = found.pictures
    assert first.items[0].box == pytest.approx((0.2, 0.3, 0.2, 0.4))
    assert first.items[1].box == pytest.approx((0.25, 0.25, 0.5, 0.5))
    assert (second.path.name, second.items) == ("b.png", ())


def test_a_turned_box_turns_round_its_centre_in_pixels(tmp_path: Path) -> None:
    found = read(tmp_path, '<box label="can" xtl="80" ytl="40" xbr="120" ybr="60" rotation="90.0"/>')
    assert found.pictures[0].items[0].box == pytest.approx((0.5, 0.5, 0.1, 0.4))


@pytest.mark.parametrize(
    ("shapes", "why"),
    [
        ('<mask label="can" rle="1"/>', "has a mask"),
        ('<box label="can" xtl="x" ytl="0" xbr="1" ybr="1"/>', "xtl='x'"),
        ('<box label="can" ytl="0" xbr="1" ybr="1"/>', "xtl=None"),
        ('<box label="can" xtl="9" ytl="0" xbr="1" ybr="1"/>', "is none"),
        ('<polygon label="can" points="1,1;2,b"/>', "no numbers"),
    ],
)
def test_a_picture_whose_shapes_cannot_be_used_is_left_out(tmp_path: Path, shapes: str, why: str) -> None:
    found = read(tmp_path, shapes)
    assert [picture.path.name for picture in found.pictures] == ["b.png"]
    assert why in found.skipped[0].why


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("<annotations><track id='0' label='can'/></annotations>", "CVAT for video"),
        ("<annotation/>", "opens with <annotation>"),
        ("<annotations>", "cannot be read as XML"),
        ('<!DOCTYPE a [<!ENTITY e "x">]><annotations>&e;</annotations>', "cannot be read as XML"),
    ],
)
def test_what_is_no_image_task_is_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "annotations.xml").write_text(text)
    with pytest.raises(DataFolderError, match=sentence):
        read_annotations(tmp_path, "cvat")
