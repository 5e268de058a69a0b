"""Which sequence numbers have been seen, in bounded memory; what that means is the safety gate's."""

_KEPT_COUNT = 4096


class SequenceRecord:
    """Remembers the highest numbers seen; anything below what it still remembers counts as seen.

    That errs on the side of refusing: a number too old to be sure of never passes as new.
    """

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._floor: int | None = None

    def __contains__(self, seq: object) -> bool:
        return seq in self._seen or (self._floor is not None and isinstance(seq, int) and seq <= self._floor)

    def add(self, seq: int) -> None:
        """Remember a number."""
        self._seen.add(seq)
        if len(self._seen) > _KEPT_COUNT:
            self._forget_lower_half()

    def _forget_lower_half(self) -> None:
        ordered = sorted(self._seen)
        self._floor = ordered[len(ordered) // 2]
        self._seen = {seq for seq in ordered if seq > self._floor}
