"""The description of a kept picture: its sidecar, put together from the tracks on it and the opinions on them."""

from collections.abc import Mapping
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from sorter.model.recipe import recipe_hash
from sorter.model.settings import Settings
from sorter.model.tracks import Track, TrackBatch
from vision.harvest.choice import Reason
from vision.harvest.opinions import Opinions
from vision.harvest.sidecar import KeptPicture, PreLabel, picture_stem, session_name

Findings = Mapping[int, tuple[Reason, ...]]


class Describer:
    """Describes pictures of one line."""

    def __init__(self, settings: Settings, opinions: Opinions) -> None:
        self._settings = settings
        self._recipe_hash = recipe_hash(settings.recipe)
        self._opinions = opinions
        self._limits_px = np.array([settings.camera.width_px, settings.camera.height_px] * 2, np.float64)

    def describe(
        self, batch: TrackBatch, boxes_px: NDArray[np.float64], reason: Reason, wall: datetime, findings: Findings
    ) -> KeptPicture:
        """The sidecar; the picture's name is still without the suffix of its file.

        Args:
            batch: frame and tracks.
            boxes_px: (N, 4) where the tracks are on the picture, in their order.
            reason: what the picture is kept for.
            wall: local wall time.
            findings: what single tracks gave reason for.
        """
        line_name, recipe = self._settings.line_name, self._settings.recipe
        return KeptPicture(
            picture=picture_stem(line_name, wall, batch.frame_id),
            width_px=self._settings.camera.width_px,
            height_px=self._settings.camera.height_px,
            reason=reason,
            kept_at=wall.isoformat(timespec="seconds"),
            session=session_name(line_name, wall),
            line_name=line_name,
            frame_id=batch.frame_id,
            exposed_at_ns=batch.exposed_at_ns,
            travel_um=batch.travel_um,
            model_id=batch.model_id,
            recipe_name=recipe.name,
            recipe_hash=self._recipe_hash,
            classes=recipe.classes,
            items=self._pre_labels(batch, boxes_px, findings),
        )

    def _pre_labels(self, batch: TrackBatch, boxes_px: NDArray[np.float64], findings: Findings) -> tuple[PreLabel, ...]:
        inside = boxes_px.clip(0.0, self._limits_px).round(2)
        is_seen = (inside[:, 2:] - inside[:, :2] >= 1.0).all(axis=1)
        rows = zip(batch.tracks, inside.tolist(), is_seen.tolist(), strict=True)
        seen = [(track, box) for track, box, is_visible in rows if is_visible]
        return tuple(
            self._pre_label(track, box, batch.model_id, findings.get(track.track_id, ())) for track, box in seen
        )

    def _pre_label(self, track: Track, box_px: list[float], model_id: str, reasons: tuple[Reason, ...]) -> PreLabel:
        probabilities = self._opinions.probabilities(track, model_id)
        class_id = int(probabilities.argmax())
        left, top, right, bottom = box_px
        return PreLabel(
            track_id=track.track_id,
            box_px=(left, top, right, bottom),
            class_name=self._settings.recipe.classes[class_id],
            probability=round(float(probabilities[class_id]), 5),
            class_probabilities=tuple(round(value, 5) for value in probabilities.tolist()),
            view_count=track.view_count,
            truncated=track.truncated,
            reasons=reasons,
        )
