"""Deciding anew on items that have passed, and laying a decision open: the same arithmetic as the decision's own."""

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sorter.model.ejection import DecisionReason
from sorter.model.settings import RecipeSettings, StationSettings
from sorter.model.units import mm_to_um
from sorter.policy.decision import BeltItem, decide
from sorter.policy.explaining import shot_worths
from sorter.policy.replay import replay

RECIPE = RecipeSettings(
    classes=("can", "pet"),
    stations=(
        StationSettings(id="cans", offset_mm=700.0, targets=("can",), purity_target=0.6),
        StationSettings(id="pets", offset_mm=1100.0, targets=("pet",), purity_target=0.6),
    ),
    min_decision_views=1,
    # everything that is of no class counts as an impurity, so that an expected purity is a share of items
    unlisted_item_ratio=1.0,
)
ITEMS = st.builds(
    lambda number, x, belt, can, rest: BeltItem(
        number, mm_to_um(x), mm_to_um(belt), 80_000, 80_000, np.array([can, (1 - can) * rest]), 3
    ),
    st.integers(0, 10**6),
    st.floats(0, 1390),
    st.floats(0, 3000),
    st.floats(0, 1),
    st.floats(0, 1),
)


def item(number: int, can: float, belt_mm: float) -> BeltItem:
    return BeltItem(number, mm_to_um(500), mm_to_um(belt_mm), 80_000, 80_000, np.array([can, 1 - can]), 3)


def stricter(purity_target: float) -> RecipeSettings:
    stations = tuple(msgspec.structs.replace(one, purity_target=purity_target) for one in RECIPE.stations)
    return msgspec.structs.replace(RECIPE, stations=stations)


def test_items_apart_are_taken_by_their_station() -> None:
    effects = replay([[item(1, 0.9, 0), item(2, 0.8, 1000), item(3, 0.1, 2000)]], RECIPE)
    assert (effects["cans"].ejected_count, effects["pets"].ejected_count) == (2, 1)
    assert effects["cans"].purity == (0.9 + 0.8) / 2
    assert effects["cans"].recovery == (0.9 + 0.8) / (0.9 + 0.8 + 0.1)


def test_stretches_do_not_see_each_other() -> None:
    beside = item(2, 0.01, 0)
    together, apart = replay([[item(1, 0.7, 0), beside]], RECIPE), replay([[item(1, 0.7, 0)], [beside]], RECIPE)
    assert together["cans"].ejected_count < apart["cans"].ejected_count


def test_nothing_that_passed_is_no_purity() -> None:
    effect = replay([], RECIPE)["cans"]
    assert (effect.purity, effect.recovery) == (None, None)


@given(st.lists(ITEMS, max_size=12, unique_by=lambda one: one.track_id))
def test_a_stricter_purity_target_never_expects_a_purity_below_it(items: list[BeltItem]) -> None:
    lone = [[one] for one in items]
    for purity_target in (0.6, 0.9):
        for effect in replay(lone, stricter(purity_target)).values():
            assert effect.purity is None or effect.purity >= purity_target - 1e-9
    loose, strict = replay(lone, stricter(0.6)), replay(lone, stricter(0.9))
    assert all(strict[key].ejected_count <= loose[key].ejected_count for key in loose)


@given(st.lists(ITEMS, min_size=1, max_size=8, unique_by=lambda one: one.track_id))
def test_an_item_is_ejected_where_what_is_laid_open_is_worth_most_and_above_zero(items: list[BeltItem]) -> None:
    first, *others = items
    verdict, worths = decide(first, others, RECIPE), shot_worths(first, others, RECIPE)
    gainful = {one.station_id: one.with_neighbours for one in worths if one.reaches and one.alone > 0}
    best = max(gainful, key=gainful.__getitem__, default=None)
    if best is not None and gainful[best] > 0:
        assert verdict.reason is DecisionReason.EJECT
        assert gainful[verdict.station.id] == gainful[best]
    else:
        assert verdict.station is None
