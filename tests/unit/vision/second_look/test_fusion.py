"""Properties of what both networks say together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from vision.second_look.fusion import fused

RATIOS = st.floats(0.0, 1.0)
SHARES = st.floats(0.0, 1.0, width=32)


def tables(count: int = 4) -> st.SearchStrategy[NDArray[np.float32]]:
    return arrays(np.float32, (count, 3), elements=SHARES)


@given(tables(), tables(), RATIOS)
def test_the_result_is_float32_in_0_to_1_and_no_surer_than_the_first_network(
    class_probs: NDArray[np.float32], names: NDArray[np.float32], ratio: float
) -> None:
    result = fused(class_probs, names, ratio)
    assert result.dtype == np.float32
    assert result.shape == class_probs.shape
    assert ((result >= 0) & (result <= 1)).all()
    assert (result <= class_probs.max(axis=1, keepdims=True) * (1 + 1e-5)).all()


@given(tables())
def test_names_that_say_nothing_leave_the_first_network_s_own(class_probs: NDArray[np.float32]) -> None:
    assert np.array_equal(fused(class_probs, np.ones_like(class_probs), 1.0), class_probs)


@given(tables(), RATIOS)
def test_nothing_there_is_nothing(class_probs: NDArray[np.float32], ratio: float) -> None:
    assert not fused(class_probs, np.zeros_like(class_probs), ratio).any()


@given(tables(), tables())
def test_without_own_naming_the_order_is_that_of_the_names(
    class_probs: NDArray[np.float32], names: NDArray[np.float32]
) -> None:
    result = fused(class_probs, names, 0.0)
    assert np.allclose(result, class_probs.max(axis=1, keepdims=True) * names, rtol=1e-5)


@given(tables(), tables(), RATIOS, SHARES)
def test_a_likelier_name_never_makes_a_class_less_likely(
    class_probs: NDArray[np.float32], names: NDArray[np.float32], ratio: float, share: float
) -> None:
    assert (fused(class_probs, names * np.float32(share), ratio) <= fused(class_probs, names, ratio)).all()


def test_it_is_the_weighed_geometric_mean_times_the_name() -> None:
    class_probs, names = np.array([[0.64, 0.16]], np.float32), np.array([[0.25, 0.5]], np.float32)
    assert fused(class_probs, names, 0.5) == pytest.approx(np.array([[0.64 * 0.25, 0.8 * 0.4 * 0.5]]))


@given(tables(), tables(), RATIOS)
def test_with_no_certainty_of_the_first_network_the_names_are_all(
    class_probs: NDArray[np.float32], names: NDArray[np.float32], ratio: float
) -> None:
    assert np.array_equal(fused(class_probs, names, ratio, 0.0), names)


def test_certainty_that_counts_half_is_its_root() -> None:
    class_probs, names = np.array([[0.64, 0.16]], np.float32), np.array([[0.25, 0.5]], np.float32)
    assert fused(class_probs, names, 0.0, 0.5) == pytest.approx(0.8 * names)
    assert fused(class_probs, names, 1.0, 0.5) == pytest.approx(np.array([[0.8 * 0.25, 0.4 * 0.5]]))


def test_no_boxes_give_no_scores() -> None:
    empty = np.zeros((0, 3), np.float32)
    assert fused(empty, empty, 0.5).shape == (0, 3)
