"""Whether a model keeps up with the belt on this machine: how long a view takes, and how long the belt gives it."""

from collections.abc import Callable

import msgspec
import numpy as np

from sorter.model.settings import Settings, camera_settings
from sorter.model.units import NS_PER_MS
from sorter.runtime.clock import Clock
from vision.detectors.detector import Detector, warm_up
from vision.frame import Frame

_TIMED_ROUNDS = 11
# Views may lie further apart by a quarter than configured, as they do on a hot board: items are seen often
# enough. With views half as far apart again they are not, and little is ejected.
_BORNE_RATIO = 1.25


class Pace(msgspec.Struct, frozen=True):
    """What the views of all cameras take each time that one is due, and what the belt gives them."""

    needed_ms: float
    given_ms: float

    @property
    def keeps_up(self) -> bool:
        """Whether they are done before the next are due, or so soon after that the line bears it."""
        return self.needed_ms <= _BORNE_RATIO * self.given_ms


def pace_of(detector: Detector, settings: Settings, clock: Clock) -> Pace:
    """Time a model as the line uses it, on a grey picture: the network, and the second looks at the items of a view.

    The least of several times counts, since other processes use the processor as well while a line starts.

    Args:
        detector: opened with these settings.
        settings: the line's: views, speed, cameras, looks.
        clock: what it is timed with.
    """
    looks_per_view, camera = settings.detector.looks_per_view, settings.camera
    picture = np.full((camera.height_px, camera.width_px, 3), 90, np.uint8)
    frame = Frame(0, 0, 0, picture)
    warm_up(detector, frame, looks_per_view)
    # pictures that are looked at side by side share the processor, so one is done every so often
    view_ms = _least_ms(lambda: detector.detect(frame), clock) / settings.detector.streams
    namer = detector.second_look
    if namer is not None:
        box_px = [camera.width_px / 4, camera.height_px / 4, camera.width_px / 2, camera.height_px / 2]
        boxes_px = np.tile(np.array(box_px, np.float32), (looks_per_view, 1))
        view_ms += _least_ms(lambda: namer.names(picture, boxes_px), clock)
    speed_m_s = settings.belt.speed_high_m_s or settings.belt.speed_m_s
    return Pace(len(camera_settings(settings)) * view_ms, camera.view_step_mm / speed_m_s)


def _least_ms(work: Callable[[], object], clock: Clock) -> float:
    spent_ns = []
    for _ in range(_TIMED_ROUNDS):
        before_ns = clock.now_ns()
        work()
        spent_ns.append(clock.now_ns() - before_ns)
    return min(spent_ns) / NS_PER_MS
