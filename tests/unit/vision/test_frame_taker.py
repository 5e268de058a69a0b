"""Taking frames on a thread of its own: one when asked, and the loop wakes for other news as well."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from sorter.errors import SourceError
from vision.frame_taker import FrameTaker, News
from vision.sources.source import FrameTicket

LONG_MS = 20_000.0


class GatedSource:
    """Gives a frame whenever the test opens the gate; `fails` makes the next grab an error."""

    def __init__(self) -> None:
        self.gate = threading.Semaphore(0)
        self.grab_count = 0
        self.fails = False

    def grab(self, _timeout_ms: float) -> FrameTicket | None:
        self.grab_count += 1
        if not self.gate.acquire(timeout=20):
            return None
        if self.fails:
            raise SourceError("gone")
        return FrameTicket(self.grab_count, 0)


class Loop:
    """A source, its taker and the wait of the loop."""

    def __init__(self) -> None:
        self.source: Any = GatedSource()
        self.news = News()
        self.taker = FrameTaker(self.source, self.news.tell)

    def wait(self) -> FrameTicket | None:
        self.news.wait(LONG_MS)
        return self.taker.taken()


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.source.gate.release(10)
    loop.taker.close()


def test_nothing_is_grabbed_before_it_is_asked_for(loop: Loop) -> None:
    loop.source.gate.release()
    loop.news.tell()
    assert loop.wait() is None
    assert loop.source.grab_count == 0


def test_a_frame_ends_the_wait(loop: Loop) -> None:
    loop.taker.ask()
    loop.taker.ask()
    loop.source.gate.release()
    ticket = loop.wait()
    assert ticket is not None
    assert ticket.frame_id == 1
    assert loop.source.grab_count == 1


def test_other_news_end_the_wait_and_the_frame_comes_later(loop: Loop) -> None:
    loop.taker.ask()
    loop.news.tell()
    assert loop.wait() is None
    loop.source.gate.release()
    ticket = loop.wait()
    assert ticket is not None
    assert ticket.frame_id == 1


def test_what_goes_wrong_in_the_source_is_raised_where_the_frame_is_awaited(loop: Loop) -> None:
    loop.source.fails = True
    loop.taker.ask()
    loop.source.gate.release()
    with pytest.raises(SourceError, match="gone"):
        loop.wait()
