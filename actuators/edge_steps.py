"""What an edge of an incremental encoder says of the belt: a step forward, a step back, or nothing.

Both kinds of encoder count what cannot be a step; whether edges are missing is told by their numbers, see
`actuators.edge_order`, and for two channels by their levels as well.
"""

from typing import Protocol

from actuators.edge_order import Edge
from sorter.model.units import NS_PER_S, UM_PER_M

_CHANNEL_A = 0
# as much as belt.speed_m_s may be
_FASTEST_UM_S = 10 * UM_PER_M


class EdgeSteps(Protocol):
    """Turns edges into steps.

    Attributes:
        glitch_count: edges that were no step and hide none.
        hidden_count: edges before which others must have passed unseen.
    """

    glitch_count: int
    hidden_count: int

    def take(self, edge: Edge) -> int:
        """1, −1 or 0."""
        ...


class QuadratureSteps:
    """Two channels, a quarter of a cycle apart: each edge is a step; the other channel's level tells which way."""

    def __init__(self) -> None:
        self.glitch_count = 0
        self.hidden_count = 0
        self._levels: list[bool | None] = [None, None]
        self._last_channel: int | None = None

    def take(self, edge: Edge) -> int:
        """The step, A ahead of B forward; 0 before both channels have been seen to change.

        A line that is said to have got the level that it had has gone there and back too fast to be seen. If the other
        channel stood still meanwhile, so did the belt; if it did not, steps may be missing.
        """
        before, other = self._levels[edge.channel], self._levels[1 - edge.channel]
        was_alone, self._last_channel = edge.channel == self._last_channel, edge.channel
        self._levels[edge.channel] = edge.is_rising
        if before == edge.is_rising:
            self.glitch_count += was_alone
            self.hidden_count += not was_alone
            return 0
        if other is None:
            return 0
        is_ahead = edge.is_rising != other
        return 1 if is_ahead == (edge.channel == _CHANNEL_A) else -1


class SingleSteps:
    """One channel, whose rising edges are steps forward; those that come faster than any belt runs are bounces."""

    def __init__(self, pulse_um: int) -> None:
        self.glitch_count = 0
        self.hidden_count = 0
        self._shortest_ns = pulse_um * NS_PER_S // _FASTEST_UM_S
        self._last_ns: int | None = None

    def take(self, edge: Edge) -> int:
        """1, or 0 for a bounce."""
        is_bounce = self._last_ns is not None and edge.at_ns - self._last_ns < self._shortest_ns
        self._last_ns = edge.at_ns
        self.glitch_count += is_bounce
        return 0 if is_bounce else 1
