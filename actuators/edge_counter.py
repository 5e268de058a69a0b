"""Counts the encoder on GPIO lines, and says so when it can no longer know the count.

What an edge means is `actuators.edge_steps`'s; how lines are reached is the driver's.
"""

from collections import deque
from itertools import pairwise
from typing import Protocol

from actuators.edge_order import Edge, EdgeOrder
from actuators.edge_steps import EdgeSteps
from sorter.model.units import NS_PER_MS

# So long that the line has heard of it and is held.
_TROUBLE_NS = 1000 * NS_PER_MS
# The edges of a cycle are not evenly apart, so the longest of the last four intervals tells how long one may be.
_CYCLE_EDGES = 4


class EdgeLines(Protocol):
    """The encoder's lines; raises OSError when the kernel refuses."""

    def read(self) -> list[Edge]:
        """The edges since the last time, without waiting."""
        ...

    def release(self) -> None:
        """Give the lines back."""
        ...


class EdgeCounter:
    """A `Counter` of the edges on GPIO lines.

    Where edges are missing the count is no longer the belt's, so that items seen before would be hit at the wrong
    place. There is trouble then, for a second; afterwards the count goes on further down the belt by more than a line
    is long, so that to every process whatever was seen before has passed.

    Attributes:
        trouble: why there is no count, None while there is one.
        edge_count: edges taken.
    """

    def __init__(self, lines: EdgeLines, steps: EdgeSteps, skip_count: int, *, is_reversed: bool = False) -> None:
        """`skip_count` is how far the count jumps after trouble."""
        self._lines = lines
        self._steps = steps
        self._skip_count = skip_count
        self._sign = -1 if is_reversed else 1
        self._order = EdgeOrder()
        self._count = 0
        self._instants_ns: deque[int] = deque(maxlen=_CYCLE_EDGES + 1)
        self._trouble_since_ns = 0
        self.trouble: str | None = None
        self.edge_count = 0

    @property
    def lost_count(self) -> int:
        """Edges that the kernel could not hand on, and places where the levels show that some are missing."""
        return self._order.lost_count + self._steps.hidden_count

    @property
    def glitch_count(self) -> int:
        """Edges that were no step and hide none."""
        return self._steps.glitch_count

    def encoder_reading(self, now_ns: int) -> tuple[int, int] | None:
        """When it counted last and how many steps; None while edges are missing or lines cannot be read."""
        lost_before = self.lost_count
        try:
            self._take(self._order.take(self._lines.read(), now_ns))
        except OSError as error:
            self._lose(f"encoder lines cannot be read: {error}", now_ns)
            return None
        if self.lost_count > lost_before:
            self._lose("edges of the encoder are missing", now_ns)
            return None
        if self.trouble is not None:
            if now_ns - self._trouble_since_ns < _TROUBLE_NS:
                return None
            self.trouble = None
            self._count += self._skip_count
        return self._counted_at_ns(now_ns), self._count

    def _take(self, edges: list[Edge]) -> None:
        for edge in edges:
            self.edge_count += 1
            step = self._steps.take(edge)
            if step:
                self._count += self._sign * step
                self._instants_ns.append(edge.at_ns)

    def _counted_at_ns(self, now_ns: int) -> int:
        """The instant of the newest step; of now where the next is overdue, since the belt is slowing or stands.

        While an edge is waited for, the belt is known to go on.
        """
        instants_ns = list(self._instants_ns)
        longest_ns = max((late - early for early, late in pairwise(instants_ns)), default=0)
        is_overdue = not instants_ns or now_ns - instants_ns[-1] > 2 * longest_ns
        if is_overdue and not (instants_ns and self._order.is_waiting):
            return now_ns
        return instants_ns[-1]

    def _lose(self, trouble: str, now_ns: int) -> None:
        self.trouble, self._trouble_since_ns = trouble, now_ns
        self._instants_ns.clear()
