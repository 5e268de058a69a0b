"""What an integrator must know before the first shot, from the configuration alone, and what audit shots teach.

Lengths along the belt; physics in SI units, results in the units that tools show.
"""

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from sorter.model.settings import Settings
from sorter.model.units import MM_PER_M, UM_PER_MM

# A blur of less than one pixel costs a detector nothing; three quarters leaves room for vibration.
_GOOD_BLUR_PX = 0.75
_MS_PER_S = 1000.0


class Geometry(msgspec.Struct, frozen=True):
    """What speed, camera and distances make of each other.

    Attributes:
        blur_mm: how far the belt moves while the shutter is open.
        blur_px: the same on the picture.
        longest_exposure_us: what keeps the blur below three quarters of a pixel.
        frame_rate_hz: what one view each `view_step_mm` takes.
        views_per_item: of an item's centre, from edge to edge of the view.
        lead_ms: by station, from the last view that shows an item's centre until its valve must be told to move.
        needed_ms: what detector, link and gate need of that.
    """

    speed_m_s: float
    blur_mm: float
    blur_px: float
    longest_exposure_us: float
    frame_rate_hz: float
    views_per_item: float
    lead_ms: dict[str, float]
    needed_ms: float

    @property
    def is_sharp(self) -> bool:
        """Whether motion blurs no more than three quarters of a pixel."""
        return self.blur_px <= _GOOD_BLUR_PX

    def is_far_enough(self, station_id: str) -> bool:
        """Whether a command reaches the station in time."""
        return self.lead_ms[station_id] >= self.needed_ms


def geometry(settings: Settings) -> Geometry:
    """What the configuration's speed, camera and distances make of each other, at the belt's highest speed."""
    belt, camera, recipe = settings.belt, settings.camera, settings.recipe
    speed_m_s = belt.speed_high_m_s or belt.speed_m_s
    mm_per_px = camera.view_length_mm / camera.height_px
    blur_mm = speed_m_s * camera.exposure_us / 1000.0
    slowest_ms = max([settings.valves.response_ms, *settings.valves.own_response_ms.values()])
    return Geometry(
        speed_m_s=speed_m_s,
        blur_mm=blur_mm,
        blur_px=blur_mm / mm_per_px,
        longest_exposure_us=_GOOD_BLUR_PX * mm_per_px / speed_m_s * 1000.0,
        frame_rate_hz=speed_m_s * MM_PER_M / camera.view_step_mm,
        views_per_item=camera.view_length_mm / camera.view_step_mm,
        lead_ms={
            station.id: (station.offset_mm - camera.view_step_mm - station.min_blast_mm / 2) / speed_m_s - slowest_ms
            for station in recipe.stations
        },
        needed_ms=recipe.lead_time_ms + settings.simulation.modelled_latency_ms,
    )


class AuditShot(msgspec.Struct, frozen=True):
    """A shot at a known item: the belt's speed, and how far behind the item's middle (upstream: above 0) it hit."""

    speed_m_s: float
    miss_mm: float


class Correction(msgspec.Struct, frozen=True):
    """What to add to the station's offset and to the valves' response, and what misses remain.

    `response_ms` is None where all shots were fired at about one speed: then delay and distance look alike, and all of
    the miss is taken for distance.
    """

    offset_mm: float
    response_ms: float | None
    residual_mm: float


def correction(shots: Sequence[AuditShot]) -> Correction:
    """Offset and delay that explain the misses best, by least squares.

    A valve that answers `t` later than configured hits `speed · t` behind, one whose bar is `d` further upstream than
    configured hits `d` behind at every speed: miss = d + speed · t. So the bar's distance is to be told `d` shorter,
    and the response `t` longer.

    Raises:
        ValueError: without a shot.
    """
    if not shots:
        raise ValueError("no audit shot")
    speeds_m_s = np.array([shot.speed_m_s for shot in shots])
    misses_mm = np.array([shot.miss_mm for shot in shots])
    if float(np.ptp(speeds_m_s)) < 0.2 * float(speeds_m_s.max()):
        distance_mm, delay_ms = float(misses_mm.mean()), 0.0
        response_ms = None
    else:
        # mm per m/s is ms
        delay_ms, distance_mm = (float(value) for value in np.polyfit(speeds_m_s, misses_mm, 1))
        response_ms = delay_ms
    left_mm = misses_mm - (distance_mm + speeds_m_s * delay_ms)
    return Correction(-distance_mm, response_ms, math.sqrt(float(np.mean(left_mm**2))))


def travelled_mm(speed_um_s: int, duration_ms: float) -> float:
    """How far the belt goes in a time."""
    return speed_um_s / UM_PER_MM * duration_ms / _MS_PER_S
