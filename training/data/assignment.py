"""Sharing groups of pictures out among parts so that pictures and classes are balanced: numbers in, numbers out."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from sorter.errors import DataFolderError

Counts = NDArray[np.float64]

_RESTART_COUNT = 24
_PASS_COUNT = 4


def assign_groups(counts: Counts, shares: Counts, seed: int) -> NDArray[np.int64]:
    """Give each group to one part, so that every part gets its share of the pictures and of each class.

    Args:
        counts: (G, 1 + C) pictures of each group, then labels of each class.
        shares: (P,) wanted share of each part, adding up to one.
        seed: of the orders in which it is tried.

    Returns:
        (G,) the part of each group; every part has at least one.

    Raises:
        DataFolderError: if there are fewer groups than parts.
    """
    if len(counts) < len(shares):
        raise DataFolderError(
            f"{len(counts)} groups of pictures that must stay together cannot fill {len(shares)} parts; "
            "ask for fewer parts or bring pictures of more capture sessions"
        )
    amounts = _as_shares(counts)
    rng = np.random.default_rng(seed)
    attempts = [_attempt(amounts, shares, rng) for _ in range(_RESTART_COUNT)]
    return min(attempts, key=lambda parts: _imbalance(amounts, parts, shares))


def _as_shares(counts: Counts) -> Counts:
    # Pictures weigh as much as all classes together; columns that are empty everywhere do not count.
    used = counts[:, counts.sum(axis=0) > 0]
    weights = np.full(used.shape[1], 1.0 / max(used.shape[1] - 1, 1))
    weights[0] = 1.0
    amounts: Counts = used / used.sum(axis=0) * np.sqrt(weights)
    return amounts


def _attempt(amounts: Counts, shares: Counts, rng: Generator) -> NDArray[np.int64]:
    sizes = amounts[:, 0] * rng.uniform(0.7, 1.4, len(amounts))
    order = np.argsort(-sizes)
    parts = np.full(len(amounts), -1, dtype=np.int64)
    filled = np.zeros((len(shares), amounts.shape[1]))
    wanted = _wanted(amounts, shares)
    for place, group in enumerate(order):
        empty = np.flatnonzero(~np.isin(np.arange(len(shares)), parts))
        # The last groups go to parts that would else stay empty.
        choices = empty if len(empty) == len(order) - place else np.arange(len(shares))
        parts[group] = choices[np.argmin(_change(amounts[group], filled, wanted)[choices])]
        filled[parts[group]] += amounts[group]
    for _ in range(_PASS_COUNT):
        _improve(parts, amounts, filled, wanted, rng)
    return parts


def _improve(parts: NDArray[np.int64], amounts: Counts, filled: Counts, wanted: Counts, rng: Generator) -> None:
    for group in rng.permutation(len(parts)):
        here = parts[group]
        if np.count_nonzero(parts == here) == 1:
            continue
        filled[here] -= amounts[group]
        parts[group] = int(np.argmin(_change(amounts[group], filled, wanted)))
        filled[parts[group]] += amounts[group]


def _change(amount: Counts, filled: Counts, wanted: Counts) -> Counts:
    change: Counts = ((filled + amount - wanted) ** 2 - (filled - wanted) ** 2).sum(axis=1)
    return change


def _wanted(amounts: Counts, shares: Counts) -> Counts:
    return np.outer(shares, amounts.sum(axis=0))


def _imbalance(amounts: Counts, parts: NDArray[np.int64], shares: Counts) -> float:
    filled = np.array([amounts[parts == part].sum(axis=0) for part in range(len(shares))])
    return float(((filled - _wanted(amounts, shares)) ** 2).sum())
