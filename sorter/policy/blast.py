"""Blast zones: which nozzles open over which stretch of belt for an item, and what else lies in the jet."""

from collections.abc import Iterable

import msgspec

from sorter.model.settings import StationSettings
from sorter.model.units import mm_to_um


class BlastZone(msgspec.Struct, frozen=True):
    """Nozzles first..last and the rectangle they blow, in belt coordinates (µm; low included, high excluded)."""

    first_nozzle: int
    last_nozzle: int
    x_low_um: int
    x_high_um: int
    belt_low_um: int
    belt_high_um: int

    def covers(self, x_um: int, belt_um: int) -> bool:
        """Whether a point lies in the jet."""
        return self.x_low_um <= x_um < self.x_high_um and self.belt_low_um <= belt_um < self.belt_high_um


class Candidate(msgspec.Struct, frozen=True):
    """An item as the value of a shot sees it: its centre, how likely it is a target, how likely another item.

    The two may leave a rest: that there is nothing at all, and the jet blows over empty belt.
    """

    x_um: int
    belt_um: int
    target_probability: float
    other_probability: float


def nozzle_over(x_um: int, station: StationSettings) -> int | None:
    """The nozzle under which a point of the belt passes, or None where the bar does not reach it."""
    number = (x_um - mm_to_um(station.first_nozzle_at_mm)) // mm_to_um(station.nozzle_pitch_mm)
    return number if 0 <= number < station.nozzle_count else None


def blast_zone(x_um: int, belt_um: int, width_um: int, length_um: int, station: StationSettings) -> BlastZone | None:
    """The zone around an item's centre that a station blows, or None where its bar does not reach the centre."""
    least_um = mm_to_um(station.min_blast_mm)
    half_width_um = max(round(width_um * station.blast_ratio), least_um) // 2
    half_length_um = max(round(length_um * station.blast_ratio), least_um) // 2
    if nozzle_over(x_um, station) is None:
        return None
    pitch_um, origin_um = mm_to_um(station.nozzle_pitch_mm), mm_to_um(station.first_nozzle_at_mm)
    first = max(0, (x_um - half_width_um - origin_um) // pitch_um)
    last = min(station.nozzle_count - 1, (x_um + half_width_um - origin_um) // pitch_um)
    return BlastZone(
        first_nozzle=first,
        last_nozzle=last,
        x_low_um=origin_um + first * pitch_um,
        x_high_um=origin_um + (last + 1) * pitch_um,
        belt_low_um=belt_um - half_length_um,
        belt_high_um=belt_um + half_length_um,
    )


def expected_value(candidates: Iterable[Candidate], cost: float) -> float:
    """Expected worth of a shot, in targets: each item taken along adds P(target), and takes cost · P(other) away."""
    return sum(item.target_probability - cost * item.other_probability for item in candidates)
