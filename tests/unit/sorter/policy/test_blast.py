"""Blast zones: which nozzles, which stretch of belt, and what a shot is worth."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.model.settings import StationSettings
from sorter.policy.blast import BlastZone, Candidate, blast_zone, expected_value

centres_um = st.integers(-200_000, 2_000_000)
belts_um = st.integers(-1_000_000, 10**12)
extents_um = st.integers(0, 900_000)


@st.composite
def stations(draw: st.DrawFn) -> StationSettings:
    return StationSettings(
        id="one",
        offset_mm=700.0,
        targets=("can",),
        nozzle_count=draw(st.integers(1, 200)),
        nozzle_pitch_mm=draw(st.floats(1.0, 60.0)),
        first_nozzle_at_mm=draw(st.floats(-500.0, 500.0)),
        blast_ratio=draw(st.floats(0.05, 0.95)),
        min_blast_mm=draw(st.floats(1.0, 120.0)),
    )


def station(**keys: float) -> StationSettings:
    given_keys = {"nozzle_count": 10, "nozzle_pitch_mm": 10.0, "blast_ratio": 0.5, "min_blast_mm": 4.0} | keys
    return StationSettings(id="one", offset_mm=700.0, targets=("can",), **given_keys)  # type: ignore[arg-type]


@given(x_um=centres_um, belt_um=belts_um, width_um=extents_um, length_um=extents_um, bar=stations())
def test_a_zone_covers_the_item_s_own_centre_and_opens_nozzles_that_exist(
    x_um: int, belt_um: int, width_um: int, length_um: int, bar: StationSettings
) -> None:
    zone = blast_zone(x_um, belt_um, width_um, length_um, bar)
    pitch_um, origin_um = round(bar.nozzle_pitch_mm * 1000), round(bar.first_nozzle_at_mm * 1000)
    is_on_bar = origin_um <= x_um < origin_um + bar.nozzle_count * pitch_um
    assert (zone is not None) == is_on_bar
    if zone is not None:
        assert zone.covers(x_um, belt_um)
        assert 0 <= zone.first_nozzle <= zone.last_nozzle < bar.nozzle_count
        assert zone.x_low_um == origin_um + zone.first_nozzle * pitch_um
        assert zone.x_high_um == origin_um + (zone.last_nozzle + 1) * pitch_um


@given(x_um=centres_um, belt_um=belts_um, width_um=extents_um, length_um=extents_um, bar=stations())
def test_a_zone_is_never_shorter_than_the_least_blast_nor_much_longer_than_the_item_asks(
    x_um: int, belt_um: int, width_um: int, length_um: int, bar: StationSettings
) -> None:
    zone = blast_zone(x_um, belt_um, width_um, length_um, bar)
    if zone is not None:
        wanted_um = max(length_um * bar.blast_ratio, bar.min_blast_mm * 1000)
        assert zone.belt_high_um - zone.belt_low_um == pytest.approx(wanted_um, abs=2)
        assert zone.belt_low_um + zone.belt_high_um == 2 * belt_um


def test_the_jet_covers_the_given_share_of_the_item_around_its_centre() -> None:
    zone = blast_zone(50_000, 1_000_000, 40_000, 80_000, station())
    assert zone == BlastZone(4, 6, 40_000, 70_000, 980_000, 1_020_000)


def test_the_least_blast_widens_a_small_item_s_zone_both_ways() -> None:
    zone = blast_zone(55_000, 1_000_000, 10_000, 10_000, station(min_blast_mm=40.0))
    assert zone == BlastZone(3, 7, 30_000, 80_000, 980_000, 1_020_000)


def test_a_zone_ends_where_the_bar_ends() -> None:
    left = blast_zone(1_000, 0, 90_000, 40_000, station())
    right = blast_zone(99_000, 0, 90_000, 40_000, station())
    assert left is not None
    assert right is not None
    assert (left.first_nozzle, left.last_nozzle) == (0, 2)
    assert (right.first_nozzle, right.last_nozzle) == (7, 9)


@pytest.mark.parametrize(("x_um", "is_reached"), [(-1, False), (0, True), (99_999, True), (100_000, False)])
def test_an_item_whose_centre_is_off_the_bar_has_no_zone(x_um: int, is_reached: bool) -> None:
    assert (blast_zone(x_um, 0, 60_000, 60_000, station()) is not None) == is_reached


def test_the_bar_is_counted_from_its_first_nozzle() -> None:
    zone = blast_zone(255_000, 0, 1_000, 1_000, station(first_nozzle_at_mm=200.0))
    assert zone is not None
    assert (zone.first_nozzle, zone.last_nozzle) == (5, 5)


def test_low_edges_belong_to_the_zone_and_high_edges_do_not() -> None:
    zone = BlastZone(0, 0, 10, 20, 100, 200)
    assert zone.covers(10, 100)
    assert zone.covers(19, 199)
    assert not zone.covers(20, 150)
    assert not zone.covers(15, 200)
    assert not zone.covers(9, 150)
    assert not zone.covers(15, 99)


@given(
    probabilities=st.lists(st.floats(0.0, 1.0), max_size=6),
    cost=st.floats(0.0, 100.0),
    dearer=st.floats(0.0, 100.0),
)
def test_a_dearer_non_target_never_makes_a_shot_worth_more(
    probabilities: list[float], cost: float, dearer: float
) -> None:
    items = [Candidate(0, 0, probability, 1.0 - probability) for probability in probabilities]
    assert expected_value(items, cost + dearer) <= expected_value(items, cost) + 1e-9


@given(purity=st.floats(0.05, 0.95))
def test_a_shot_breaks_even_where_its_share_of_targets_is_the_purity_target(purity: float) -> None:
    cost = purity / (1.0 - purity)
    assert expected_value([Candidate(0, 0, purity, 1.0 - purity)], cost) == pytest.approx(0.0, abs=1e-9)
    assert expected_value([Candidate(0, 0, purity + 0.01, 0.99 - purity)], cost) > 0.0
    assert expected_value([Candidate(0, 0, purity - 0.01, 1.01 - purity)], cost) < 0.0


def test_worth_adds_up_over_all_items_taken_along() -> None:
    items = [Candidate(0, 0, 1.0, 0.0), Candidate(0, 0, 0.5, 0.5), Candidate(0, 0, 0.0, 1.0)]
    assert expected_value(items, 2.0) == pytest.approx(1.0 + (0.5 - 1.0) - 2.0)
    assert expected_value([], 2.0) == 0.0
