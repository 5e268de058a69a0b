"""Overlap of boxes: nothing for items apart, all for one below another, never more than all."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sorter.policy.decision import BeltItem
from sorter.policy.overlap import overlap_ratio


def item(x_um: int, belt_um: int, width_um: int = 100, length_um: int = 200) -> BeltItem:
    return BeltItem(1, x_um, belt_um, width_um, length_um, np.zeros(2), 3)


def test_items_apart_do_not_overlap() -> None:
    assert overlap_ratio(item(0, 0), [item(100, 0), item(0, 250)]) == 0.0
    assert overlap_ratio(item(0, 0), []) == 0.0


def test_half_of_a_box_is_half() -> None:
    assert overlap_ratio(item(0, 0), [item(50, 0)]) == 0.5
    assert overlap_ratio(item(0, 0), [item(0, 100)]) == 0.5


def test_a_small_item_within_a_large_one_is_covered_wholly_the_large_one_in_part() -> None:
    small, large = item(0, 0, 10, 20), item(0, 0)
    assert overlap_ratio(small, [large]) == 1.0
    assert overlap_ratio(large, [small]) == 0.01


@given(st.lists(st.builds(item, st.integers(-300, 300), st.integers(-300, 300), st.integers(0, 400)), max_size=6))
def test_it_is_a_share(others: list[BeltItem]) -> None:
    assert 0.0 <= overlap_ratio(item(0, 0), others) <= 1.0
    assert overlap_ratio(item(0, 0, width_um=0), others) == 0.0
