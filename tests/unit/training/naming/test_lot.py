"""What the second look is shown, and what it is told that it sees."""

import numpy as np
import pytest
from numpy.typing import NDArray

from training.naming.lot import ItemLot
from training.naming.patches import Patch
from vision.second_look.cutting import Framing

SIDE_PX = 40
FRAMING = Framing(1.2, 0.5, 0.15)
BOX_PX = np.array([20.0, 24.0, 60.0, 56.0])


def patches(label_px: NDArray[np.float64] | None = BOX_PX, *, is_found: bool = False) -> list[Patch]:
    rng = np.random.default_rng(0)
    return [
        Patch(
            rng.integers(0, 256, (80, 80, 3), dtype=np.uint8), BOX_PX, (1.0, 1.0), label_px, number, is_found=is_found
        )
        for number in range(3)
    ]


def test_examples_are_a_function_of_their_number() -> None:
    first, again = (ItemLot([(1.0, patches()), (0.5, [])], 3, SIDE_PX, FRAMING, seed=7) for _ in range(2))
    for index in range(8):
        (picture, names), (other, other_names) = first.example(index), again.example(index)
        assert picture.shape == (SIDE_PX, SIDE_PX, 3)
        np.testing.assert_array_equal(names, other_names)
        np.testing.assert_array_equal(picture, other)
    assert len({int(names.argmax()) for _, names in map(first.example, range(40))}) == 3


def test_an_item_that_the_box_fits_is_of_its_class() -> None:
    lot = ItemLot([(1.0, patches())], 3, SIDE_PX, FRAMING, seed=7)
    names = np.array([lot.example(index)[1] for index in range(100)])
    assert names.dtype == np.float32
    assert names.sum(axis=1) == pytest.approx(np.ones(100))
    assert (names[:, :3].max(axis=1) > 0.5).mean() > 0.95


def test_the_worse_a_box_fits_the_more_it_is_nothing() -> None:
    shares = []
    for shift_px in (2.0, 12.0, 20.0, 60.0):
        label_px = BOX_PX + np.array([shift_px, 0.0, shift_px, 0.0])
        lot = ItemLot([(1.0, patches(label_px, is_found=True))], 3, SIDE_PX, FRAMING, seed=7)
        shares.append(float(np.mean([lot.example(index)[1][-1] for index in range(100)])))
    assert shares == sorted(shares)
    assert shares[0] < 0.05
    assert 0.1 < shares[1] < 0.9
    assert shares[3] == pytest.approx(1.0)


def test_a_box_on_nothing_is_nothing() -> None:
    nothing = [Patch(np.zeros((80, 80, 3), np.uint8), BOX_PX, (1.0, 1.0), None, 3)]
    _, names = ItemLot([(1.0, nothing)], 3, SIDE_PX, FRAMING, seed=7).example(0)
    assert names.tolist() == [0.0, 0.0, 0.0, 1.0]
