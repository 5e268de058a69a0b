"""Taking frames on a thread of its own: one when asked, and the loop wakes for other news as well."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from sorter.errors import SourceError
from vision.frame_taker import FrameTaker
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


@pytest.fixture
def source() -> GatedSource:
    return GatedSource()


@pytest.fixture
def taker(source: Any) -> Iterator[FrameTaker]:
    taker = FrameTaker(source)
    yield taker
    source.gate.release(10)
    taker.close()


def test_nothing_is_grabbed_before_it_is_asked_for(source: GatedSource, taker: FrameTaker) -> None:
    source.gate.release()
    taker.wake()
    assert taker.wait(LONG_MS) is None
    assert source.grab_count == 0


def test_a_frame_ends_the_wait(source: GatedSource, taker: FrameTaker) -> None:
    taker.ask()
    taker.ask()
    source.gate.release()
    ticket = taker.wait(LONG_MS)
    assert ticket is not None
    assert ticket.frame_id == 1
    assert source.grab_count == 1


def test_other_news_end_the_wait_and_the_frame_comes_later(source: GatedSource, taker: FrameTaker) -> None:
    taker.ask()
    taker.wake()
    assert taker.wait(LONG_MS) is None
    source.gate.release()
    ticket = taker.wait(LONG_MS)
    assert ticket is not None
    assert ticket.frame_id == 1


def test_what_goes_wrong_in_the_source_is_raised_where_the_frame_is_awaited(
    source: GatedSource, taker: FrameTaker
) -> None:
    source.fails = True
    taker.ask()
    source.gate.release()
    with pytest.raises(SourceError, match="gone"):
        taker.wait(LONG_MS)
