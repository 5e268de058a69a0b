"""The preview: now and then a JPEG of the newest frame, with the places of the tracked items, for screens."""

import cv2
import numpy as np

from sorter.model.settings import Settings
from sorter.model.tracks import Preview, PreviewBox, Track
from sorter.model.units import NS_PER_S
from vision.frame import Frame
from vision.tracking import BeltTracker

_JPEG_QUALITY = 80


class PreviewWriter:
    """Decides when a preview is due and makes it."""

    def __init__(self, settings: Settings) -> None:
        self._period_ns = round(NS_PER_S / settings.ui.preview_rate_hz)
        self._idle_period_ns = max(self._period_ns, NS_PER_S // 2)
        self._aspect_ratio = settings.camera.view_width_mm / settings.camera.view_length_mm
        self._sent_at_ns: int | None = None

    def is_due(self, now_ns: int) -> bool:
        """Whether a processed frame should be shown."""
        return self._sent_at_ns is None or now_ns - self._sent_at_ns >= self._period_ns

    def is_overdue(self, now_ns: int) -> bool:
        """Whether even an unprocessed frame should be shown, as on a standing belt."""
        return self._sent_at_ns is None or now_ns - self._sent_at_ns >= self._idle_period_ns

    def write(self, frame: Frame, tracks: tuple[Track, ...], tracker: BeltTracker, now_ns: int) -> Preview:
        """The preview of a frame; boxes are clipped to the picture."""
        self._sent_at_ns = now_ns
        height_px, width_px = frame.image.shape[:2]
        boxes_px = tracker.boxes_px(tracks, frame.travel_um)
        limits_px = np.array([width_px, height_px, width_px, height_px])
        corners = np.rint(boxes_px.clip(0, limits_px)).astype(int).tolist()
        _, jpeg = cv2.imencode(".jpg", frame.image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        return Preview(
            frame_id=frame.frame_id,
            exposed_at_ns=frame.exposed_at_ns,
            travel_um=frame.travel_um,
            width_px=width_px,
            height_px=height_px,
            aspect_ratio=self._aspect_ratio,
            jpeg=jpeg.tobytes(),
            boxes=tuple(PreviewBox(track.track_id, *box) for track, box in zip(tracks, corners, strict=True)),
        )
