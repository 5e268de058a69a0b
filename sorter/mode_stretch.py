"""A stretch of time in one mode: monotonic in length, dated by the wall clock, cut where a minute of it ends."""

from collections.abc import Iterator

from sorter.model.condition import Mode
from sorter.model.rollups import Resolution, start_of
from sorter.model.units import NS_PER_MS, NS_PER_S

_LONGEST_NS = 10 * NS_PER_S
# a wall clock that is set by less than this is not followed at once: stretches follow each other without a seam
_MAX_DRIFT_MS = 200


class ModeStretch:
    """Since when a mode lasts, by both clocks."""

    def __init__(self, mode: Mode, began_ns: int, began_wall_ms: int) -> None:
        self.mode = mode
        self._began_ns = began_ns
        self._began_wall_ms = began_wall_ms

    def is_over(self, now_ns: int) -> bool:
        """Whether it is long enough to be written down."""
        return now_ns - self._began_ns >= _LONGEST_NS

    def pieces(self, now_ns: int) -> Iterator[tuple[int, int]]:
        """When each piece ended, in wall milliseconds, and how long it was; none reaches over the end of a minute."""
        begin_ms = self._began_wall_ms
        end_ms = begin_ms + (now_ns - self._began_ns) // NS_PER_MS
        while begin_ms < end_ms:
            minute_ends_ms = start_of(begin_ms, Resolution.MINUTE) + Resolution.MINUTE.value
            piece_ends_ms = min(end_ms, minute_ends_ms)
            yield piece_ends_ms, piece_ends_ms - begin_ms
            begin_ms = piece_ends_ms

    def next_one(self, now_ns: int, wall_ms: int) -> "ModeStretch":
        """The stretch of the same mode that follows; what is left of a millisecond is its."""
        whole_ms = (now_ns - self._began_ns) // NS_PER_MS
        expected_ms = self._began_wall_ms + whole_ms
        is_steady = abs(wall_ms - expected_ms) <= _MAX_DRIFT_MS
        return ModeStretch(self.mode, self._began_ns + whole_ms * NS_PER_MS, expected_ms if is_steady else wall_ms)
