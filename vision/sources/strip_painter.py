"""The simulated belt made of real stills laid end to end; which still lies where is the strip world's to say."""

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sorter.errors import SourceError
from sorter.model.settings import Settings
from sorter.model.world import StripWorld
from sorter.runtime.labelled_folder import LabelledFolder
from vision.sources.decoding import is_picture, read_picture, resize_into
from vision.sources.painter import BeltScale

_DECODED_CAPACITY = 24


class StripPainter:
    """Copies the stretches of the stills that are in view; decoded stills are kept while they are near it."""

    def __init__(self, settings: Settings, folder: LabelledFolder, world: StripWorld, scale: BeltScale) -> None:
        """Check the stills, decode none.

        Args:
            settings: the picture's width.
            folder: the stills, in the order that the world counts them.
            world: which still lies where.
            scale: size of a pixel on the belt.

        Raises:
            SourceError: if a still is no picture.
        """
        self._paths = [picture.path for picture in folder.pictures]
        broken = next((path for path in self._paths if not is_picture(path)), None)
        if broken is not None:
            raise _unreadable(broken)
        self._world = world
        self._shape = scale.rows_at(world.picture_length_um), settings.camera.width_px, 3
        self._next_place = 0
        self._decoded = lru_cache(maxsize=_DECODED_CAPACITY)(self._decode)

    def paint(self, canvas: NDArray[np.uint8], first_row: int) -> None:
        """Fill a picture of the belt; see `BeltPainter`. Before belt coordinate 0 there is no belt: black."""
        rows = self._shape[0]
        last_row = first_row + len(canvas)
        self._next_place = max(0, (last_row - 1) // rows + 1)
        for place in range(first_row // rows, (last_row - 1) // rows + 1):
            # A still's first row is its furthest upstream, at row (place + 1) * rows of the belt.
            top = last_row - (place + 1) * rows
            target = canvas[max(0, top) : top + rows]
            if place < 0:
                target[:] = 0
            else:
                start = max(0, -top)
                target[:] = self._decoded(self._world.picture_index_at(place))[start : start + len(target)]

    def draw_ahead(self) -> None:
        """Decode the still that comes into view next."""
        self._decoded(self._world.picture_index_at(self._next_place))

    def _decode(self, index: int) -> NDArray[np.uint8]:
        picture = read_picture(self._paths[index])
        if picture is None:
            raise _unreadable(self._paths[index])
        if picture.shape == self._shape:
            return picture
        stretched = np.empty(self._shape, np.uint8)
        resize_into(picture, stretched)
        return stretched


def _unreadable(path: Path) -> SourceError:
    return SourceError(f"{path} cannot be read as a picture; mend it or take it off the strip")
