"""The book of what is open: which shot holds which nozzles, until when at the latest, and which may be closed.

Two shots may share nozzles; a nozzle is closed when the last shot that needs it ends.
"""

from collections.abc import Iterator

import msgspec

from actuators.safety_gate import Nozzle
from sorter.model.ejection import EjectionCommand


class OpenShot(msgspec.Struct, frozen=True):
    """A fired command whose nozzles are open; `close_by_ns` holds whatever the belt does."""

    command: EjectionCommand
    opened_at_ns: int
    opened_at_travel_um: int
    close_by_ns: int


class OpenShots:
    """All shots that are open now."""

    def __init__(self, max_open_ns: int) -> None:
        self._max_open_ns = max_open_ns
        self._shots: list[OpenShot] = []
        self._energised_at_ns: dict[Nozzle, int] = {}

    def __iter__(self) -> Iterator[OpenShot]:
        return iter(list(self._shots))

    @property
    def nozzles(self) -> frozenset[Nozzle]:
        """Every nozzle that is open."""
        return frozenset(self._energised_at_ns)

    def add(self, command: EjectionCommand, opened_at_ns: int, opened_at_travel_um: int, now_ns: int) -> OpenShot:
        """Enter a shot energised now; a nozzle that another shot already holds keeps its own, earlier deadline."""
        energised_at_ns = [self._energised_at_ns.setdefault(nozzle, now_ns) for nozzle in _nozzles(command)]
        close_by_ns = min(energised_at_ns) + self._max_open_ns
        shot = OpenShot(command, opened_at_ns, opened_at_travel_um, close_by_ns)
        self._shots.append(shot)
        return shot

    def remove(self, shot: OpenShot) -> list[tuple[int, int]]:
        """Strike a shot out; returns the ranges (first, last) of its nozzles that no other shot needs."""
        self._shots.remove(shot)
        needed = {nozzle for other in self._shots for nozzle in _nozzles(other.command)}
        freed = [nozzle for nozzle in _nozzles(shot.command) if nozzle not in needed]
        for nozzle in freed:
            self._energised_at_ns.pop(nozzle)
        return _ranges([number for _, number in freed])

    def remove_all(self) -> list[OpenShot]:
        """Strike all shots out; returns them."""
        shots, self._shots = self._shots, []
        self._energised_at_ns.clear()
        return shots


def _nozzles(command: EjectionCommand) -> list[Nozzle]:
    return [(command.station_id, number) for number in range(command.first_nozzle, command.last_nozzle + 1)]


def _ranges(numbers: list[int]) -> list[tuple[int, int]]:
    """Ascending numbers as ranges (first, last) without gaps."""
    ranges: list[tuple[int, int]] = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return ranges
