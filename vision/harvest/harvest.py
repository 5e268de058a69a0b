"""The harvest beside the frame path: looks at each view after its tracks were sent, and keeps what is worth a label."""

from collections import deque
from collections.abc import Callable
from datetime import datetime, timezone

import msgspec
import numpy as np
from numpy.typing import NDArray

from sorter.calibration import ModelCalibrations
from sorter.model.condition import Fault
from sorter.model.settings import Settings
from sorter.model.tracks import Preview, Track, TrackBatch
from sorter.model.units import NS_PER_S
from sorter.policy.evidence import Calibration
from sorter.runtime.process import ProcessContext
from vision.harvest.choice import (
    Reason,
    choose,
    elapsed_ratio_at,
    in_shift,
    is_drawn,
    limits_from,
    shift_at,
    with_choice,
)
from vision.harvest.description import Describer
from vision.harvest.opinions import Opinions
from vision.harvest.picture_queue import PictureQueue
from vision.harvest.picture_store import ChosenPicture, PictureStore, wall_ns_of
from vision.harvest.sidecar import KeptPicture
from vision.pipeline import View

# Half a minute at ten pictures a second: who touches an item reads why it was ejected before calling that wrong.
_SHOWN_COUNT = 300
_RETRY_AFTER_NS = 60 * NS_PER_S

BoxesOf = Callable[[tuple[Track, ...], int], NDArray[np.float64]]


def open_harvest(context: ProcessContext) -> "Harvest | None":
    """The harvest that the configuration asks for, None where it names no folder.

    A folder that cannot be used is a fault to show, not a reason to leave the belt unsorted.

    Raises:
        BundleError: if the model bundle cannot be used.
    """
    if not context.settings.harvest.folder:
        return None
    calibration_of = ModelCalibrations(context.settings).of
    return Harvest(context.settings, calibration_of, local_wall, context.tell_fault)


def local_wall() -> datetime:
    """The clock on the plant's wall."""
    return datetime.now(timezone.utc).astimezone()


