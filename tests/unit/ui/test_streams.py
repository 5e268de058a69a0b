"""Streams to slow and fast readers."""

import threading

from ui.streams import NewestEvent, StreamPlaces, event_stream


def test_a_slow_reader_gets_the_newest_and_nothing_in_between() -> None:
    newest = NewestEvent()
    stream = event_stream(newest)
    assert next(stream).startswith(b"retry:")
    for number in range(5):
        newest.put(b"%d" % number)
    assert next(stream) == b"data: 4\n\n"


def test_who_comes_late_gets_the_newest_at_once() -> None:
    newest = NewestEvent()
    newest.put(b"1")
    assert newest.wait_newer(0, timeout_s=0.0) == (1, b"data: 1\n\n")
    assert newest.wait_newer(1, timeout_s=0.0) is None


def test_a_silent_stream_says_a_word_now_and_then() -> None:
    stream = event_stream(NewestEvent(), keep_alive_s=0.0)
    next(stream)
    assert next(stream).startswith(b":")


def test_closing_wakes_and_ends_a_waiting_stream() -> None:
    newest = NewestEvent()
    stream = event_stream(newest)
    next(stream)
    reader = threading.Thread(target=lambda: list(stream))
    reader.start()
    newest.close()
    reader.join(timeout=2.0)
    assert not reader.is_alive()


def test_places_are_counted_and_given_back() -> None:
    places = StreamPlaces(2)
    assert [places.take() for _ in range(3)] == [True, True, False]
    places.give_back()
    assert places.take()
    assert places.taken_count == 2
