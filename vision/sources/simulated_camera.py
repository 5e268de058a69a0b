"""A camera over the simulated belt: exposures by the clock, lost frames, blur and noise; painters know what lies there.

Like a real camera it hands out the newest frame and loses what nobody took in time.
"""

import numpy as np
from numpy.random import PCG64, Generator
from numpy.typing import NDArray

from sorter.model.belt import CameraView
from sorter.model.drive import BeltDrive
from sorter.model.settings import Settings
from sorter.model.units import NS_PER_MS, UM_PER_M
from sorter.runtime.clock import Clock
from vision.sources.frame_times import FrameTimes
from vision.sources.painter import BeltPainter, BeltScale
from vision.sources.projection import TiltedView
from vision.sources.source import FrameTicket
from vision.sprites.compositing import add_sensor_noise, motion_blur

_LOSS_STREAM = 0x10556
# With less time than this until the next exposure the camera does not start on work for later.
_IDLE_NS = 8 * NS_PER_MS


class SimulatedCamera:
    """A source whose every picture follows from settings and frame number alone."""

    is_live = True
    is_exhausted = False
    fault: str | None = None
    copied_count = 0

    def __init__(self, settings: Settings, clock: Clock, epoch_ns: int, painter: BeltPainter) -> None:
        self.width_px = settings.camera.width_px
        self.height_px = settings.camera.height_px
        self._settings = settings
        self._epoch_ns = epoch_ns
        self._times = FrameTimes(clock, epoch_ns, settings.camera.frame_rate_hz)
        self._drive = BeltDrive(settings.belt)
        self._painter = painter
        self._scale = BeltScale.of_camera(settings.camera)
        self._downstream_edge_um = CameraView(settings.camera).downstream_edge_um
        self._tilted = TiltedView(settings.camera) if settings.camera.homography is not None else None
        self._next_id = 0
        self._ticket: FrameTicket | None = None
        self._dropped_count = 0

    @property
    def dropped_count(self) -> int:
        """Frames lost at random or overtaken by newer ones."""
        return self._dropped_count

    def grab(self, timeout_ms: float = 100.0) -> FrameTicket | None:
        """Take the newest frame not lost, or wait for the next; see `FrameSource`."""
        self._ticket = None
        deadline_ns = self._times.deadline_ns(timeout_ms)
        frame_id = self._newest_waiting_id()
        if self._times.remaining_ns(self._next_id) > _IDLE_NS and frame_id is None:
            self._painter.draw_ahead()
        while frame_id is None and self._times.wait_for(self._next_id, deadline_ns):
            frame_id = self._newest_waiting_id()
        if frame_id is not None:
            self._ticket = FrameTicket(frame_id, self._times.exposed_at_ns(frame_id))
        return self._ticket

    def retrieve(self, out: NDArray[np.uint8]) -> None:
        """Render the frame taken last; see `FrameSource`."""
        if self._ticket is None:
            raise RuntimeError("no frame was taken; call grab first")
        elapsed_ns = self._ticket.exposed_at_ns - self._epoch_ns
        first_row = self._scale.rows_at(self._drive.travel_um_at(elapsed_ns) + self._downstream_edge_um)
        if self._tilted is None:
            self._expose(out, first_row, elapsed_ns)
        else:
            self._expose(self._tilted.canvas, first_row, elapsed_ns)
            self._tilted.project(out)
        add_sensor_noise(out, self._settings.source.noise_grey_levels, self._noise_seed(self._ticket.frame_id))

    def close(self) -> None:
        """Nothing is held."""

    def _newest_waiting_id(self) -> int | None:
        """The newest frame exposed and not lost; all exposed ones are then used up, the others counted as dropped."""
        newest_id = self._times.newest_id()
        waiting = range(newest_id, self._next_id - 1, -1)
        found = next((frame_id for frame_id in waiting if not self._is_lost(frame_id)), None)
        self._dropped_count += len(waiting) - (found is not None)
        self._next_id = max(self._next_id, newest_id + 1)
        return found

    def _is_lost(self, frame_id: int) -> bool:
        ratio = self._settings.source.drop_ratio
        if ratio == 0.0:
            return False
        draw = Generator(PCG64([self._settings.simulation.seed, _LOSS_STREAM, frame_id])).random()
        return bool(draw < ratio)

    def _expose(self, canvas: NDArray[np.uint8], first_row: int, elapsed_ns: int) -> None:
        self._painter.paint(canvas, first_row)
        smear_um = self._settings.camera.exposure_us * self._drive.speed_um_s_at(elapsed_ns) / UM_PER_M
        motion_blur(canvas, smear_um / self._scale.row_um)

    def _noise_seed(self, frame_id: int) -> int:
        return (self._settings.simulation.seed << 32) + frame_id
