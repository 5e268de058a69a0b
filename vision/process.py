"""The vision process: receive frames and belt travel, look, send tracks and previews."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

import numpy as np

from sorter.model.belt import BeltTravel
from sorter.model.condition import HealthStatus, KeepRequest
from sorter.model.settings import Settings, camera_settings
from sorter.model.tracks import BeltState
from sorter.model.units import NS_PER_S
from sorter.runtime.bus import Subscriber
from sorter.runtime.process import ProcessContext
from sorter.runtime.topics import BELT, KEEP
from vision.detectors import Detector, in_same_weight, open_detector
from vision.detectors.detector import warm_up
from vision.eye import Eye
from vision.frame import Frame
from vision.frame_taker import News
from vision.harvest.harvest import open_harvest
from vision.heat_watch import HeatWatch
from vision.model_swap import ModelSwap
from vision.pipeline import View
from vision.shadow import Shadow
from vision.sources import open_source
from vision.sources.source import FrameSource

_WAIT_MS = 50.0


def watch_belt(context: ProcessContext) -> None:
    """Body of the process; returns when it is asked to stop.

    Raises:
        BadInputError: if a source or the model cannot be opened.
    """
    context.publish_health()
    detector = open_detector(context.settings, context.plan.epoch_ns, is_timed=True)
    news = News()
    with _opened(context, detector, news) as eyes:
        _warm_up(detector, context)
        watch = BeltWatch(context, eyes, news)
        while context.is_running():
            watch.receive()
            views = watch.step()
            watch.send(views)
        watch.close()


def _warm_up(detector: Detector, context: ProcessContext) -> None:
    """Let the network allocate what it needs on a black picture, not while items pass."""
    camera = context.settings.camera
    black = np.zeros((camera.height_px, camera.width_px, 3), np.uint8)
    warm_up(detector, Frame(0, context.clock.now_ns(), 0, black), context.settings.detector.looks_per_view)


class BeltWatch:
    """What the loop's three verbs share; the first eye's picture is the one that is shown and kept."""

    def __init__(self, context: ProcessContext, eyes: tuple[Eye, ...], news: News) -> None:
        self._context = context
        self._eyes = eyes
        self._shown = eyes[0]
        self._news = news
        self._stages = self._shown.pipeline.stages
        detector = self._shown.pipeline.detector
        self._swap = ModelSwap(in_same_weight(context.settings, detector), detector.bundle_id)
        self._belt = BeltTravel()
        self._reader = Subscriber(context.plan.run_folder, [BELT, KEEP])
        self._harvest = open_harvest(context)
        self._heat = HeatWatch(context.settings)
        self._shadow = Shadow(context.settings)
        self._shadow_due_ns = 0

    def receive(self) -> None:
        """Wait for a frame, which is still undecoded, or an answer; and take all belt readings up to now."""
        pauses_ms = [eye.ask() for eye in self._eyes]
        self._news.wait(min([_WAIT_MS, *(pause_ms for pause_ms in pauses_ms if pause_ms)]))
        for received in self._reader.waiting():
            if isinstance(received.message, BeltState):
                self._belt.add(received.message)
            elif isinstance(received.message, KeepRequest) and self._harvest is not None:
                self._harvest.keep_shown(received.message.frame_id)

    def step(self) -> list[tuple[Eye, View]]:
        """Finish the views whose answers are there, and begin those that are due."""
        self._follow_champion()
        stepped = [(eye, eye.step(self._belt)) for eye in self._eyes]
        return [(eye, view) for eye, view in stepped if view is not None]

    def send(self, views: list[tuple[Eye, View]]) -> None:
        """Publish tracks first, then what can wait: preview and health."""
        for _, view in views:
            self._context.publisher.publish(view.batch)
            self._stages.note("exposure_to_tracks", self._context.clock.now_ns() - view.batch.exposed_at_ns)
        if self._shown.measured is not None:
            self._context.publisher.publish(self._shown.measured)
        for eye, view in views:
            if eye is self._shown:
                self._show(view)
        self._show_idle_belt()
        self._show_condition()

    def close(self) -> None:
        """Let go of the sources, and write the pictures that were chosen last."""
        self._swap.close()
        self._shadow.close()
        if self._harvest is not None:
            self._harvest.close()

    def _follow_champion(self) -> None:
        """Between two frames: let the shelf's new champion see from here on, if it is ready."""
        last_view = self._shown.last_view
        picture = None if last_view is None else last_view.frame.image
        detector = self._swap.step(self._context.clock.now_ns(), picture)
        if detector is not None:
            for eye in self._eyes:
                eye.pipeline.use_detector(detector)

    def _show(self, view: View) -> None:
        if self._shown.preview.is_due(self._context.clock.now_ns()):
            self._send_preview(view.frame, view)
        if self._harvest is not None:
            self._harvest.see(view, self._shown.pipeline.tracker.boxes_px)
        if self._shadow.is_wanted:
            self._show_shadow(view)

    def _show_shadow(self, view: View) -> None:
        now_ns = self._context.clock.now_ns()
        self._shadow.see(view, self._shown.pipeline.tracker.boxes_px, now_ns)
        if now_ns >= self._shadow_due_ns:
            self._shadow_due_ns = now_ns + NS_PER_S
            self._context.publisher.publish(self._shadow.report())

    def _show_idle_belt(self) -> None:
        """Now and then a picture of a belt that stands, with what was seen last on it."""
        frame, view = self._shown.idle_frame, self._shown.last_view
        if frame is not None and view is not None and self._shown.is_overdue():
            self._send_preview(frame, view)

    def _send_preview(self, frame: Frame, view: View) -> None:
        now_ns = self._context.clock.now_ns()
        preview = self._shown.preview.write(frame, view.batch.tracks, self._shown.pipeline.tracker, now_ns)
        self._context.publisher.publish(preview)
        self._stages.note("preview", self._context.clock.now_ns() - now_ns)
        if self._harvest is not None:
            self._harvest.note_shown(preview, view.batch)

    def _show_condition(self) -> None:
        self._heat.step(self._context.clock.now_ns())
        for eye in self._eyes:
            eye.pipeline.stretch_views(self._heat.view_step_ratio)
        self._show_faults()
        figures: dict[str, float] = self._heat.figures()
        for eye in self._eyes:
            figures |= {f"{eye.name}_{key}".lstrip("_"): value for key, value in eye.pipeline.figures().items()}
        figures["is_exhausted"] = float(all(eye.source.is_exhausted for eye in self._eyes))
        figures["dropped_frame_count"] = float(sum(eye.source.dropped_count for eye in self._eyes))
        if self._harvest is not None:
            self._harvest.step(self._context.clock.now_ns())
            figures.update(self._harvest.figures())
        self._context.publish_health(figures, self._stages.distributions)

    def _show_faults(self) -> None:
        """The line cannot go on without pictures; it can with the old model, or with fewer views of a hot board."""
        lesser = {"model_not_swapped": self._swap.fault, "board_hot": self._heat.fault}
        for code, text in lesser.items():
            if text is None:
                self._context.clear_fault(code)
        fault = next((eye.source.fault for eye in self._eyes if eye.source.fault is not None), None)
        if fault is not None:
            self._context.raise_fault("no_pictures", fault)
            return
        self._context.clear_fault("no_pictures")
        for code, text in lesser.items():
            if text is not None:
                self._context.raise_fault(code, text, HealthStatus.DEGRADED)
        if not any(lesser.values()):
            seeing = self._shown.pipeline.detector
            how = f"{seeing.runtime} {seeing.precision} {seeing.model_id} ({seeing.choice_reason})"
            self._context.set_health(HealthStatus.OK, how)


@contextmanager
def _opened(context: ProcessContext, detector: Detector, news: News) -> Iterator[tuple[Eye, ...]]:
    """The line's eyes, with the sources closed at the end."""
    eyes: list[Eye] = []
    with ExitStack() as stack:
        for name, settings in camera_settings(context.settings):
            source: FrameSource = open_source(settings, context.clock, context.plan.epoch_ns)
            stack.callback(source.close)
            its_detector = _detector_for(settings, detector, context) if name else detector
            eye = Eye(name, settings, source, its_detector, context.clock, news, eyes[0] if eyes else None)
            stack.enter_context(closing(eye))
            eyes.append(eye)
        yield tuple(eyes)


def _detector_for(settings: Settings, shared: Detector, context: ProcessContext) -> Detector:
    """The network is shared; the oracle asks the truth for one camera's view, so each has its own."""
    is_oracle = settings.detector.runtime == "oracle"
    return open_detector(settings, context.plan.epoch_ns) if is_oracle else shared
