"""What a source hands to a detector and what that hands back; never leaves `vision`, so pictures are not copied."""

import msgspec
import numpy as np
from numpy.typing import NDArray


class Frame(msgspec.Struct, frozen=True, eq=False):
    """One exposure of the camera.

    `image` is (H, W, 3) uint8 BGR, a slot of the ring: valid until the ring comes round to it again.
    """

    frame_id: int
    exposed_at_ns: int
    travel_um: int
    image: NDArray[np.uint8]


class Detections(msgspec.Struct, frozen=True, eq=False):
    """What a detector sees in one frame.

    `boxes_px` is (N, 4) float32, left, top, right, bottom in picture pixels, inside the picture; `class_probs` is
    (N, C) float32, one score per class in 0..1, rows need not add up to 1.
    """

    boxes_px: NDArray[np.float32]
    class_probs: NDArray[np.float32]
