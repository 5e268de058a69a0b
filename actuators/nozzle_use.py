"""What each nozzle has been doing: since when it is open, for how long it was in the last while, and how often.

The safety gate asks it; the health of the valves is told from it. It opens and closes nothing itself.
"""

from collections import deque
from collections.abc import Set as AbstractSet

Nozzle = tuple[str, int]


class NozzleUse:
    """Energised times by nozzle, in bounded memory: a nozzle keeps the pulses of one duty window."""

    def __init__(self, window_ns: int) -> None:
        self.window_ns = window_ns
        self._since_ns: dict[Nozzle, int] = {}
        self._pulses_ns: dict[Nozzle, deque[tuple[int, int]]] = {}
        self.shot_counts: dict[Nozzle, int] = {}
        self.total_on_ns: dict[Nozzle, int] = {}

    @property
    def open_nozzles(self) -> AbstractSet[Nozzle]:
        """Every nozzle that is energised."""
        return self._since_ns.keys()

    def energise(self, nozzle: Nozzle, now_ns: int) -> int:
        """Note that a nozzle is energised; returns since when it has been, which an earlier shot may have begun."""
        self.shot_counts[nozzle] = self.shot_counts.get(nozzle, 0) + 1
        return self._since_ns.setdefault(nozzle, now_ns)

    def release(self, nozzle: Nozzle, now_ns: int) -> None:
        """Note that a nozzle is de-energised; without effect if it was not energised."""
        since_ns = self._since_ns.pop(nozzle, None)
        if since_ns is None:
            return
        self.total_on_ns[nozzle] = self.total_on_ns.get(nozzle, 0) + now_ns - since_ns
        pulses_ns = self._pulses_ns.setdefault(nozzle, deque())
        pulses_ns.append((since_ns, now_ns))
        while pulses_ns[0][1] <= now_ns - self.window_ns:
            pulses_ns.popleft()

    def held_ns(self, nozzle: Nozzle, now_ns: int) -> int:
        """For how long a nozzle has been energised without a break; 0 when it is not."""
        return now_ns - self._since_ns.get(nozzle, now_ns)

    def on_time_ns(self, nozzle: Nozzle, now_ns: int) -> int:
        """For how long a nozzle was energised within the window that ends now."""
        start_ns = now_ns - self.window_ns
        ended_ns = sum(max(0, end - max(begin, start_ns)) for begin, end in self._pulses_ns.get(nozzle, ()))
        return ended_ns + min(self.held_ns(nozzle, now_ns), self.window_ns)

    def is_resting(self, nozzle: Nozzle, rest_ns: int, now_ns: int) -> bool:
        """Whether a nozzle that is closed closed less than `rest_ns` ago."""
        pulses_ns = self._pulses_ns.get(nozzle)
        if nozzle in self._since_ns or not pulses_ns:
            return False
        return now_ns < pulses_ns[-1][1] + rest_ns
