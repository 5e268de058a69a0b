"""The simulated world: a pure function of belt travel, laid as the settings ask."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sorter.model.materials import CLASS_NAMES, MATERIALS
from sorter.model.settings import BeltSettings, CameraSettings, Settings, SimulationSettings
from sorter.model.world import ScatteredWorld, StripPicture, StripWorld, WorldItem

METRE_UM = 1_000_000


def line(seed: int = 1, width_mm: float = 1400.0, **simulation: object) -> Settings:
    return Settings(
        belt=BeltSettings(width_mm=width_mm),
        simulation=SimulationSettings(seed=seed, **simulation),  # type: ignore[arg-type]
    )


@given(
    seed=st.integers(0, 2**32 - 1),
    windows=st.lists(st.tuples(st.integers(-5, 60), st.integers(0, 8)), min_size=1, max_size=8),
)
@settings(max_examples=25)
def test_scattered_items_are_the_same_whatever_was_asked_in_which_windows(
    seed: int, windows: list[tuple[int, int]]
) -> None:
    world, whole = ScatteredWorld(line(seed)), ScatteredWorld(line(seed)).items_between(0, 70 * METRE_UM)
    for start, length in windows:
        # odd micrometres, so that windows end inside cells
        start_um, end_um = start * 1_000_003, (start + length) * 1_000_003
        assert world.items_between(start_um, end_um) == [item for item in whole if start_um <= item.belt_um < end_um]


def test_two_windows_side_by_side_hold_each_item_once() -> None:
    world = ScatteredWorld(line())
    edges_um = sorted({0, 20 * METRE_UM, *(item.belt_um for item in world.items_between(0, 20 * METRE_UM))})
    joined = [item for start, end in itertools.pairwise(edges_um) for item in world.items_between(start, end)]
    assert joined == world.items_between(0, 20 * METRE_UM)


def test_items_come_in_belt_order_and_each_has_its_own_number_and_looks() -> None:
    items = ScatteredWorld(line()).items_between(0, 100 * METRE_UM)
    assert [item.belt_um for item in items] == sorted(item.belt_um for item in items)
    assert len({item.item_id for item in items}) == len(items)
    assert len({item.appearance_seed for item in items}) > 0.99 * len(items)
    assert all(item.is_scored for item in items)


def test_another_seed_lays_another_belt() -> None:
    first, second = (ScatteredWorld(line(seed)).items_between(0, 10 * METRE_UM) for seed in (1, 2))
    assert not {item.belt_um for item in first} & {item.belt_um for item in second}


@given(
    seed=st.integers(0, 1000),
    occupancy_ratio=st.floats(0.005, 0.1),
    gap_mm=st.floats(0.0, 80.0),
    width_mm=st.floats(600.0, 2500.0),
)
@settings(max_examples=15)
def test_up_to_a_tenth_of_occupancy_no_two_items_are_closer_than_the_gap_and_all_lie_on_the_belt(
    seed: int, occupancy_ratio: float, gap_mm: float, width_mm: float
) -> None:
    world = ScatteredWorld(line(seed, width_mm, occupancy_ratio=occupancy_ratio, min_gap_mm=gap_mm))
    items = world.items_between(0, 16 * METRE_UM)
    for first, second in itertools.combinations(items, 2):
        across_um = abs(first.x_um - second.x_um) - (first.width_um + second.width_um) / 2
        along_um = abs(first.belt_um - second.belt_um) - (first.length_um + second.length_um) / 2
        assert max(across_um, along_um) >= gap_mm * 1000 - 3
    for item in items:
        assert item.x_um - item.width_um / 2 >= -2
        assert item.x_um + item.width_um / 2 <= width_mm * 1000 + 2


def area_mm2(item: WorldItem) -> float:
    """From mass, which is to the typical as the item's area is to the typical one."""
    material = MATERIALS[item.class_id]
    typical_mm2 = (sum(material.long_side_mm) / 2) ** 2 / (sum(material.aspect_ratio) / 2)
    return item.mass_g / material.mass_g * typical_mm2


@pytest.mark.parametrize("occupancy_ratio", [0.02, 0.05, 0.08, 0.1])
def test_items_cover_the_share_of_the_belt_that_is_asked_for(occupancy_ratio: float) -> None:
    shares = []
    for seed in range(4):
        items = ScatteredWorld(line(seed, occupancy_ratio=occupancy_ratio)).items_between(0, 100 * METRE_UM)
        shares.append(sum(area_mm2(item) for item in items) / (1400.0 * 100_000.0))
    assert np.mean(shares) == pytest.approx(occupancy_ratio, rel=0.12)


def test_an_item_s_box_encloses_its_turned_shape_within_the_material_s_measures() -> None:
    for item in ScatteredWorld(line()).items_between(0, 100 * METRE_UM):
        cosine, sine = abs(math.cos(item.rotation_rad)), abs(math.sin(item.rotation_rad))
        if abs(cosine - sine) < 0.2:
            continue  # the two sides cannot be told apart at 45°
        # width = short·cos + long·sin, length = long·cos + short·sin, solved for the sides
        turned = np.array([[cosine, sine], [sine, cosine]])
        short_mm, long_mm = np.linalg.solve(turned, [item.width_um / 1000, item.length_um / 1000])
        material = MATERIALS[item.class_id]
        assert material.long_side_mm[0] - 0.1 <= long_mm <= material.long_side_mm[1] + 0.1
        assert material.aspect_ratio[0] - 0.01 <= long_mm / short_mm <= material.aspect_ratio[1] + 0.01


