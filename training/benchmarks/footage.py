"""The pictures that benches look at: drawn belts at 720p, ready before timing starts, handed out as fast as asked."""

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from sorter.model.belt import BeltTravel
from sorter.model.settings import Settings
from sorter.model.units import NS_PER_S, mm_to_um
from sorter.runtime.clock import ManualClock
from sorter.runtime.configuration import merged_tables, settings_from
from vision.sources import open_source
from vision.sources.source import FrameTicket

WIDTH_PX, HEIGHT_PX = 1280, 720
STEP_MM = 100.0
_RATE_HZ = 30.0
# at this share of covered belt one item is in view, on the average
_OCCUPANCY_RATIO_OF_ONE = 0.0048


def bench_settings(item_count: int = 20, tables: dict[str, Any] | None = None) -> Settings:
    """A line with a 720p camera over 2.8 × 1.6 m of belt, and a view every 100 mm of travel.

    Args:
        item_count: items in view on the average; the network sees some more or less.
        tables: further tables of the configuration, laid over these.
    """
    ours: dict[str, Any] = {
        "camera": {
            "width_px": WIDTH_PX,
            "height_px": HEIGHT_PX,
            "view_width_mm": 2800.0,
            "view_length_mm": 1575.0,
            "view_step_mm": STEP_MM,
            "frame_rate_hz": _RATE_HZ,
        },
        "belt": {"width_mm": 2800.0, "speed_m_s": STEP_MM * _RATE_HZ / 1000.0},
        "simulation": {"occupancy_ratio": min(0.6, _OCCUPANCY_RATIO_OF_ONE * item_count)},
        "detector": {"allow_unsigned": True},
    }
    return settings_from(merged_tables(ours, tables or {}))


class Footage(msgspec.Struct, frozen=True):
    """Pictures (N, H, W, 3) uint8 BGR, each `step_um` of travel after the one before."""

    pictures: NDArray[np.uint8]
    step_um: int


def draw_footage(settings: Settings, picture_count: int) -> Footage:
    """Pictures of the settings' sprites on their belt, once the belt is full."""
    clock = ManualClock(start_ns=2 * NS_PER_S)
    source = open_source(settings, clock, epoch_ns=0)
    pictures = np.empty((picture_count, source.height_px, source.width_px, 3), np.uint8)
    for picture in pictures:
        source.grab()
        source.retrieve(picture)
    source.close()
    return Footage(pictures, mm_to_um(settings.camera.view_step_mm))


class FootageTravel(BeltTravel):
    """Travel at the exposures of footage: one step a frame."""

    def __init__(self, footage: Footage) -> None:
        super().__init__()
        self._step_um = footage.step_um

    def travel_um_at(self, instant_ns: int) -> int | None:
        """Belt travel at an exposure; see `FootageSource` for what its instant is."""
        return instant_ns * self._step_um


class FootageSource:
    """A `FrameSource` that hands out footage over and over; copying a picture into the slot stands for decoding it.

    Nothing waits for a clock, so the instant of a frame's exposure is just its number.
    """

    is_live = False
    is_exhausted = False
    fault: str | None = None
    dropped_count = 0
    copied_count = 0

    def __init__(self, footage: Footage, *, is_copied: bool = True) -> None:
        """Hand out nothing yet.

        Args:
            footage: the pictures.
            is_copied: False leaves the slot as it is, for benches in which nobody looks at it.
        """
        self._footage = footage
        self._is_copied = is_copied
        self.height_px, self.width_px = footage.pictures.shape[1:3]
        self._taken_count = 0

    def grab(self, timeout_ms: float = 100.0) -> FrameTicket | None:  # noqa: ARG002 - frames are there at once
        """The next picture; see `FrameSource`."""
        self._taken_count += 1
        return FrameTicket(self._taken_count, self._taken_count)

    def retrieve(self, out: NDArray[np.uint8]) -> None:
        """Copy the picture taken last; see `FrameSource`."""
        if self._is_copied:
            np.copyto(out, self._footage.pictures[self._taken_count % len(self._footage.pictures)])

    def close(self) -> None:
        """Nothing is held."""
