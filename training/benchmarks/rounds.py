"""Contenders measured in turns, so that whatever else the machine does falls on all of them alike."""

import statistics
from collections.abc import Callable, Mapping, Sequence

from training.progress import progress

Measure = Callable[[], float]


def interleaved(contenders: Mapping[str, Measure], round_count: int, label: str) -> dict[str, list[float]]:
    """Let every contender measure once a round, in an order that shifts by one from round to round.

    Args:
        contenders: what each measures with; the values of one key are alike in unit.
        round_count: 1 or more.
        label: what the progress bar is called.

    Returns:
        For each contender its values, one a round, in the order of rounds.
    """
    names = list(contenders)
    order = [name for turn in range(round_count) for name in _shifted(names, turn)]
    values: dict[str, list[float]] = {name: [] for name in names}
    with progress(order, len(order), label) as steps:
        for name in steps:
            values[name].append(contenders[name]())
    return values


def median_ratio(above: Sequence[float], below: Sequence[float]) -> float:
    """The median over the rounds of one contender's value over another's."""
    return statistics.median(one / other for one, other in zip(above, below, strict=True))


def median_difference(minuend: Sequence[float], subtrahend: Sequence[float]) -> float:
    """The median over the rounds of one contender's value less another's."""
    return statistics.median(one - other for one, other in zip(minuend, subtrahend, strict=True))


def _shifted(names: Sequence[str], turn: int) -> list[str]:
    first = turn % len(names)
    return [*names[first:], *names[:first]]
