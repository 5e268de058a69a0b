"""Shots that wait for the belt, in the order in which their valves must be told; when to fire is the controller's."""

from bisect import insort
from collections.abc import Iterator

from actuators.shot import Shot


class PendingShots:
    """Shots by how long their slowest valve takes, each such queue in order of opening travel.

    Within a queue that is the order of firing at any speed of the belt; between queues the speed decides.
    """

    def __init__(self) -> None:
        self._queues: dict[int, list[Shot]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    def add(self, shot: Shot) -> None:
        """Let a shot wait."""
        insort(self._queues.setdefault(shot.longest_response_ns, []), shot, key=_opening_travel_um)

    def heads(self) -> Iterator[Shot]:
        """The first shot of each queue: one of them is the next to fire."""
        return (queue[0] for queue in self._queues.values() if queue)

    def remove(self, shot: Shot) -> None:
        """Let a shot wait no longer."""
        self._queues[shot.longest_response_ns].remove(shot)

    def remove_expired(self, now_ns: int) -> list[Shot]:
        """Remove and return the shots whose validity is over."""
        expired = [shot for queue in self._queues.values() for shot in queue if now_ns > shot.command.valid_until_ns]
        if expired:
            for response_ns, queue in self._queues.items():
                self._queues[response_ns] = [shot for shot in queue if now_ns <= shot.command.valid_until_ns]
        return expired

    def remove_all(self) -> list[Shot]:
        """Remove and return every shot, in order of opening travel."""
        shots = sorted((shot for queue in self._queues.values() for shot in queue), key=_opening_travel_um)
        self._queues.clear()
        return shots


def _opening_travel_um(shot: Shot) -> int:
    return shot.command.open_at_travel_um
