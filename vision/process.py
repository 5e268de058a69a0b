"""The vision process: receive frames and belt travel, look, send tracks and previews."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from sorter.errors import ConfigurationError
from sorter.model.belt import BeltTravel
from sorter.model.condition import HealthStatus, KeepRequest
from sorter.model.settings import is_simulated_source
from sorter.model.tracks import BeltState
from sorter.runtime.bus import Subscriber
from sorter.runtime.process import ProcessContext
from sorter.runtime.topics import BELT, KEEP
from vision.detectors import Detector, open_detector
from vision.frame import Frame
from vision.harvest.harvest import open_harvest
from vision.model_swap import ModelSwap
from vision.picture_travel import PictureTravel
from vision.pipeline import Pipeline, View
from vision.preview import PreviewWriter
from vision.sources import open_source
from vision.sources.source import FrameSource, FrameTicket

_GRAB_TIMEOUT_MS = 50.0


def watch_belt(context: ProcessContext) -> None:
    """Body of the process; returns when it is asked to stop.

    Raises:
        BadInputError: if the source or the model cannot be opened.
    """
    context.publish_health()
    detector = open_detector(context.settings, context.plan.epoch_ns)
    with _opened(context) as source:
        _warm_up(detector, context)
        watch = BeltWatch(context, source, Pipeline(context.settings, source, detector, context.clock))
        while context.is_running():
            frame = watch.receive()
            view = watch.step(frame)
            watch.send(view)
        watch.close()


def _warm_up(detector: Detector, context: ProcessContext) -> None:
    """Let the network allocate what it needs on a black picture, not while items pass."""
    camera = context.settings.camera
    black = np.zeros((camera.height_px, camera.width_px, 3), np.uint8)
    detector.detect(Frame(0, context.clock.now_ns(), 0, black))


class BeltWatch:
    """What the loop's three verbs share."""

    def __init__(self, context: ProcessContext, source: FrameSource, pipeline: Pipeline) -> None:
        self._context = context
        self._source = source
        self._pipeline = pipeline
        self._swap = ModelSwap(context.settings, pipeline.detector.model_id)
        self._preview = PreviewWriter(context.settings)
        self._belt = BeltTravel()
        self._reader = Subscriber(context.plan.run_folder, [BELT, KEEP])
        self._harvest = open_harvest(context)
        self._picture_travel = self._open_picture_travel()
        self._last_view: View | None = None

    def receive(self) -> FrameTicket | None:
        """The next frame, undecoded, and all belt readings up to now."""
        ticket = self._source.grab(_GRAB_TIMEOUT_MS)
        for received in self._reader.waiting():
            if isinstance(received.message, BeltState):
                self._belt.add(received.message)
            elif isinstance(received.message, KeepRequest) and self._harvest is not None:
                self._harvest.keep_shown(received.message.frame_id)
        return ticket

    def step(self, ticket: FrameTicket | None) -> View | None:
        """Process the frame if the belt has moved a step since the last view."""
        self._follow_champion()
        if ticket is None:
            return None
        if self._picture_travel is not None:
            return self._pipeline.take_picture(self._measure_travel(self._picture_travel, ticket))
        travel_um = self._belt.travel_um_at(ticket.exposed_at_ns)
        if travel_um is None:
            return None
        view = self._pipeline.take(ticket, travel_um)
        if view is None and self._last_view and self._preview.is_overdue(self._context.clock.now_ns()):
            self._send_preview(self._pipeline.retrieve(ticket, travel_um), self._last_view)
        return view

    def send(self, view: View | None) -> None:
        """Publish tracks first, then what can wait: preview and health."""
        if view is not None:
            self._context.publisher.publish(view.batch)
            spent_ns = self._context.clock.now_ns() - view.batch.exposed_at_ns
            self._pipeline.stages.note("exposure_to_tracks", spent_ns)
            self._last_view = view
            if self._preview.is_due(self._context.clock.now_ns()):
                self._send_preview(view.frame, view)
            if self._harvest is not None:
                self._harvest.see(view, self._pipeline.tracker.boxes_px)
        self._show_condition()

    def close(self) -> None:
        """Write the pictures that were chosen last."""
        self._swap.close()
        if self._harvest is not None:
            self._harvest.close()

    def _follow_champion(self) -> None:
        """Between two frames: let the shelf's new champion see from here on, if it is ready."""
        picture = None if self._last_view is None else self._last_view.frame.image
        detector = self._swap.step(self._context.clock.now_ns(), picture)
        if detector is not None:
            self._pipeline.use_detector(detector)

    def _send_preview(self, frame: Frame, view: View) -> None:
        now_ns = self._context.clock.now_ns()
        preview = self._preview.write(frame, view.batch.tracks, self._pipeline.tracker, now_ns)
        self._context.publisher.publish(preview)
        self._pipeline.stages.note("preview", self._context.clock.now_ns() - now_ns)
        if self._harvest is not None:
            self._harvest.note_shown(preview, view.batch)

    def _measure_travel(self, picture_travel: PictureTravel, ticket: FrameTicket) -> Frame:
        frame = self._pipeline.retrieve(ticket, 0)
        belt = picture_travel.add(frame.image, ticket.exposed_at_ns)
        self._context.publisher.publish(belt)
        return Frame(frame.frame_id, frame.exposed_at_ns, belt.travel_um, frame.image)

    def _open_picture_travel(self) -> PictureTravel | None:
        settings = self._context.settings
        if settings.belt.travel_from != "pictures":
            return None
        if is_simulated_source(settings):
            raise ConfigurationError(
                f"configuration: belt.travel_from = 'pictures': not with the simulated source {settings.source.kind!r}"
            )
        return PictureTravel(settings.camera)

    def _show_condition(self) -> None:
        self._show_faults()
        figures = {"view_count": float(self._pipeline.view_count)}
        figures["is_exhausted"] = float(self._source.is_exhausted)
        figures["dropped_frame_count"] = float(self._source.dropped_count)
        if self._harvest is not None:
            self._harvest.step(self._context.clock.now_ns())
            figures.update(self._harvest.figures())
        self._context.publish_health(figures, self._pipeline.stages.distributions)

    def _show_faults(self) -> None:
        """The line cannot go on without pictures; without the new model it can, with the old one."""
        if self._swap.fault is None:
            self._context.clear_fault("model_not_swapped")
        if self._source.fault is not None:
            self._context.raise_fault("no_pictures", self._source.fault)
            return
        self._context.clear_fault("no_pictures")
        if self._swap.fault is not None:
            self._context.raise_fault("model_not_swapped", self._swap.fault, HealthStatus.DEGRADED)
        else:
            seeing = self._pipeline.detector
            self._context.set_health(HealthStatus.OK, f"{seeing.runtime} {seeing.precision} {seeing.model_id}")


@contextmanager
def _opened(context: ProcessContext) -> Iterator[FrameSource]:
    source = open_source(context.settings, context.clock, context.plan.epoch_ns)
    try:
        yield source
    finally:
        source.close()
