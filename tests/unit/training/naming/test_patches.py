"""Boxes know their picture, and how well they fit a label."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sorter.errors import DataFolderError
from sorter.model.materials import CLASS_NAMES
from sorter.runtime.bundle import Network
from sorter.runtime.labelled_folder import LabelledFolder, read_labelled_folder
from training.naming.patches import Patch, found_patches, labelled_patches, scene_patches, shares_by_class
from training.synthesis.pixels import Picture, read_picture
from training.synthesis.scene import Scene
from vision.frame import Detections

NETWORK = Network("a.onnx", "0" * 64, 128, 96, "raw", fit="stretch")
BOX_PX = np.array([1.0, 1.0, 3.0, 3.0])


def belts(folder: Path, write_belts, count: int) -> LabelledFolder:  # type: ignore[no-untyped-def]
    return read_labelled_folder(write_belts(folder / "belts", count, 96, CLASS_NAMES), CLASS_NAMES)


def labels_px(folder: LabelledFolder) -> NDArray[np.float64]:
    (labelled,) = folder.pictures
    centres, sides = labelled.boxes[:, :2] * 96, labelled.boxes[:, 2:] * 96
    return np.concatenate([centres - sides / 2, centres + sides / 2], axis=1)


def test_every_labelled_item_becomes_a_patch(tmp_path: Path, write_belts) -> None:  # type: ignore[no-untyped-def]
    folder = belts(tmp_path, write_belts, 3)
    patches = labelled_patches(folder, NETWORK)
    labelled = [int(one) for picture in folder.pictures for one in picture.class_ids]
    assert [patch.class_id for patch in patches] == labelled
    assert {patch.fit_ratio(patch.box_px) for patch in patches} == {1.0}
    assert {patch.aspect_scale for patch in patches} == {(128 / 96, 1.0)}
    assert not any(patch.is_found for patch in patches)


def test_pictures_of_a_folder_stay_on_disk_until_they_are_wanted(tmp_path: Path, write_belts) -> None:  # type: ignore[no-untyped-def]
    folder = belts(tmp_path, write_belts, 1)
    path = folder.pictures[0].path
    patches = labelled_patches(folder, NETWORK)
    np.testing.assert_allclose([patch.box_px for patch in patches], labels_px(folder))
    assert {patch.source for patch in patches} == {path}
    np.testing.assert_array_equal(patches[0].picture(), read_picture(path))
    path.unlink()
    with pytest.raises(DataFolderError, match="cannot be read"):
        patches[0].picture()


def test_drawn_items_become_patches() -> None:
    picture = np.zeros((96, 96, 3), np.uint8)
    boxes_px = np.array([[10.0, 10.0, 30.0, 20.0], [50.0, 50.0, 60.0, 90.0]])
    scene = Scene(picture, boxes_px, np.array([2, 5]), np.ones(len(CLASS_NAMES), np.bool_))
    assert [patch.class_id for patch in scene_patches([scene], NETWORK)] == [2, 5]


def test_a_broken_picture_is_left_out_and_told_of(tmp_path: Path, write_belts, caplog) -> None:  # type: ignore[no-untyped-def]
    folder = belts(tmp_path, write_belts, 2)
    broken = folder.pictures[0]
    broken.path.write_bytes(broken.path.read_bytes()[:200])
    assert len(labelled_patches(folder, NETWORK)) == len(folder.pictures[1].class_ids)
    assert broken.path.name in caplog.text


def test_a_found_box_has_the_label_that_it_shares_most_with(tmp_path: Path, write_belts) -> None:  # type: ignore[no-untyped-def]
    folder = belts(tmp_path, write_belts, 1)
    labels = labels_px(folder)
    half = labels[0].copy()
    half[2] = half[0] + (half[2] - half[0]) / 2
    corner = np.array([0.0, 0.0, 0.5, 0.5])
    boxes_px = np.stack([labels[0], half, corner]).astype(np.float32)
    scores = np.zeros((3, len(CLASS_NAMES)), np.float32)
    scores[:, 0] = 0.25

    def detect(_picture: Picture) -> Detections:
        return Detections(boxes_px, scores)

    whole, part, nothing = found_patches(folder, detect, len(CLASS_NAMES), NETWORK)
    class_id = int(folder.pictures[0].class_ids[0])
    assert (whole.class_id, part.class_id, nothing.class_id) == (class_id, class_id, len(CLASS_NAMES))
    assert [one.fit_ratio(one.box_px) for one in (whole, part, nothing)] == pytest.approx([1.0, 0.5, 0.0], abs=1e-3)
    assert whole.weight == pytest.approx(0.5)
    assert whole.is_found


def patch(class_id: int, label_px: NDArray[np.float64] | None = BOX_PX) -> Patch:
    return Patch(np.zeros((4, 4, 3), np.uint8), BOX_PX, (1.0, 1.0), label_px, class_id)


def test_rare_classes_are_shown_more_often_than_they_come() -> None:
    shares = shares_by_class([patch(0)] * 16 + [patch(1)], 2)
    assert shares.sum() == pytest.approx(1.0)
    assert shares[16] / shares[:16].sum() == pytest.approx(1 / 4)


def test_a_box_that_fits_badly_counts_as_nothing() -> None:
    shares = shares_by_class([patch(0, BOX_PX + 1.5), patch(2, None), patch(1)], 2)
    assert shares[:2].sum() / shares[2] == pytest.approx(2**0.5)
    assert shares[0] == pytest.approx(shares[1])
