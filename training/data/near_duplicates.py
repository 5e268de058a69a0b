"""Pictures that look the same, mirrored or turned by half included, by the distance of their perceptual hashes.

Measured: different pictures of two real belts are at least 62 of 256 bits apart; two shots of one resting item, up to
58; the same picture compressed again, relit or cut by a fiftieth, at most 48 and mostly below 30.
"""

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from training.data.picture_file import HASH_BITS

NEAR_BITS = 54
_BLOCK = 1024


class NearPair(msgspec.Struct, frozen=True):
    """Two pictures, by their place in the list, and how many bits of their hashes differ."""

    first: int
    second: int
    bit_count: int


def near_pairs(looks: Sequence[NDArray[np.bool_]], most_bits: int = NEAR_BITS) -> list[NearPair]:
    """All pairs whose hashes differ in at most `most_bits`.

    Args:
        looks: of each picture, (4, 256) bool hashes: as it is, mirrored, upside down, turned by half.
        most_bits: how many of the 256 may differ.
    """
    if not looks:
        return []
    signs = np.where(np.array(looks), np.float32(1), np.float32(-1))
    return [pair for start in range(0, len(signs), _BLOCK) for pair in _pairs_of_block(signs, start, most_bits)]


def joined_groups(count: int, pairs: Sequence[tuple[int, int]]) -> list[int]:
    """Number of the group of each of `count` things, where a pair joins the groups of its two."""
    leader = list(range(count))
    for first, second in pairs:
        low, high = sorted((_leader_of(first, leader), _leader_of(second, leader)))
        leader[high] = low
    return [_leader_of(one, leader) for one in range(count)]


def _leader_of(one: int, leader: list[int]) -> int:
    while leader[one] != one:
        leader[one] = leader[leader[one]]
        one = leader[one]
    return one


def _pairs_of_block(signs: NDArray[np.float32], start: int, most_bits: int) -> Iterator[NearPair]:
    block = signs[start : start + _BLOCK, 0]
    agreement = np.max([block @ signs[:, turn].T for turn in range(signs.shape[1])], axis=0)
    bit_counts = np.rint((HASH_BITS - agreement) / 2).astype(int)
    for row, second in np.argwhere(bit_counts <= most_bits):
        if start + row < second:
            yield NearPair(int(start + row), int(second), int(bit_counts[row, second]))
