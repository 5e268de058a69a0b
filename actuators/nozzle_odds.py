"""How often something happened at each nozzle, of the times it could have, and whether that is still chance."""

import math
from collections.abc import Set as AbstractSet

import msgspec

from actuators.nozzle_use import Nozzle

# A nozzle is conspicuous when its figures would be as far from those of the others by chance once in so many.
_CHANCE = 1e-4
# A tail's terms fall; from this share of their sum on they change nothing that matters.
_NEGLIGIBLE = 1e-12


class _Count(msgspec.Struct):
    case_count: int = 0
    event_count: int = 0


class NozzleOdds:
    """Cases and events of every nozzle; each nozzle is measured by all the others together."""

    def __init__(self) -> None:
        self._counts: dict[Nozzle, _Count] = {}
        self._total = _Count()

    @property
    def nozzles(self) -> AbstractSet[Nozzle]:
        """Every nozzle that had a case."""
        return self._counts.keys()

    def note(self, nozzle: Nozzle, *, has_happened: bool) -> None:
        """Count a case, and whether the event came with it."""
        for count in (self._counts.setdefault(nozzle, _Count()), self._total):
            count.case_count += 1
            count.event_count += has_happened

    def rare_at(self, nozzle: Nozzle, most_ratio: float) -> bool:
        """Whether the event is too rare at a nozzle to be chance, if it may be no more frequent at any of them.

        False where the others never bring it either.
        """
        own, others = self._own_and_others(nozzle)
        if own.case_count == 0 or others.event_count == 0:
            return False
        ratio = min(most_ratio, others.event_count / others.case_count)
        return chance_of_so_few(own.event_count, own.case_count, ratio) < _CHANCE

    def frequent_at(self, nozzle: Nozzle, least_ratio: float) -> bool:
        """Whether the event is too frequent at a nozzle to be chance, if it may happen that often to any of them."""
        own, others = self._own_and_others(nozzle)
        ratio = max(least_ratio, others.event_count / others.case_count if others.case_count else 0.0)
        return chance_of_so_few(own.case_count - own.event_count, own.case_count, 1.0 - ratio) < _CHANCE

    def _own_and_others(self, nozzle: Nozzle) -> tuple[_Count, _Count]:
        own = self._counts.get(nozzle, _Count())
        return own, _Count(self._total.case_count - own.case_count, self._total.event_count - own.event_count)


def chance_of_so_few(event_count: int, case_count: int, event_ratio: float) -> float:
    """The probability of at most so many events, if each case brings one independently (binomial distribution)."""
    if event_count < 0:
        return 0.0
    if event_ratio >= 1.0:
        return float(event_count >= case_count)
    if event_count >= case_count * event_ratio:
        return 1.0 - chance_of_so_few(case_count - event_count - 1, case_count, 1.0 - event_ratio)
    return _lower_tail(event_count, case_count, event_ratio)


def _lower_tail(event_count: int, case_count: int, event_ratio: float) -> float:
    """The sum of the binomial terms from so many events, fewer than are expected, down: each is smaller than the last.

    Of the first the logarithm is taken, since its factors are beyond any float from a thousand cases on.
    """
    term = math.exp(
        math.lgamma(case_count + 1)
        - math.lgamma(event_count + 1)
        - math.lgamma(case_count - event_count + 1)
        + event_count * math.log(event_ratio)
        + (case_count - event_count) * math.log1p(-event_ratio)
    )
    total = term
    for events in range(event_count, 0, -1):
        term *= events / (case_count - events + 1) * (1.0 - event_ratio) / event_ratio
        total += term
        if term < _NEGLIGIBLE * total:
            break
    return total