class Harvest:
    """Chooses pictures and hands them to the writer."""

    def __init__(
        self,
        settings: Settings,
        calibration_of: Callable[[str], Calibration],
        wall: Callable[[], datetime],
        publish: Callable[[Fault], None],
        open_queue: Callable[[PictureStore], PictureQueue] = PictureQueue,
    ) -> None:
        """Open the folder and start the writer.

        Args:
            settings: the line's configuration.
            calibration_of: calibration of a model's scores, by the model's id.
            wall: tells local wall time.
            publish: where faults go.
            open_queue: what stands between the frame path and the folder.
        """
        self._settings = settings
        self._wall = wall
        self._publish = publish
        self._limits = limits_from(settings)
        self._opinions = Opinions(settings, calibration_of)
        self._describer = Describer(settings, self._opinions)
        self._store = PictureStore(settings.harvest, self._limits)
        self._store.open()
        self._kept = self._store.kept_in_shift(wall())
        self._queue = open_queue(self._store)
        self._shown: deque[tuple[Preview, TrackBatch]] = deque(maxlen=_SHOWN_COUNT)
        self._is_flag_waiting = False
        self._seen_at_ns: int | None = None
        self._fault: Fault | None = None
        self._retry_at_ns = 0

    def see(self, view: View, boxes_px_of: BoxesOf) -> None:
        """Look at a view, and keep it if there is a reason; the picture is copied only then.

        Args:
            view: the frame, whose picture is still in the ring, and its tracks.
            boxes_px_of: where tracks are on the picture taken at a travel.
        """
        wall = self._wall()
        findings = self._opinions.take(view.batch)
        reasons = frozenset(reason for found in findings.values() for reason in found) | self._asked_or_drawn(wall)
        reason = self._choose(reasons, view.batch.travel_um, wall) if reasons else None
        if reason is not None:
            boxes_px = boxes_px_of(view.batch.tracks, view.batch.travel_um)
            description = self._describer.describe(view.batch, boxes_px, reason, wall, findings)
            self._keep(view.frame.image.copy(), description)

    def note_shown(self, preview: Preview, batch: TrackBatch) -> None:
        """Remember what screens show for the half minute in which somebody may want it kept."""
        self._shown.append((preview, batch))

    def keep_shown(self, frame_id: int | None) -> None:
        """Keep the picture that the operator points at; if it is gone already, the next one."""
        found = next((pair for pair in self._shown if pair[0].frame_id == frame_id), None)
        if found is None:
            self._is_flag_waiting = True
            return
        preview, batch = found
        wall = self._wall()
        reason = self._choose(frozenset({Reason.FLAGGED}), preview.travel_um, wall)
        if reason is not None:
            shown = msgspec.structs.replace(
                batch, frame_id=preview.frame_id, exposed_at_ns=preview.exposed_at_ns, travel_um=preview.travel_um
            )
            self._keep(preview.jpeg, self._describer.describe(shown, _boxes_px(preview), reason, wall, {}))

    def step(self, now_ns: int) -> None:
        """Say so when writing had to stop, try again once a minute, and say so when it goes on."""
        stopped_because = self._store.stopped_because
        if stopped_because is not None and self._fault is None:
            self._fault = Fault("vision", "harvest_stopped", stopped_because, now_ns)
            self._retry_at_ns = now_ns + _RETRY_AFTER_NS
            self._publish(self._fault)
        elif stopped_because is not None and now_ns >= self._retry_at_ns:
            self._retry_at_ns = now_ns + _RETRY_AFTER_NS
            self._queue.reopen()
        elif stopped_because is None and self._fault is not None:
            self._publish(msgspec.structs.replace(self._fault, is_cleared=True))
            self._fault = None

    def figures(self) -> dict[str, float]:
        """Counts for the process's health; pictures by reason are those of this shift."""
        by_reason = {f"harvest_{reason.value}_count": float(self._kept.counts.get(reason, 0)) for reason in Reason}
        return {
            **by_reason,
            "harvest_written_count": float(self._store.written_count),
            "harvest_dropped_count": float(self._queue.dropped_count),
            "harvest_folder_mib": self._store.byte_count / (1 << 20),
        }

    def close(self) -> None:
        """Write what waits."""
        self._queue.close()

    def _asked_or_drawn(self, wall: datetime) -> frozenset[Reason]:
        wall_ns, seen_at_ns = wall_ns_of(wall), self._seen_at_ns
        flagged = {Reason.FLAGGED} if self._is_flag_waiting else set()
        self._seen_at_ns, self._is_flag_waiting = wall_ns, False
        draw_count = self._limits.quotas[Reason.RANDOM]
        is_next = seen_at_ns is not None and is_drawn(seen_at_ns, wall_ns, draw_count, self._settings.harvest)
        return frozenset(flagged | ({Reason.RANDOM} if is_next else set()))

    def _choose(self, reasons: frozenset[Reason], travel_um: int, wall: datetime) -> Reason | None:
        if self._store.stopped_because is not None:
            return None
        wall_ns, harvest = wall_ns_of(wall), self._settings.harvest
        shift, elapsed_ratio = shift_at(wall_ns, harvest), elapsed_ratio_at(wall_ns, harvest)
        self._kept = msgspec.structs.replace(in_shift(self._kept, shift), byte_count=self._store.byte_count)
        reason = choose(reasons, travel_um, elapsed_ratio, self._kept, self._limits)
        if reason is not None:
            self._kept = with_choice(self._kept, reason, travel_um)
        return reason

    def _keep(self, image: NDArray[np.uint8] | bytes, description: KeptPicture) -> None:
        is_jpeg = isinstance(image, bytes) or self._settings.harvest.picture_format == "jpeg"
        name = description.picture + (".jpg" if is_jpeg else ".png")
        self._queue.put(ChosenPicture(image, msgspec.structs.replace(description, picture=name)))


def _boxes_px(preview: Preview) -> NDArray[np.float64]:
    corners = [(box.left_px, box.top_px, box.right_px, box.bottom_px) for box in preview.boxes]
    return np.array(corners, np.float64).reshape(-1, 4)
