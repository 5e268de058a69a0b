"""What a controller does beside firing, in moments in which nothing is due: a long report must not make a shot late."""

from collections.abc import Callable, Sequence

import msgspec

from sorter.model.units import NS_PER_MS

# no chore takes longer than this
_SPARE_NS = 3 * NS_PER_MS
# on a belt so full that nothing is ever spare, a chore waits no longer
_LONGEST_DELAY_NS = 500 * NS_PER_MS


class Chore(msgspec.Struct):
    """Something to do once in a while."""

    period_ns: int
    do: Callable[[int], None]
    due_ns: int = 0


class Chores:
    """At most one chore a step, the one that has waited longest."""

    def __init__(self, chores: Sequence[tuple[int, Callable[[int], None]]]) -> None:
        self._chores = [Chore(period_ns, do) for period_ns, do in chores]

    def step(self, now_ns: int, next_shot_ns: int | None) -> None:
        """Do what has waited longest if there is time before the next shot, or if it has waited too long."""
        chore = min(self._chores, key=lambda each: each.due_ns)
        is_spare = next_shot_ns is None or next_shot_ns - now_ns > _SPARE_NS
        if now_ns >= chore.due_ns and (is_spare or now_ns - chore.due_ns > _LONGEST_DELAY_NS):
            chore.due_ns = now_ns + chore.period_ns
            chore.do(now_ns)
