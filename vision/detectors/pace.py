"""Whether a model keeps up with the belt on this machine: how long a view takes, and how long the belt gives it."""

import msgspec
import numpy as np

from sorter.model.settings import Settings, camera_settings
from sorter.runtime.clock import Clock
from vision.detectors.detector import Detector, warm_up
from vision.detectors.timing import grey_frame, spent_ms
from vision.frame import Frame

_MOST_ROUNDS = 11
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

    The least of several times counts, since other processes use the processor as well while a line starts; so it is
    timed no more once it has kept up.

    Args:
        detector: opened with these settings.
        settings: the line's: views, speed, cameras, looks.
        clock: what it is timed with.
    """
    camera = settings.camera
    frame = grey_frame(camera.height_px, camera.width_px)
    warm_up(detector, frame, settings.detector.looks_per_view)
    given_ms = camera.view_step_mm / (settings.belt.speed_high_m_s or settings.belt.speed_m_s)
    detect_ms, look_ms = [], []
    for _ in range(_MOST_ROUNDS):
        detect_ms.append(spent_ms(lambda: detector.detect(frame), clock))
        look_ms.append(spent_ms(lambda: _look(detector, frame, settings.detector.looks_per_view), clock))
        # pictures that are looked at side by side share the processor, so one is done every so often
        view_ms = min(detect_ms) / settings.detector.streams + min(look_ms)
        pace = Pace(len(camera_settings(settings)) * view_ms, given_ms)
        if pace.keeps_up:
            break
    return pace


def _look(detector: Detector, frame: Frame, look_count: int) -> None:
    if detector.second_look is not None:
        height_px, width_px = frame.image.shape[:2]
        box_px = np.array([width_px / 4, height_px / 4, width_px / 2, height_px / 2], np.float32)
        detector.second_look.names(frame.image, np.tile(box_px, (look_count, 1)))
