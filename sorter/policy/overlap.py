"""How much items lie on each other, as far as their boxes tell: where it is much, areas and masses mean little."""

from collections.abc import Sequence

from sorter.policy.decision import BeltItem


def overlap_ratio(item: BeltItem, others: Sequence[BeltItem]) -> float:
    """Share of an item's box that boxes of others cover, in 0..1; what several cover counts several times, up to 1."""
    area_um2 = item.width_um * item.length_um
    if area_um2 == 0:
        return 0.0
    covered_um2 = sum(
        _common_um(item.x_um, item.width_um, other.x_um, other.width_um)
        * _common_um(item.belt_um, item.length_um, other.belt_um, other.length_um)
        for other in others
    )
    return min(1.0, covered_um2 / area_um2)


def _common_um(centre_um: int, extent_um: int, other_centre_um: int, other_extent_um: int) -> float:
    """Length that two stretches have in common."""
    reach_um = min(extent_um, other_extent_um, (extent_um + other_extent_um) / 2 - abs(centre_um - other_centre_um))
    return max(0.0, reach_um)
