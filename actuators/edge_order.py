"""Edges of GPIO lines in the order in which they came, and how many of them were lost.

The kernel numbers the edges of a request where it is interrupted, and hands them on by a thread for each line: two that
are close together may arrive the wrong way round. What its buffer has no room for, and an interrupt that came before
the thread had dealt with the one before, leave a gap in the numbers.
"""

from collections.abc import Iterable

import msgspec

from sorter.model.units import NS_PER_MS

# the kernel's counter of edges
_WORD = 2**32
# The threads that hand edges on have real-time priority: one that is so late will not come.
_LATEST_NS = 20 * NS_PER_MS


class Edge(msgspec.Struct, frozen=True):
    """One change of a line's level, with the kernel's time stamp and number; channel 0 is A, 1 is B."""

    at_ns: int
    channel: int
    is_rising: bool
    number: int


class EdgeOrder:
    """Hands on edges by their numbers; one whose predecessor is missing waits for it, and then for it no more.

    Attributes:
        lost_count: edges that never came.
    """

    def __init__(self) -> None:
        self.lost_count = 0
        self._next_number = 1
        self._early: dict[int, Edge] = {}

    @property
    def is_waiting(self) -> bool:
        """Whether an edge is missing that may still come."""
        return bool(self._early)

    def take(self, edges: Iterable[Edge], now_ns: int) -> list[Edge]:
        """The edges that follow those handed on before, oldest first."""
        self._early |= {edge.number: edge for edge in edges}
        ready = self._consecutive()
        while self._early and now_ns - self._first_early().at_ns > _LATEST_NS:
            first = self._first_early().number
            self.lost_count += (first - self._next_number) % _WORD
            self._next_number = first
            ready += self._consecutive()
        return ready

    def _consecutive(self) -> list[Edge]:
        ready: list[Edge] = []
        while (edge := self._early.pop(self._next_number, None)) is not None:
            ready.append(edge)
            self._next_number = (self._next_number + 1) % _WORD
        return ready

    def _first_early(self) -> Edge:
        return min(self._early.values(), key=lambda edge: (edge.number - self._next_number) % _WORD)
