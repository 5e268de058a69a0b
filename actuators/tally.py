"""What the controller has answered so far, in figures for its health; scores are computed elsewhere, from truth."""

from collections import Counter, deque
from collections.abc import Iterable

import numpy as np

from sorter.model.ejection import Ack, AckStatus, EjectionCommand
from sorter.model.units import UM_PER_MM

_KEPT_COUNT = 1000


class Tally:
    """Counts answers by status and reason, and keeps how far off the last thousand openings were."""

    def __init__(self) -> None:
        self._counts: Counter[AckStatus] = Counter()
        self._reasons: Counter[str] = Counter()
        self._commands: dict[tuple[str, int], EjectionCommand] = {}
        self._errors_mm: deque[float] = deque(maxlen=_KEPT_COUNT)

    def note_command(self, command: EjectionCommand) -> None:
        """Remember where a command wants to open, until it is answered."""
        self._commands[command.boot_id, command.seq] = command

    def note_acks(self, acks: Iterable[Ack]) -> list[tuple[EjectionCommand, Ack]]:
        """Count answers; returns those that fired, with their commands."""
        fired: list[tuple[EjectionCommand, Ack]] = []
        for ack in acks:
            self._counts[ack.status] += 1
            if ack.reason is not None:
                self._reasons[ack.reason.value] += 1
            command = self._settle(ack)
            if command is not None and ack.opened_at_travel_um is not None:
                self._errors_mm.append(abs(ack.opened_at_travel_um - command.open_at_travel_um) / UM_PER_MM)
                fired.append((command, ack))
        return fired

    def figures(self) -> dict[str, float]:
        """Count by status, and the placement error in millimetres once something fired."""
        counts = {f"{status.value}_count": float(self._counts[status]) for status in AckStatus}
        counts |= {f"reason_{reason}_count": float(count) for reason, count in sorted(self._reasons.items())}
        if not self._errors_mm:
            return counts
        p50_mm, p99_mm = np.percentile(self._errors_mm, [50, 99])
        return counts | {"placement_error_p50_mm": float(p50_mm), "placement_error_p99_mm": float(p99_mm)}

    def _settle(self, ack: Ack) -> EjectionCommand | None:
        """The command that an answer is for; a duplicate's is answered by another."""
        if ack.status is AckStatus.REFUSED_DUPLICATE:
            return None
        return self._commands.pop((ack.boot_id, ack.seq), None)
