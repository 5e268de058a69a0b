"""A folder of pictures, every one a frame, as if the belt moved on by one view between them."""

import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sorter.errors import SourceError
from sorter.model.settings import Settings
from sorter.model.units import UM_PER_M, UM_PER_MM
from sorter.runtime.clock import Clock
from sorter.runtime.labelled_folder import PICTURE_SUFFIXES
from vision.sources.decoding import read_picture, resize_into
from vision.sources.frame_times import FrameTimes
from vision.sources.source import FrameTicket

_LOG = logging.getLogger(__name__)


class PictureFolder:
    """A source that ends; pictures in the order of their names, so far apart that no two show the same belt.

    A picture is decoded when it is taken, since only that shows whether there is one.
    """

    is_live = False
    fault: str | None = None

    def __init__(self, settings: Settings, clock: Clock, epoch_ns: int) -> None:
        """List the pictures at `source.location`.

        Args:
            settings: location, picture size, and the view and belt speed that give the pace.
            clock: what frames are waited for on.
            epoch_ns: when the first picture counts as exposed.

        Raises:
            SourceError: if there is no such folder, or no readable picture in it.
        """
        self.width_px = settings.camera.width_px
        self.height_px = settings.camera.height_px
        self.dropped_count = 0
        self.copied_count = 0
        self._paths = _pictures(Path(settings.source.location))
        views_per_s = settings.belt.speed_m_s * UM_PER_M / (settings.camera.view_length_mm * UM_PER_MM)
        self._times = FrameTimes(clock, epoch_ns, views_per_s)
        self._next_id = 0
        self._picture: NDArray[np.uint8] | None = None

    @property
    def is_exhausted(self) -> bool:
        """Whether all pictures were taken."""
        return self._next_id >= len(self._paths)

    def grab(self, timeout_ms: float = 100.0) -> FrameTicket | None:
        """Take the next readable picture, however late it is taken; see `FrameSource`."""
        self._picture = None
        deadline_ns = self._times.deadline_ns(timeout_ms)
        while not self.is_exhausted and self._times.wait_for(self._next_id, deadline_ns):
            frame_id = self._next_id
            self._next_id += 1
            self._picture = read_picture(self._paths[frame_id])
            if self._picture is not None:
                return FrameTicket(frame_id, self._times.exposed_at_ns(frame_id))
            self.dropped_count += 1
            _LOG.warning("picture %s cannot be read and is skipped", self._paths[frame_id])
        self._times.wait_out(deadline_ns)
        return None

    def retrieve(self, out: NDArray[np.uint8]) -> None:
        """Fit the picture taken last into `out`; see `FrameSource`."""
        if self._picture is None:
            raise RuntimeError("no frame was taken; call grab first")
        self.copied_count += 1
        resize_into(self._picture, out)

    def close(self) -> None:
        """Take no more pictures."""
        self._next_id = len(self._paths)


def _pictures(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise SourceError(f"source.location = {str(folder)!r}: no such folder of pictures")
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES)
    if all(read_picture(path) is None for path in paths):
        raise SourceError(
            f"source.location = {str(folder)!r}: no readable picture there; "
            f"looked for {', '.join(sorted(PICTURE_SUFFIXES))}"
        )
    return paths
