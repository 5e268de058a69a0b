"""Two forms that see the same have no difference; what moves, fades or goes missing is told apart."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.release.parity import (
    TOLERANCES,
    Seen,
    Tolerance,
    difference_of,
    pairs_of,
    seen_in,
    spread_of,
)
from vision.frame import Detections

NAMES = ("can", "glass")
STRICT = Tolerance(0.5, 0.01, 0.0)


def seen(count: int, seed: int = 0, probability: float = 0.9) -> Seen:
    """Items that lie apart, the classes taking turns."""
    corners = np.stack([np.arange(count) * 50.0, np.zeros(count)], axis=1)
    sizes = np.random.default_rng(seed).uniform(20, 40, (count, 2))
    probabilities = np.full((count, 2), 0.05)
    probabilities[np.arange(count), np.arange(count) % 2] = probability
    return Seen(np.concatenate([corners, corners + sizes], axis=1), probabilities)


@given(count=st.integers(0, 12), seed=st.integers(0, 99), order=st.randoms(use_true_random=False))
def test_the_same_items_in_any_order_are_no_difference(count: int, seed: int, order: Random) -> None:
    reference = seen(count, seed)
    places = list(range(count))
    order.shuffle(places)
    other = Seen(reference.boxes_px[places], reference.probabilities[places])
    found = difference_of([pairs_of(reference, other, 0.5)], NAMES, STRICT)
    assert (found.box_px.largest, found.probability.largest, found.alone_ratio) == (0.0, 0.0, 0.0)
    assert found.excess == ()
    assert found.sure_count == 2 * count


@given(move_px=st.floats(0, 5), fade=st.floats(0, 0.3))
def test_what_moves_and_fades_is_measured(move_px: float, fade: float) -> None:
    reference = seen(4)
    other = Seen(
        reference.boxes_px + np.array([0, 0, 0, move_px]),
        reference.probabilities - fade * (reference.probabilities > 0.5),
    )
    found = difference_of([pairs_of(reference, other, 0.5)], NAMES, STRICT)
    assert found.box_px.p50 == pytest.approx(move_px)
    assert found.class_probability["can"].largest == pytest.approx(fade)
    assert bool(found.excess) == (move_px > 0.5 or found.probability.p99 > 0.01)


def test_what_only_one_has_found_stands_alone() -> None:
    reference = seen(5)
    other = Seen(reference.boxes_px[1:], reference.probabilities[1:])
    for first, second in ((reference, other), (other, reference)):
        found = difference_of([pairs_of(first, second, 0.5)], NAMES, STRICT)
        assert found.alone_ratio == pytest.approx(1 / 9)
        assert any("without a partner" in sentence for sentence in found.excess)


def test_an_item_that_falls_below_the_threshold_is_a_difference_in_probability() -> None:
    reference, other = seen(1, probability=0.55), seen(1, probability=0.45)
    found = pairs_of(reference, other, 0.5)
    assert found.only_reference_count == 0
    assert found.probability == pytest.approx([0.1])


def test_two_items_cannot_share_a_partner() -> None:
    boxes_px = np.array([[0.0, 0, 10, 10], [0, 0, 10, 11]])
    probabilities = np.array([[0.9, 0.0], [0.8, 0.0]])
    found = pairs_of(Seen(boxes_px, probabilities), Seen(boxes_px[:1], probabilities[:1]), 0.5)
    assert (found.only_reference_count, found.only_other_count) == (1, 0)


def test_nothing_at_all_is_no_difference() -> None:
    found = difference_of([pairs_of(seen(0), seen(0), 0.5)], NAMES, TOLERANCES["f32"])
    assert (found.sure_count, found.alone_ratio, found.class_probability, found.excess) == (0, 0.0, {}, ())
    assert spread_of(np.empty(0)).largest == 0.0


def test_probabilities_are_calibrated_per_class() -> None:
    found = Detections(np.zeros((1, 4), np.float32), np.array([[0.5, 0.5]], np.float32))
    assert seen_in(found, np.ones(2), np.array([0.0, 2.0])).probabilities[0] == pytest.approx(
        [0.5, 1 / (1 + np.exp(-2))]
    )
