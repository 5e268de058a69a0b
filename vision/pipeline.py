"""The pipeline: frame → detections → tracks, for those frames that the belt's travel makes worth a view."""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from sorter.model.belt import CameraView
from sorter.model.settings import Settings
from sorter.model.stage_times import StageTimes
from sorter.model.tracks import TrackBatch
from sorter.model.units import mm_to_um
from sorter.runtime.clock import Clock
from vision.detectors.detector import Detector
from vision.frame import Frame
from vision.ring import FrameRing
from vision.sources.source import FrameSource, FrameTicket
from vision.tracking import BeltTracker
from vision.travel_trigger import TravelTrigger

RING_SLOT_COUNT = 4
_Result = TypeVar("_Result")


class View(msgspec.Struct, frozen=True, eq=False):
    """A processed frame and what was seen on it."""

    frame: Frame
    batch: TrackBatch


class Pipeline:
    """One camera's way from frames to tracks.

    Attributes:
        stages: how long each stage takes.
        view_count: frames processed.
    """

    def __init__(
        self, settings: Settings, source: FrameSource, detector: Detector, clock: Clock, *, decodes: bool = True
    ) -> None:
        """Join source and detector.

        Args:
            settings: the line's configuration.
            source: where frames come from.
            detector: what finds items on them.
            clock: what the stages are timed with.
            decodes: False where neither detector nor screen looks at the picture, as in a score with the oracle.
        """
        self._decodes = decodes
        self._source = source
        self._detector = detector
        self._clock = clock
        self._ring = FrameRing(RING_SLOT_COUNT, source.height_px, source.width_px)
        self._trigger = TravelTrigger(mm_to_um(settings.camera.view_step_mm))
        self.tracker = BeltTracker(CameraView(settings.camera), settings.tracking)
        self.stages = StageTimes()
        self.view_count = 0

    @property
    def detector(self) -> Detector:
        """What finds items on the frames at present."""
        return self._detector

    def use_detector(self, detector: Detector) -> None:
        """Let another model see from the next frame on; tracks go on, since they are places on the belt."""
        self._detector = detector

    def take(self, ticket: FrameTicket, travel_um: int) -> View | None:
        """Process a grabbed frame, or leave it undecoded where no view is due.

        Args:
            ticket: the frame that the source grabbed last.
            travel_um: belt travel at its exposure.
        """
        return self.process(self.retrieve(ticket, travel_um)) if self._trigger.fires(travel_um) else None

    def take_picture(self, frame: Frame) -> View | None:
        """The same for a frame that had to be decoded anyway, because its picture told the travel."""
        return self.process(frame) if self._trigger.fires(frame.travel_um) else None

    def retrieve(self, ticket: FrameTicket, travel_um: int) -> Frame:
        """Decode the frame that the source grabbed last into the next slot of the ring."""
        slot = self._ring.next_slot()
        if self._decodes:
            self._timed("retrieve", lambda: self._source.retrieve(slot))
        return Frame(ticket.frame_id, ticket.exposed_at_ns, travel_um, slot)

    def process(self, frame: Frame) -> View:
        """Detect and track on one frame."""
        detections = self._timed("detect", lambda: self._detector.detect(frame))
        tracks = self._timed("track", lambda: self.tracker.update(detections, frame.travel_um))
        self.view_count += 1
        batch = TrackBatch(frame.frame_id, frame.exposed_at_ns, frame.travel_um, self._detector.model_id, tracks)
        return View(frame, batch)

    def _timed(self, stage: str, work: Callable[[], _Result]) -> _Result:
        started_ns = self._clock.now_ns()
        result = work()
        self.stages.note(stage, self._clock.now_ns() - started_ns)
        return result
