"""Labels stay exact under every move of the picture."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from training.synthesis.scene import (
    Scene,
    clipped,
    moved,
    moved_boxes,
    quarter_turn,
    scaling,
    shift,
    tiled,
)

HEIGHT_PX, WIDTH_PX = 24, 40
whole_px = st.integers


@st.composite
def marked_scenes(draw: st.DrawFn) -> Scene:
    """A black picture with one bright rectangle and the box round it."""
    left, top = draw(st.integers(0, WIDTH_PX - 3)), draw(st.integers(0, HEIGHT_PX - 3))
    right, bottom = draw(st.integers(left + 2, WIDTH_PX)), draw(st.integers(top + 2, HEIGHT_PX))
    picture = np.zeros((HEIGHT_PX, WIDTH_PX, 3), np.uint8)
    picture[top:bottom, left:right] = 200
    boxes_px = np.array([[left, top, right, bottom]], dtype=np.float64)
    return Scene(picture, boxes_px, np.array([3]), np.ones(9, dtype=np.bool_))


def bright_box_px(picture: np.ndarray) -> list[float]:
    rows, columns = np.nonzero(picture[..., 0] == 200)
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


@given(marked_scenes())
@settings(max_examples=60, deadline=None)
def test_a_warp_that_mirrors_moves_the_box_with_the_pixels(scene: Scene) -> None:
    across, along = shift(WIDTH_PX, 0) @ scaling(-1, 1), shift(0, HEIGHT_PX) @ scaling(1, -1)
    for mirror, picture in ((across, scene.picture[:, ::-1]), (along, scene.picture[::-1])):
        warped = moved(scene, mirror, HEIGHT_PX, WIDTH_PX)
        assert np.array_equal(warped.picture, picture)
        assert np.allclose(warped.boxes_px[0], bright_box_px(warped.picture))


@given(marked_scenes())
@settings(max_examples=60, deadline=None)
def test_a_quarter_turn_swaps_across_and_along_exactly(scene: Scene) -> None:
    turned = moved(scene, quarter_turn(), WIDTH_PX, HEIGHT_PX)
    assert np.array_equal(turned.picture, scene.picture.transpose(1, 0, 2))
    assert turned.boxes_px[0].tolist() == bright_box_px(turned.picture)


@given(marked_scenes(), st.integers(2, 3))
@settings(max_examples=30, deadline=None)
def test_scaling_scales_the_box_with_the_pixels(scene: Scene, factor: int) -> None:
    larger = moved(scene, scaling(factor, factor), factor * HEIGHT_PX, factor * WIDTH_PX)
    lit = larger.picture[..., 0] > 100
    rows, columns = np.nonzero(lit)
    found = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    assert np.abs(np.array(found) - larger.boxes_px[0]).max() <= 1


def test_boxes_survive_a_move_and_its_inverse() -> None:
    boxes_px = np.array([[1.5, 2.0, 7.25, 9.0], [0.0, 0.0, 4.0, 4.0]])
    there = shift(3, -5) @ scaling(-2, 0.5) @ quarter_turn()
    assert np.allclose(moved_boxes(moved_boxes(boxes_px, there), np.linalg.inv(there)), boxes_px)


def test_an_item_mostly_outside_is_no_longer_named() -> None:
    boxes_px = np.array([[-8.0, 0, 2, 10], [-2.0, 0, 8, 10]])
    scene = Scene(np.zeros((20, 20, 3), np.uint8), boxes_px, np.array([1, 2]), np.ones(9, dtype=np.bool_))
    kept = clipped(scene)
    assert kept.class_ids.tolist() == [2]
    assert kept.boxes_px.tolist() == [[0.0, 0.0, 8.0, 10.0]]


def test_tiles_lie_round_the_point_and_know_only_what_all_know() -> None:
    def tile(height_px: int, width_px: int, class_id: int, known: list[bool]) -> Scene:
        box_px = np.array([[0.0, 0.0, 2.0, 2.0]])
        picture = np.full((height_px, width_px, 3), class_id, np.uint8)
        return Scene(picture, box_px, np.array([class_id]), np.array(known))

    whole = tiled(
        [tile(4, 6, 0, [True, True]), tile(4, 2, 1, [True, False]), tile(3, 6, 0, [True, True]),
         tile(3, 2, 1, [True, True])], column_px=6, row_px=4,
    )  # fmt: skip
    assert whole.picture.shape == (7, 8, 3)
    assert whole.boxes_px[:, :2].tolist() == [[0, 0], [6, 0], [0, 4], [6, 4]]
    assert [int(whole.picture[int(y), int(x), 0]) for x, y in whole.boxes_px[:, :2]] == [0, 1, 0, 1]
    assert whole.known.tolist() == [True, False]
