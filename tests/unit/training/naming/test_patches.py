"""Items are cut out as the line will cut them, and mistakes are boxes that lie on no label."""

from pathlib import Path

import numpy as np
import pytest

from sorter.model.materials import CLASS_NAMES
from sorter.runtime.bundle import Network
from sorter.runtime.labelled_folder import read_labelled_folder
from training.naming.lot import ItemLot
from training.naming.patches import Geometry, Patch, labelled_patches, mistaken_patches, shares_by_class, squares_of
from training.synthesis.pixels import Picture
from vision.frame import Detections

NETWORK = Network("a.onnx", "0" * 64, 128, 96, "raw", fit="stretch")
GEOMETRY = Geometry(NETWORK, side_px=40, margin_ratio=1.2)


def test_every_labelled_item_becomes_a_patch(tmp_path: Path, write_belts) -> None:  # type: ignore[no-untyped-def]
    folder = read_labelled_folder(write_belts(tmp_path / "belts", 3, 96, CLASS_NAMES), CLASS_NAMES)
    patches = labelled_patches(folder, GEOMETRY)
    labelled = [int(one) for picture in folder.pictures for one in picture.class_ids]
    assert [patch.class_id for patch in patches] == labelled
    assert {patch.picture.shape for patch in patches} == {(64, 64, 3)}


def test_a_broken_picture_is_left_out_and_told_of(tmp_path: Path, write_belts, caplog) -> None:  # type: ignore[no-untyped-def]
    folder = read_labelled_folder(write_belts(tmp_path / "belts", 2, 96, CLASS_NAMES), CLASS_NAMES)
    broken = folder.pictures[0]
    broken.path.write_bytes(broken.path.read_bytes()[:200])
    assert len(labelled_patches(folder, GEOMETRY)) == len(folder.pictures[1].class_ids)
    assert broken.path.name in caplog.text


def test_an_item_keeps_its_true_shape() -> None:
    # A square item, seen by a camera whose pictures are stretched to a width of 128 for 96 rows.
    picture = np.zeros((96, 96, 3), np.uint8)
    picture[36:60, 39:57] = 255
    (patch,) = squares_of(picture, np.array([[39.0, 36.0, 57.0, 60.0]]), GEOMETRY)
    white = patch[..., 0] > 127
    assert np.count_nonzero(white.any(axis=0)) == pytest.approx(np.count_nonzero(white.any(axis=1)), abs=2)
    assert np.count_nonzero(white.any(axis=0)) == pytest.approx(40 / 1.2, abs=2)


def test_a_box_on_a_label_is_no_mistake(tmp_path: Path, write_belts) -> None:  # type: ignore[no-untyped-def]
    folder = read_labelled_folder(write_belts(tmp_path / "belts", 1, 96, CLASS_NAMES), CLASS_NAMES)
    (labelled,) = folder.pictures
    centres, sides = labelled.boxes[:, :2] * 96, labelled.boxes[:, 2:] * 96
    on_labels = np.concatenate([centres - sides / 2, centres + sides / 2], axis=1)
    sliver = np.array([[0.0, 0.0, 2.0, 2.0]])
    boxes_px = np.concatenate([on_labels, sliver]).astype(np.float32)
    scores = np.zeros((len(boxes_px), len(CLASS_NAMES)), np.float32)
    scores[:, 0] = 0.25

    def detect(_picture: Picture) -> Detections:
        return Detections(boxes_px, scores)

    (mistake,) = mistaken_patches(folder, detect, len(CLASS_NAMES), GEOMETRY)
    assert mistake.class_id == len(CLASS_NAMES)
    assert mistake.weight == pytest.approx(0.5)


def test_rare_classes_are_shown_more_often_than_they_come() -> None:
    empty = np.zeros((4, 4, 3), np.uint8)
    shares = shares_by_class([Patch(empty, 0)] * 16 + [Patch(empty, 1)])
    assert shares.sum() == pytest.approx(1.0)
    assert shares[16] / shares[:16].sum() == pytest.approx(1 / 4)


def test_examples_are_a_function_of_their_number() -> None:
    rng = np.random.default_rng(0)
    patches = [Patch(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8), number) for number in range(3)]
    first, again = (ItemLot([(1.0, patches), (0.5, [])], 40, seed=7) for _ in range(2))
    for index in range(8):
        (picture, class_id), (other, other_id) = first.example(index), again.example(index)
        assert class_id == other_id
        assert picture.shape == (40, 40, 3)
        np.testing.assert_array_equal(picture, other)
    assert len({class_id for _, class_id in map(first.example, range(40))}) == 3
