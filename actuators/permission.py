"""Whether the sorter allows firing: its mode counts only while it is fresh and comes from the sorter's present life."""

from sorter.model.condition import Mode
from sorter.model.units import NS_PER_MS

# The sorter repeats its mode every second; the table of topics calls it stale after three.
_FRESH_NS = 3000 * NS_PER_MS


class Permission:
    """The newest mode heard, with whose it is and when it was said; without one the line counts as held."""

    def __init__(self) -> None:
        self._mode: Mode | None = None
        self._boot_id: str | None = None
        self._said_at_ns = 0

    def hear(self, mode: Mode, boot_id: str, said_at_ns: int) -> None:
        """Note a mode; what was said before the newest is ignored."""
        if self._mode is None or said_at_ns >= self._said_at_ns:
            self._mode, self._boot_id, self._said_at_ns = mode, boot_id, said_at_ns

    def withdraw(self) -> None:
        """Forget it: after a lost link the sorter must say anew that it executes."""
        self._mode = None

    def mode(self, boot_id: str | None, now_ns: int) -> Mode:
        """The mode to obey, given the sorter's present life."""
        if self._mode is None or boot_id != self._boot_id or now_ns - self._said_at_ns > _FRESH_NS:
            return Mode.HELD
        return self._mode
