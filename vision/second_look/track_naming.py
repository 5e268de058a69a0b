"""Tracks named by both networks: a look now and then for each item, and its name in every view from then on."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from sorter.model.settings import DetectorSettings
from sorter.model.tracks import Track
from vision.second_look.looks import Looks
from vision.second_look.namer import ItemNamer


class TrackNaming:
    """One model's second looks at the items that one camera sees.

    Attributes:
        look_count: items looked at so far, each as often as it was.
    """

    def __init__(self, namer: ItemNamer, settings: DetectorSettings) -> None:
        self.look_count = 0
        self._namer = namer
        self._looks = Looks(settings.looks_per_item, settings.looks_per_view)

    def renamed(
        self, picture: NDArray[np.uint8], boxes_px: NDArray[np.float32], tracks: tuple[Track, ...]
    ) -> tuple[Track, ...]:
        """The tracks of a view, with the names of what was looked at by now in their scores.

        Args:
            picture: (H, W, 3) uint8 BGR, of which squares are cut.
            boxes_px: (N, 4) left, top, right, bottom of the tracks in it.
            tracks: N, with the first network's scores.
        """
        places = self._looks.wanted(tracks)
        for place, names in zip(places, self._namer.names(picture, boxes_px[places]), strict=True):
            self._looks.note(tracks[place], names)
        self.look_count += len(places)
        return tuple(map(self._renamed, tracks))

    def _renamed(self, track: Track) -> Track:
        names = self._looks.names_of(track.track_id)
        if names is None:
            return track
        scores = self._namer.fused(np.array([track.class_probs], np.float32), names[None])[0]
        return msgspec.structs.replace(track, class_probs=tuple(scores.astype(np.float64).tolist()))
