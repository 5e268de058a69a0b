"""Which items get a look, how often, and what the looks say together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sorter.model.tracks import Track
from vision.second_look.looks import Looks


def track(track_id: int, score: float = 0.5, *, truncated: bool = False) -> Track:
    return Track(track_id, 0, 0, 1, 1, (0.1, score), 1, truncated)


def names(*values: float) -> NDArray[np.float32]:
    return np.array(values, np.float32)


def said_of(looks: Looks, track_id: int) -> list[float]:
    said = looks.names_of(track_id)
    assert said is not None
    return said.tolist()


def test_an_item_is_looked_at_until_it_was_seen_whole_so_often() -> None:
    looks = Looks(looks_per_item=2, looks_per_view=8)
    for _ in range(2):
        assert looks.wanted([track(7)]) == [0]
        looks.note(track(7), names(0.5, 0.5))
    assert looks.wanted([track(7)]) == []


def test_what_looks_say_is_their_mean() -> None:
    looks = Looks(3, 8)
    assert looks.names_of(7) is None
    for value in (0.25, 0.75, 0.5):
        looks.note(track(7), names(value, 1 - value))
    assert said_of(looks, 7) == [0.5, 0.5]


def test_a_part_of_an_item_counts_until_the_whole_was_seen() -> None:
    looks = Looks(1, 8)
    looks.note(track(7, truncated=True), names(1.0, 0.0))
    looks.note(track(7, truncated=True), names(0.5, 0.0))
    assert said_of(looks, 7) == [0.5, 0.0]  # the last one shows most
    assert looks.wanted([track(7, truncated=True)]) == [0]
    looks.note(track(7), names(0.0, 1.0))
    looks.note(track(7, truncated=True), names(1.0, 0.0))
    assert said_of(looks, 7) == [0.0, 1.0]


def test_an_item_that_was_seen_whole_is_not_looked_at_as_it_leaves() -> None:
    looks = Looks(2, 8)
    looks.note(track(7), names(0.0, 1.0))
    assert looks.wanted([track(7, truncated=True)]) == []
    assert looks.wanted([track(7)]) == [0]


def test_a_view_has_so_many_looks_first_for_what_is_new_then_for_what_is_sure() -> None:
    looks = Looks(2, 3)
    looks.note(track(1), names(0.0, 1.0))
    looks.note(track(2), names(0.0, 1.0))
    seen = [track(1, 0.9), track(2, 0.95), track(3, 0.2), track(4, 0.3)]
    assert looks.wanted(seen) == [3, 2, 1]


def test_items_that_were_not_seen_for_long_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vision.second_look.looks._MOST_TRACKS", 3)
    looks = Looks(2, 8)
    for number in range(10):
        looks.note(track(number), names(0.0, 1.0))
        looks.names_of(0)  # it stays in view
    assert len(looks) == 3
    assert looks.names_of(0) is not None
    assert looks.names_of(1) is None


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 9), st.booleans()), unique_by=lambda one: one[0]), max_size=30),
    st.integers(1, 3),
    st.integers(1, 4),
)
def test_looks_are_bounded_by_view_and_by_item(
    views: list[list[tuple[int, bool]]], looks_per_item: int, looks_per_view: int
) -> None:
    looks = Looks(looks_per_item, looks_per_view)
    whole_counts = dict.fromkeys(range(10), 0)
    for view in views:
        tracks = [track(track_id, truncated=truncated) for track_id, truncated in view]
        wanted = looks.wanted(tracks)
        assert len(wanted) <= looks_per_view
        assert len(wanted) == len(set(wanted))
        for place in wanted:
            looks.note(tracks[place], names(0.0, 1.0))
            whole_counts[tracks[place].track_id] += not tracks[place].truncated
    assert max(whole_counts.values()) <= looks_per_item
