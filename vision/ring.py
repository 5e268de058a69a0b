"""The buffers that pictures are decoded into, allocated once; who fills a slot and for how long is the caller's care.

Loss rule: the oldest slot is overwritten, so a picture lives for `slot_count` frames.
"""

import numpy as np
from numpy.typing import NDArray


class FrameRing:
    """A fixed number of picture buffers, handed out in turn."""

    def __init__(self, slot_count: int, height_px: int, width_px: int) -> None:
        """Allocate the slots.

        Args:
            slot_count: pictures that stay valid at the same time, 1 or more.
            height_px: rows of a picture.
            width_px: columns of a picture.

        Raises:
            ValueError: if there is no slot or no pixel.
        """
        if min(slot_count, height_px, width_px) < 1:
            raise ValueError(f"a ring of {slot_count} slots of {height_px}×{width_px} pixels holds nothing")
        self._slots = np.zeros((slot_count, height_px, width_px, 3), np.uint8)
        self._views = tuple(self._slots)
        self._handed_out_count = 0

    @property
    def slot_count(self) -> int:
        """How many pictures stay valid at the same time."""
        return len(self._views)

    @property
    def handed_out_count(self) -> int:
        """How many slots were handed out so far."""
        return self._handed_out_count

    def next_slot(self) -> NDArray[np.uint8]:
        """The slot to fill next, (H, W, 3) uint8 BGR; it still holds the picture of `slot_count` frames ago."""
        slot = self._views[self._handed_out_count % len(self._views)]
        self._handed_out_count += 1
        return slot
