"""The pipeline: frame → detections → tracks → names, for those frames that the belt's travel makes worth a view.

`take` does it all before it returns, as virtual time needs it; `begin` and `finish` keep the network busy while frames
are decoded and tracked.
"""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from sorter.model.belt import CameraView
from sorter.model.settings import Settings
from sorter.model.stage_times import StageTimes
from sorter.model.tracks import TrackBatch
from sorter.model.units import NS_PER_MS, mm_to_um
from sorter.runtime.clock import Clock
from vision.detectors.detector import CountsBytes, Detector
from vision.frame import Detections, Frame
from vision.looking import Looking
from vision.picture_memory import slot_memory
from vision.ring import FrameRing
from vision.second_look.track_naming import TrackNaming
from vision.sources.source import FrameSource, FrameTicket
from vision.tracking import BeltTracker
from vision.travel_trigger import TravelTrigger

# beyond the frames before the network: what is written, shown, kept, and lies with a screen
_FURTHER_SLOT_COUNT = 4
_SMOOTHING = 0.05
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
        self,
        settings: Settings,
        source: FrameSource,
        detector: Detector,
        clock: Clock,
        *,
        decodes: bool = True,
        beside: BeltTracker | None = None,
        stages: StageTimes | None = None,
    ) -> None:
        """Join source and detector.

        Args:
            settings: the line's configuration.
            source: where frames come from.
            detector: what finds items on them.
            clock: what the stages are timed with.
            decodes: False where neither detector nor screen looks at the picture, as in a score with the oracle.
            beside: the tracker of another camera over the same belt, whose tracks are shared.
            stages: where durations are noted, if not in a place of its own.
        """
        self._looking: Looking | None = None
        self._copied_count = 0
        self._decodes = decodes
        self._source = source
        self._detector = detector
        self._detector_settings = settings.detector
        self._named_by: Detector | None = None
        self._naming: TrackNaming | None = None
        self._clock = clock
        self._stream_count = settings.detector.streams
        self._frame_period_ms = 1000.0 / settings.camera.frame_rate_hz
        slot_count = 2 * settings.detector.streams + _FURTHER_SLOT_COUNT
        self._ring = FrameRing(slot_count, source.height_px, source.width_px, allocate=slot_memory(settings.detector))
        self._trigger = TravelTrigger(mm_to_um(settings.camera.view_step_mm))
        view = CameraView(settings.camera)
        self.tracker = BeltTracker(view, settings.tracking) if beside is None else beside.beside(view)
        self.stages = stages or StageTimes()
        self._recent_ms: dict[str, float] = {}
        self.view_count = 0

    @property
    def detector(self) -> Detector:
        """What finds items on the frames at present."""
        return self._detector

    def use_detector(self, detector: Detector) -> None:
        """Let another model see from the next frame on; tracks go on, since they are places on the belt."""
        self._detector = detector
        if self._looking is not None:
            self._looking.use_detector(detector)

    @property
    def copied_count(self) -> int:
        """Pictures copied or resized so far, from the source's decoder to the network."""
        return self._source.copied_count + self._copied_count

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
        slot = self._ring.next_slot(() if self._looking is None else self._looking.pictures)
        if self._decodes:
            self._timed("retrieve", lambda: self._source.retrieve(slot))
        return Frame(ticket.frame_id, ticket.exposed_at_ns, travel_um, slot)

    def process(self, frame: Frame) -> View:
        """Detect and track on one frame."""
        detections = self._counting_copies(lambda: self._timed("detect", lambda: self._detector.detect(frame)))
        return self._view(frame, detections, self._detector)

    def overlap(self, tell: Callable[[], None]) -> None:
        """From here on `begin` and `finish` are used.

        Args:
            tell: called on any thread when there is something to finish.
        """
        self._looking = Looking(self._detector, self._clock, tell, self._note_start, self._stream_count)

    def pause_before_frame_ms(self) -> float | None:
        """How long to wait before another frame is taken; None: until something was finished.

        At once while the network has nothing to do. Of a live source, the next frame is to lie ready just before the
        network is expected to be free: a frame taken earlier would be an old one by then.
        """
        if self._looking is None or self._looking.running_since_ns is None:
            return 0.0
        if not self._source.is_live:
            return None if self._looking.is_full else 0.0
        spent_ms = (self._clock.now_ns() - self._looking.running_since_ns) / NS_PER_MS
        lead_ms = self._frame_period_ms + self._recent_ms.get("retrieve", 0.0)
        return max(0.0, self._recent_ms.get("detect", 0.0) - lead_ms - spent_ms)

    def is_due(self, travel_um: int) -> bool:
        """Whether a frame exposed at this travel is worth a view."""
        return self._trigger.is_due(travel_um)

    def begin(self, frame: Frame) -> None:
        """Look at a frame as soon as the network is free; needs `overlap`."""
        looking = self._looking
        assert looking is not None, "overlap was not called"
        self._counting_copies(lambda: looking.lay(frame))

    def finish(self) -> View | None:
        """The oldest frame begun, if it was looked at by now; None: not yet, or none was begun."""
        looked = None if self._looking is None else self._looking.answer()
        if looked is None:
            return None
        self._note_duration("detect", looked.duration_ns)
        return self._view(looked.frame, looked.detections, looked.detector)

    def stretch_views(self, step_ratio: float) -> None:
        """Let more belt pass between two views than configured, by this ratio, from the next view on."""
        self._trigger.step_ratio = step_ratio

    def close(self) -> None:
        """Let the network finish what it looks at; nothing is begun after that."""
        if self._looking is not None:
            self._looking.close()

    def figures(self) -> dict[str, float]:
        """What health shows: views, copies, frames that a newer one replaced, second looks, and bytes moved, if any."""
        figures = {"view_count": float(self.view_count)}
        figures["copies_per_view"] = self.copied_count / max(1, self.view_count)
        figures["replaced_frame_count"] = float(0 if self._looking is None else self._looking.replaced_count)
        if self._naming is not None:
            figures["second_look_count"] = float(self._naming.look_count)
        return figures | (self._detector.moved_bytes() if isinstance(self._detector, CountsBytes) else {})

    def _view(self, frame: Frame, detections: Detections, detector: Detector) -> View:
        tracks = self._timed("track", lambda: self.tracker.update(detections, frame.travel_um))
        naming = self._naming_of(detector)
        if naming is not None:
            # the frame's slot is in use until the next frame is retrieved, which the same thread does
            tracks = self._timed("second_look", lambda: naming.renamed(frame.image, detections.boxes_px, tracks))
        self.view_count += 1
        batch = TrackBatch(
            frame.frame_id, frame.exposed_at_ns, frame.travel_um, detector.model_id, tracks, detector.precision
        )
        return View(frame, batch)

    def _naming_of(self, detector: Detector) -> TrackNaming | None:
        """Second looks of the model that answered; what another one thought of the items is forgotten."""
        if detector is not self._named_by:
            namer = detector.second_look if self._decodes else None
            self._naming = None if namer is None else TrackNaming(namer, self._detector_settings)
            self._named_by = detector
        return self._naming

    def _counting_copies(self, work: Callable[[], _Result]) -> _Result:
        """Do what lays a frame before the network; others may share it, so the copies made meanwhile count."""
        before_count = self._detector.copied_count
        result = work()
        self._copied_count += self._detector.copied_count - before_count
        return result

    def _timed(self, stage: str, work: Callable[[], _Result]) -> _Result:
        started_ns = self._clock.now_ns()
        result = work()
        self._note_duration(stage, self._clock.now_ns() - started_ns)
        return result

    def _note_start(self, frame: Frame) -> None:
        self._trigger.note_view(frame.travel_um)

    def _note_duration(self, stage: str, duration_ns: int) -> None:
        self.stages.note(stage, duration_ns)
        spent_ms = duration_ns / NS_PER_MS
        self._recent_ms[stage] = self._recent_ms.get(stage, spent_ms) * (1 - _SMOOTHING) + spent_ms * _SMOOTHING