def test_the_mix_says_which_classes_lie_there_and_how_often() -> None:
    items = ScatteredWorld(line(mix={"can": 3.0, "hdpe": 1.0})).items_between(0, 200 * METRE_UM)
    names = [CLASS_NAMES[item.class_id] for item in items]
    assert set(names) == {"can", "hdpe"}
    assert names.count("can") / len(names) == pytest.approx(0.75, abs=0.03)
    unmixed = ScatteredWorld(line()).items_between(0, 200 * METRE_UM)
    assert {item.class_id for item in unmixed} == set(range(len(CLASS_NAMES)))


@pytest.mark.parametrize(("width_mm", "gap_mm"), [(200.0, 40.0), (1400.0, 600.0), (1400.0, 1000.0), (50.0, 0.0)])
def test_what_has_no_room_is_left_out(width_mm: float, gap_mm: float) -> None:
    world = ScatteredWorld(line(width_mm=width_mm, min_gap_mm=gap_mm))
    items = world.items_between(0, 40 * METRE_UM)
    assert items == [
        item for start in range(0, 40 * METRE_UM, 100_000) for item in world.items_between(start, start + 100_000)
    ]
    assert all(item.width_um / 1000 + gap_mm <= width_mm + 0.1 for item in items)


# --- belt strips ------------------------------------------------------------------------------------------------------

CAMERA = CameraSettings(view_width_mm=1000.0, view_length_mm=500.0)
PLACE_UM = 500_000


def strip_of(*pictures: list[tuple[float, float, float, float]], seed: int = 1) -> StripWorld:
    laid = [
        StripPicture(np.array(boxes, np.float64).reshape(-1, 4), np.full(len(boxes), number % 9))
        for number, boxes in enumerate(pictures)
    ]
    return StripWorld(laid, Settings(camera=CAMERA, simulation=SimulationSettings(seed=seed)))


@given(count=st.integers(1, 12), seed=st.integers(0, 10**6), lap=st.integers(0, 50))
def test_each_lap_of_a_strip_shows_every_picture_once(count: int, seed: int, lap: int) -> None:
    world = strip_of(*[[] for _ in range(count)], seed=seed)
    first = 1 + lap * count
    assert sorted(world.picture_index_at(place) for place in range(first, first + count)) == list(range(count))
    assert world.lap_um == count * PLACE_UM


def test_laps_differ_in_order_and_the_same_seed_gives_the_same_laps() -> None:
    world, again = (strip_of(*[[] for _ in range(20)]) for _ in range(2))
    laps = [[world.picture_index_at(1 + lap * 20 + place) for place in range(20)] for lap in range(3)]
    assert laps[0] != laps[1] != laps[2]
    assert [again.picture_index_at(place) for place in range(1, 61)] == [*laps[0], *laps[1], *laps[2]]
    assert 0 <= world.picture_index_at(0) < 20


def test_an_item_of_a_strip_lies_where_its_label_says() -> None:
    """The first row is upstream: a box near the top of the picture has the higher belt coordinate."""
    (item,) = strip_of([(0.25, 0.2, 0.1, 0.3)]).items_between(3 * PLACE_UM, 4 * PLACE_UM)
    assert (item.x_um, item.width_um, item.length_um) == (250_000, 100_000, 150_000)
    assert item.belt_um == 3 * PLACE_UM + 400_000


@pytest.mark.parametrize(
    ("centre_y", "height", "is_scored"),
    [(0.5, 0.9, True), (0.1, 0.18, True), (0.1, 0.2, False), (0.9, 0.2, False), (0.9, 0.18, True), (0.5, 1.0, False)],
)
def test_an_item_that_a_seam_cuts_is_there_but_not_scored(centre_y: float, height: float, is_scored: bool) -> None:
    (item,) = strip_of([(0.5, centre_y, 0.1, height)]).items_between(PLACE_UM, 2 * PLACE_UM)
    assert item.is_scored == is_scored


shares = st.floats(0.05, 0.95)


@given(
    pictures=st.lists(st.lists(st.tuples(shares, shares, shares, shares), max_size=4), min_size=1, max_size=5),
    start_um=st.integers(-1_000_000, 5_000_000),
    length_um=st.integers(0, 3_000_000),
)
def test_windows_of_a_strip_hold_what_lies_between_their_ends_in_belt_order(
    pictures: list[list[tuple[float, float, float, float]]], start_um: int, length_um: int
) -> None:
    world, end_um = strip_of(*pictures), start_um + length_um
    whole = strip_of(*pictures).items_between(0, 9_000_000)
    found = world.items_between(start_um, end_um)
    assert found == [item for item in whole if start_um <= item.belt_um < end_um]
    assert [item.belt_um for item in found] == sorted(item.belt_um for item in found)
    assert len({item.item_id for item in whole}) == len(whole)


def test_a_lap_holds_every_label_once_with_its_class() -> None:
    world = strip_of([(0.5, 0.5, 0.1, 0.1)] * 2, [], [(0.2, 0.4, 0.1, 0.1)] * 3)
    items = world.items_between(PLACE_UM, PLACE_UM + world.lap_um)
    assert sorted(item.class_id for item in items) == [0, 0, 2, 2, 2]
