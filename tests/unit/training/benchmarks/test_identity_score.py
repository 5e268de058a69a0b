"""Counting items and changes of identity."""

from collections.abc import Sequence

import numpy as np

from training.benchmarks.identity_score import IdentityScore, identity_score


def score(true: Sequence[Sequence[int]], told: Sequence[Sequence[int]], least_view_count: int = 2) -> IdentityScore:
    def arrays(frames: Sequence[Sequence[int]]) -> list[np.ndarray]:
        return [np.array(frame, np.int64) for frame in frames]

    return identity_score(arrays(true), arrays(told), least_view_count)


def test_a_perfect_tracker_counts_all_and_switches_never() -> None:
    found = score([[7, 8], [8, 7], [8]], [[1, 2], [2, 1], [2]])
    assert found == IdentityScore(item_count=2, counted_count=2, switch_count=0)
    assert found.count_error_ratio == 0.0


def test_a_new_identity_for_a_known_item_is_a_switch_and_an_item_too_many() -> None:
    found = score([[7], [7], [7], [7]], [[1], [1], [2], [2]])
    assert found == IdentityScore(item_count=1, counted_count=2, switch_count=1)
    assert found.count_error_ratio == 1.0
    assert found.switches_per_100_items == 100.0


def test_two_items_under_one_identity_are_one_too_few() -> None:
    assert score([[7, 8], [7, 8]], [[1, 1], [1, 1]]) == IdentityScore(item_count=2, counted_count=1, switch_count=0)


def test_two_items_that_swap_identities_switch_twice() -> None:
    assert score([[7, 8], [7, 8]], [[1, 2], [2, 1]]).switch_count == 2


def test_what_was_seen_once_is_no_item_on_either_side() -> None:
    assert score([[7, 8], [7]], [[1, 2], [1]]) == IdentityScore(item_count=1, counted_count=1, switch_count=0)


def test_views_without_an_identity_are_passed_over() -> None:
    found = score([[7], [7], [7], [7]], [[-1], [1], [-1], [1]])
    assert found == IdentityScore(item_count=1, counted_count=1, switch_count=0)
