"""Items are lifted along their outlines, and vary only in what does not tell their class."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sorter.model.materials import CLASS_NAMES
from training.synthesis.items import VIEW_STRETCH_RATIO, Item, lifted_items, varied, with_other_hues
from training.synthesis.outlining import outline
from training.synthesis.pixels import recoloured, soiled_lens
from training.synthesis.scene import Scene

CAN, CLEAR = CLASS_NAMES.index("can"), CLASS_NAMES.index("pet_clear")
RED_BGR = (30, 30, 200)
KNOWN = np.ones(len(CLASS_NAMES), dtype=np.bool_)


def belt_with_disk(radius_px: int = 30) -> Scene:
    noise = np.random.default_rng(0).integers(-6, 7, (160, 160, 3))
    picture = np.clip(np.full((160, 160, 3), 70) + noise, 0, 255).astype(np.uint8)
    cv2.circle(picture, (80, 80), radius_px, RED_BGR, -1)
    box_px = np.array([[80.0 - radius_px, 80 - radius_px, 81 + radius_px, 81 + radius_px]])
    return Scene(picture, box_px, np.array([CAN]), KNOWN)


def test_the_outline_of_a_disk_is_a_disk() -> None:
    scene = belt_with_disk()
    mask = outline(scene.picture, scene.boxes_px[0])
    assert mask is not None
    rows, columns = np.mgrid[-30:31, -30:31]
    disk = rows**2 + columns**2 <= 30**2
    assert np.count_nonzero((mask > 127) != disk) < 0.1 * disk.sum()


def test_a_bare_belt_has_no_outline() -> None:
    assert outline(np.full((100, 100, 3), 70, np.uint8), np.array([20.0, 20, 60, 60])) is None


def test_an_outlined_item_is_lifted_without_its_surroundings() -> None:
    (item,) = lifted_items(belt_with_disk())
    assert item.solid
    assert item.sprite[0, 0, 3] == 0
    centre = item.sprite[item.sprite.shape[0] // 2, item.sprite.shape[1] // 2]
    assert centre.tolist() == [*RED_BGR, 255]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_varied_item_touches_all_four_borders(seed: int) -> None:
    sprite = np.zeros((50, 20, 4), np.uint8)
    sprite[...] = (*RED_BGR, 255)
    item = varied(Item(sprite, CAN, solid=True), CLASS_NAMES, np.random.default_rng(seed))
    visible = item.sprite[..., 3] > 30
    assert visible[0].any()
    assert visible[-1].any()
    assert visible[:, 0].any()
    assert visible[:, -1].any()


def test_an_item_keeps_its_true_shape_when_it_turns() -> None:
    """Twice as long as wide on the belt: across or along, the bounding box says so once the stretch is undone."""
    sprite = np.zeros((round(100 * VIEW_STRETCH_RATIO), 50, 4), np.uint8)
    sprite[...] = (*RED_BGR, 255)
    rng = np.random.default_rng(1)
    longest = []
    for _ in range(200):
        height_px, width_px = varied(Item(sprite, CLEAR, solid=True), CLASS_NAMES, rng).sprite.shape[:2]
        longest.append(max(height_px / VIEW_STRETCH_RATIO, width_px))
    diagonal_mm = np.hypot(100, 50) * 1.18 * 1.25
    assert max(longest) <= diagonal_mm + 3
    assert min(longest) >= 100 / 1.18 * 0.75 - 30


def test_an_item_without_an_outline_is_not_turned() -> None:
    sprite = np.full((40, 20, 4), 255, np.uint8)
    for seed in range(10):
        shape = varied(Item(sprite, CLEAR, solid=False), CLASS_NAMES, np.random.default_rng(seed)).sprite.shape
        assert shape[0] / shape[1] == pytest.approx(2.0, rel=0.1)


def test_hue_varies_only_where_it_says_nothing() -> None:
    sprite = np.zeros((20, 20, 4), np.uint8)
    sprite[...] = (*RED_BGR, 255)

    def hues(class_id: int) -> set[tuple[int, ...]]:
        rng = np.random.default_rng(0)
        varieties = [varied(Item(sprite, class_id, solid=False), CLASS_NAMES, rng).sprite for _ in range(12)]
        return {tuple(one[one.shape[0] // 2, one.shape[1] // 2, :3].tolist()) for one in varieties}

    assert len(hues(CLEAR)) == 1
    assert len(hues(CAN)) > 1


def test_a_scene_is_recoloured_inside_the_boxes_alone() -> None:
    scene = belt_with_disk()
    other = with_other_hues(scene, CLASS_NAMES, 1.0, np.random.default_rng(2))
    changed = (other.picture != scene.picture).any(axis=2)
    left, top, right, bottom = scene.boxes_px[0].astype(int)
    assert changed[top:bottom, left:right].any()
    changed[top:bottom, left:right] = False
    assert not changed.any()


def test_turning_the_hue_all_the_way_changes_little() -> None:
    colours = np.random.default_rng(0).integers(0, 256, (8, 8, 4), dtype=np.uint8)
    turned = recoloured(recoloured(colours, 70), 110)
    assert np.array_equal(turned[..., 3], colours[..., 3])
    assert np.abs(turned[..., :3].astype(int) - colours[..., :3]).max() <= 12


def test_dust_on_the_lens_leaves_a_picture() -> None:
    picture = np.full((64, 96, 3), 200, np.uint8)
    dusty = soiled_lens(picture, np.random.default_rng(1))
    assert dusty.shape == picture.shape
    assert np.count_nonzero(dusty != picture) > 0
    assert int(dusty.max()) <= 200
