"""What vision tells the rest of the line: items on the belt, in belt coordinates.

`x` runs across the belt from its left edge, `y` along it. A point's belt coordinate is the belt travel at which that
point passes the camera's reference line (the downstream edge of its view), so it never changes while the item lies.
"""

import msgspec


class BeltState(msgspec.Struct, frozen=True):
    """Where the belt is: travel since the encoder's zero and speed, at an instant of CLOCK_MONOTONIC."""

    measured_at_ns: int
    travel_um: int
    speed_um_s: int


class Track(msgspec.Struct, frozen=True):
    """One item as one view shows it.

    Geometry is the tracker's estimate over all views so far: centre and extents. `class_probs` (C,) are the raw class
    scores of this view alone, named anew where a second look was had at the item; the policy adds them up. `truncated`:
    the picture's edge cuts the item in this view.
    """

    track_id: int
    x_um: int
    belt_um: int
    width_um: int
    length_um: int
    class_probs: tuple[float, ...]
    view_count: int
    truncated: bool


class TrackBatch(msgspec.Struct, frozen=True):
    """All items that one processed frame shows; sent even when there are none.

    `precision`: the numbers that the model was really calculated in.
    """

    frame_id: int
    exposed_at_ns: int
    travel_um: int
    model_id: str
    tracks: tuple[Track, ...]
    precision: str = ""


class PreviewBox(msgspec.Struct, frozen=True):
    """One item on the preview picture, in its pixels (left, top, right, bottom)."""

    track_id: int
    left_px: int
    top_px: int
    right_px: int
    bottom_px: int


class Preview(msgspec.Struct, frozen=True):
    """A JPEG of the newest processed frame, and where the tracked items are on it."""

    frame_id: int
    exposed_at_ns: int
    travel_um: int
    width_px: int
    height_px: int
    aspect_ratio: float
    jpeg: bytes
    boxes: tuple[PreviewBox, ...]
