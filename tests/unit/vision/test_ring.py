"""The ring of picture buffers."""

import numpy as np
import pytest

from vision.ring import FrameRing


def test_slots_come_round_in_turn_and_are_never_allocated_anew() -> None:
    ring = FrameRing(3, 4, 5)
    slots = [ring.next_slot() for _ in range(7)]
    assert slots[0].shape == (4, 5, 3)
    assert slots[0].dtype == np.uint8
    assert slots[3] is slots[0]
    assert slots[6] is slots[0]
    assert slots[4] is slots[1]
    assert ring.slot_count == 3
    assert ring.handed_out_count == 7


def test_what_one_slot_holds_is_left_alone_by_the_others() -> None:
    ring = FrameRing(2, 2, 2)
    first, second = ring.next_slot(), ring.next_slot()
    first[:] = 7
    second[:] = 9
    assert (first == 7).all()


@pytest.mark.parametrize("sizes", [(0, 2, 2), (2, 0, 2), (2, 2, -1)])
def test_a_ring_that_holds_nothing_is_refused(sizes: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="holds nothing"):
        FrameRing(*sizes)
