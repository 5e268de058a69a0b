"""How well a tracker kept items apart and together, against a course whose items are known; pure functions."""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

Identities = NDArray[np.int64]


class IdentityScore(msgspec.Struct, frozen=True):
    """Items that were there, items counted, and how often a seen item changed its identity."""

    item_count: int
    counted_count: int
    switch_count: int

    @property
    def count_error_ratio(self) -> float:
        """How far the count is off, as a share of the items."""
        return abs(self.counted_count - self.item_count) / self.item_count

    @property
    def switches_per_100_items(self) -> float:
        """Changes of identity per hundred items."""
        return 100.0 * self.switch_count / self.item_count


def identity_score(
    item_ids: Sequence[Identities], identities: Sequence[Identities], least_view_count: int
) -> IdentityScore:
    """Compare identities with the truth.

    What has fewer views than an item needs to be decided is counted on neither side. A switch is an item seen under
    one identity and next under another; views without an identity (negative) are passed over.

    Args:
        item_ids: which item each box of each frame is of.
        identities: what the tracker called it.
        least_view_count: views that make an item.
    """
    true, told = np.concatenate(item_ids), np.concatenate(identities)
    is_told = told >= 0
    switch_count = _switch_count(true[is_told], told[is_told])
    return IdentityScore(
        _seen_often(true, least_view_count), _seen_often(told[is_told], least_view_count), switch_count
    )


def _seen_often(ids: Identities, least_view_count: int) -> int:
    return int((np.unique(ids, return_counts=True)[1] >= least_view_count).sum())


def _switch_count(true: Identities, told: Identities) -> int:
    # a stable sort brings each item's views together and keeps them in the order of frames
    order = np.argsort(true, kind="stable")
    true, told = true[order], told[order]
    return int(((true[1:] == true[:-1]) & (told[1:] != told[:-1])).sum())
