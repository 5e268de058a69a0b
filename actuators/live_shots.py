"""The book of shots that fire: which pulse holds which nozzles, until when at the latest, and which may be closed.

Two shots may share nozzles; a nozzle is closed when the last shot that needs it ends.
"""

from collections.abc import Iterator

from actuators.nozzle_use import NozzleUse
from actuators.shot import OpenPulse, Pulse, Shot, nozzles_of, runs_of


class LiveShots:
    """All shots that have passed the gate and are not over, and what their nozzles have been doing.

    Attributes:
        use: for the gate and for the health of the valves.
    """

    def __init__(self, max_open_ns: int, window_ns: int) -> None:
        self.use = NozzleUse(window_ns)
        self._max_open_ns = max_open_ns
        self._shots: list[Shot] = []

    def __iter__(self) -> Iterator[Shot]:
        return iter(list(self._shots))

    def add(self, shot: Shot) -> None:
        """Enter a shot that is about to fire."""
        self._shots.append(shot)

    def energise(self, shot: Shot, pulse: Pulse, now_ns: int) -> OpenPulse:
        """Book a pulse as energised; a nozzle that another shot already holds keeps its own, earlier deadline."""
        since_ns = min(self.use.energise(nozzle, now_ns) for nozzle in nozzles_of(shot.command, pulse))
        opened = OpenPulse(pulse, since_ns + self._max_open_ns)
        shot.waiting.remove(pulse)
        shot.open.append(opened)
        return opened

    def end(self, shot: Shot, opened: OpenPulse, now_ns: int) -> list[tuple[int, int]]:
        """Strike a pulse out, and its shot with its last; returns runs (first, last) of nozzles no other shot needs."""
        shot.open.remove(opened)
        needed = {
            nozzle
            for other in self._shots
            for still_open in other.open
            for nozzle in nozzles_of(other.command, still_open.pulse)
        }
        freed = [nozzle for nozzle in nozzles_of(shot.command, opened.pulse) if nozzle not in needed]
        for nozzle in freed:
            self.use.release(nozzle, now_ns)
        return runs_of([number for _, number in freed])

    def remove_over(self) -> list[Shot]:
        """Strike out the shots of which nothing waits or is open; returns them."""
        over = [shot for shot in self._shots if shot.is_over]
        self._shots = [shot for shot in self._shots if not shot.is_over]
        return over

    def remove_all(self, now_ns: int) -> list[Shot]:
        """Strike everything out, since all nozzles were closed; returns the shots."""
        shots, self._shots = self._shots, []
        for nozzle in list(self.use.open_nozzles):
            self.use.release(nozzle, now_ns)
        return shots
