"""Every laid item is labelled exactly, and a seed decides everything."""

import numpy as np
import pytest

from sorter.model.materials import CLASS_NAMES
from training.data.datasets import TrainingSet
from training.synthesis.items import Item, drawn_item, lifted_items, varied
from training.synthesis.laying import belt_scene, laid, with_items
from training.synthesis.mixture import Mixture, Recipe, fill_stock
from training.synthesis.scene import Scene
from vision.boxes import intersections
from vision.sprites.artist import DrawnSprites

SIZE_PX = 128
SMALL = Recipe(belt_count=2, drawn_per_class=2)


def empty_scene() -> Scene:
    picture = np.zeros((60, 80, 3), np.uint8)
    return Scene(picture, np.zeros((0, 4)), np.zeros(0, dtype=np.int64), np.ones(9, dtype=np.bool_))


def flat_item(height_px: int, width_px: int, class_id: int = 4) -> Item:
    return Item(np.full((height_px, width_px, 4), 255, np.uint8), class_id, solid=False)


def test_the_label_is_where_the_pixels_changed() -> None:
    scene = laid(empty_scene(), flat_item(10, 20), top_px=7, left_px=31)
    rows, columns = np.nonzero(scene.picture[..., 0])
    assert scene.boxes_px.tolist() == [[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]]
    assert scene.class_ids.tolist() == [4]


def test_laying_leaves_the_given_scene_alone() -> None:
    scene = empty_scene()
    laid(scene, flat_item(10, 20), 0, 0)
    assert not scene.picture.any()


def test_an_item_over_the_edge_is_labelled_as_far_as_it_is_seen() -> None:
    scene = laid(empty_scene(), flat_item(10, 20), top_px=-4, left_px=70)
    assert scene.boxes_px.tolist() == [[70.0, 0.0, 80.0, 6.0]]


def test_items_do_not_cover_each_other_where_none_may() -> None:
    rng = np.random.default_rng(1)
    scene = belt_scene(np.zeros((200, 200, 3), np.uint8), [flat_item(30, 30)] * 12, 9, 0.0, rng)
    common = intersections(scene.boxes_px, scene.boxes_px)
    assert len(scene.boxes_px) > 4
    assert np.count_nonzero(common) == len(scene.boxes_px)


def test_an_item_without_a_place_is_left_out() -> None:
    crowded = laid(empty_scene(), flat_item(60, 80), 0, 0)
    assert len(with_items(crowded, [flat_item(20, 20)], 0.0, np.random.default_rng(0)).class_ids) == 1


@pytest.mark.parametrize("class_id", range(len(CLASS_NAMES)))
def test_a_drawn_item_fills_its_box(class_id: int) -> None:
    item = drawn_item(DrawnSprites(), CLASS_NAMES, class_id, 256, np.random.default_rng(class_id))
    visible = item.sprite[..., 3] > 40
    assert visible[0].any()
    assert visible[-1].any()
    assert visible[:, 0].any()
    assert visible[:, -1].any()


def test_lifted_items_are_whole_and_uncovered() -> None:
    boxes_px = np.array([[0.0, 5, 10, 15], [20, 20, 40, 40], [25, 25, 45, 45], [50, 10, 70, 30]])
    picture = np.full((60, 80, 3), 90, np.uint8)
    scene = Scene(picture, boxes_px, np.array([0, 1, 2, 3]), np.ones(9, dtype=np.bool_))
    assert [item.class_id for item in lifted_items(scene)] == [3]


def test_a_varied_item_keeps_its_class() -> None:
    item = varied(flat_item(20, 30, class_id=7), CLASS_NAMES, np.random.default_rng(3))
    assert item.class_id == 7
    assert item.sprite.shape[2] == 4


def belts(seed: int) -> Mixture:
    stock = fill_stock((), [DrawnSprites()], CLASS_NAMES, SMALL, SIZE_PX, seed)
    return Mixture((), stock, Recipe(belt_ratio=1.0), SIZE_PX, seed)


def real_set() -> TrainingSet:
    picture = np.random.default_rng(0).integers(0, 256, (SIZE_PX, SIZE_PX, 3), dtype=np.uint8)
    scene = Scene(picture, np.array([[40.0, 40, 70, 80]]), np.array([2]), np.arange(9) < 7)
    return TrainingSet("real", (scene,), np.ones(1), 1.0, 7)


def test_the_same_seed_gives_the_same_pictures_in_any_order() -> None:
    first, second = belts(5), belts(5)
    forwards = [first.scene(index) for index in range(4)]
    backwards = [second.scene(index) for index in reversed(range(4))][::-1]
    for one, other in zip(forwards, backwards, strict=True):
        assert np.array_equal(one.picture, other.picture)
        assert np.array_equal(one.boxes_px, other.boxes_px)
        assert np.array_equal(one.class_ids, other.class_ids)


def test_another_seed_gives_other_pictures() -> None:
    assert not np.array_equal(belts(5).scene(0).picture, belts(6).scene(0).picture)


def test_what_is_known_follows_the_source() -> None:
    stock = fill_stock([real_set()], [DrawnSprites()], CLASS_NAMES, SMALL, SIZE_PX, 0)
    mixture = Mixture([real_set()], stock, Recipe(belt_ratio=0.5), SIZE_PX, 0)
    known_counts = {int(mixture.scene(index).known.sum()) for index in range(12)}
    assert known_counts == {7, 9}


def test_labels_of_the_mixture_lie_inside_the_picture() -> None:
    stock = fill_stock([real_set()], [DrawnSprites()], CLASS_NAMES, SMALL, SIZE_PX, 0)
    mixture = Mixture([real_set()], stock, Recipe(), SIZE_PX, 0)
    for index in range(20):
        scene = mixture.scene(index)
        assert scene.picture.shape == (SIZE_PX, SIZE_PX, 3)
        assert ((scene.boxes_px >= 0) & (scene.boxes_px <= SIZE_PX)).all()
        assert (scene.boxes_px[:, 2:] > scene.boxes_px[:, :2]).all()


def test_other_folders_lend_at_most_as_many_items_as_the_richest_has() -> None:
    real, more = real_set(), real_set()
    lent = TrainingSet("cans", more.scenes * 5, np.full(5, 0.2), 0.5, 1)
    items = fill_stock([real, lent], [], CLASS_NAMES, SMALL, SIZE_PX, 0).lifted
    assert [len(one) for one in items] == [0, 0, 2, 0, 0, 0, 0, 0, 0]
    assert [item.sprite.shape[:2] for item in items[2]] == [(40, 30), (20, 15)]
