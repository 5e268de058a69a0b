"""Cursors: what was given comes back exactly, and nothing else is taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.store.protocol import EventCursor
from ui.api.cursor import cursor_place, cursor_text
from ui.api.problem import ProblemError
from ui.api.query import PageQuery, read_query

PLACES = st.builds(
    EventCursor, st.integers(0, 2**53), st.text(max_size=64), st.text(max_size=32), st.integers(0, 2**53)
)


@given(place=PLACES)
def test_a_place_comes_back_from_its_text(place: EventCursor) -> None:
    assert cursor_place(cursor_text(place, ("item", None)), EventCursor, ("item", None)) == place


@given(place=PLACES)
def test_another_querys_cursor_is_refused(place: EventCursor) -> None:
    with pytest.raises(ProblemError):
        cursor_place(cursor_text(place, ("item", None)), EventCursor, ("mode", None))


@given(place=PLACES, data=st.data())
def test_one_letter_changed_is_refused(place: EventCursor, data: st.DataObject) -> None:
    text = cursor_text(place, ())
    # of the last letter, some bits mean nothing
    at = data.draw(st.integers(0, len(text) - 2))
    other = data.draw(st.sampled_from("ABCDEFGHabcdefgh0123_-").filter(lambda letter: letter != text[at]))
    with pytest.raises(ProblemError):
        cursor_place(text[:at] + other + text[at + 1 :], EventCursor, ())


@given(text=st.text(alphabet="ABCabc012_-", min_size=1, max_size=80))
def test_no_made_up_text_is_a_cursor(text: str) -> None:
    with pytest.raises(ProblemError):
        cursor_place(text, EventCursor, ())


def test_a_cursor_of_the_longest_names_is_taken_by_the_query() -> None:
    from werkzeug.datastructures import MultiDict

    text = cursor_text(EventCursor(2**53, "خ" * 64, "b" * 32, 2**53), ("item", None, None, "UTC", None))
    assert read_query(MultiDict({"cursor": text}), PageQuery).cursor == text
