"""Which items of a view get a second look, and what the looks at an item say together; policy without pictures."""

from collections import OrderedDict
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from sorter.model.tracks import Track

# tracks that were seen least recently are forgotten; a belt has far fewer in view
_MOST_TRACKS = 1000


class Look(msgspec.Struct, frozen=True, eq=False):
    """All looks at an item so far: how many saw it whole, and the mean (C,) of what they say.

    With none, `names` is what the last look at a part of it says.
    """

    whole_count: int
    names: NDArray[np.float32]


class Looks:
    """What is known of the items in view.

    An item is looked at until it was seen whole as often as is asked for; what a part of it seemed to be counts for as
    long as nobody has seen the whole. Loss rule: of more items than a view has looks for, some must wait.
    """

    def __init__(self, looks_per_item: int, looks_per_view: int) -> None:
        self._looks_per_item = looks_per_item
        self._looks_per_view = looks_per_view
        self._looks: OrderedDict[int, Look] = OrderedDict()

    def __len__(self) -> int:
        """Items that something is known of."""
        return len(self._looks)

    def wanted(self, tracks: Sequence[Track]) -> list[int]:
        """Places in `tracks` of those to look at: first what nobody has looked at, then the best scores."""
        places = [place for place, track in enumerate(tracks) if self._is_wanted(track)]
        places.sort(key=lambda place: (tracks[place].track_id in self._looks, -max(tracks[place].class_probs)))
        return places[: self._looks_per_view]

    def note(self, track: Track, names: NDArray[np.float32]) -> None:
        """Take what a look at a track says, (C,); the looks of tracks seen least recently are let go."""
        before = self._looks.get(track.track_id)
        whole_count = 0 if before is None else before.whole_count
        if track.truncated:
            look = before if before is not None and whole_count else Look(0, names)
        elif before is None or not whole_count:
            look = Look(1, names)
        else:
            look = Look(whole_count + 1, before.names + (names - before.names) / np.float32(whole_count + 1))
        self._looks[track.track_id] = look
        while len(self._looks) > _MOST_TRACKS:
            self._looks.popitem(last=False)

    def names_of(self, track_id: int) -> NDArray[np.float32] | None:
        """What the looks at a track say, (C,); None: there was none yet."""
        look = self._looks.get(track_id)
        if look is None:
            return None
        self._looks.move_to_end(track_id)
        return look.names

    def _is_wanted(self, track: Track) -> bool:
        look = self._looks.get(track.track_id)
        if look is None or not look.whole_count:
            return True
        return not track.truncated and look.whole_count < self._looks_per_item
