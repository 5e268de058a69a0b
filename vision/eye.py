"""One camera of the line: its source, its way from frames to tracks, and when it wants the next frame.

Several eyes share one network, which answers them in turns, and one table of tracks.
"""

from sorter.errors import ConfigurationError
from sorter.model.belt import BeltTravel
from sorter.model.settings import Settings, is_simulated_source
from sorter.model.tracks import BeltState
from sorter.runtime.clock import Clock
from vision.detectors import Detector
from vision.frame import Frame
from vision.frame_taker import FrameTaker, News
from vision.picture_travel import PictureTravel
from vision.pipeline import Pipeline, View
from vision.preview import PreviewWriter
from vision.sources.source import FrameSource, FrameTicket


class Eye:
    """A camera that is looked through as frames and answers come.

    Attributes:
        name: of the camera, empty where there is one.
        source: where its pictures come from.
        pipeline: frames to tracks.
        preview: when to show a picture of it.
        last_view: what was seen last.
        idle_frame: a frame that was decoded for a screen alone, because no view was due.
        measured: belt travel, where this camera's pictures tell it.
    """

    def __init__(
        self,
        name: str,
        settings: Settings,
        source: FrameSource,
        detector: Detector,
        clock: Clock,
        news: News,
        beside: "Eye | None" = None,
    ) -> None:
        """Open nothing: source and detector are open.

        Args:
            name: of the camera, empty where there is one.
            settings: of this camera, as if it were the only one.
            source: its pictures.
            detector: the network, shared.
            clock: what stages and previews are timed with.
            news: told when there is a frame or an answer.
            beside: another eye over the same belt, with which tracks and durations are shared.

        Raises:
            ConfigurationError: if travel is to come from simulated pictures.
        """
        self.name = name
        self.source = source
        tracker, stages = (None, None) if beside is None else (beside.pipeline.tracker, beside.pipeline.stages)
        self.pipeline: Pipeline = Pipeline(settings, source, detector, clock, beside=tracker, stages=stages)
        self.pipeline.overlap(news.tell)
        self.preview = PreviewWriter(settings)
        self.last_view: View | None = None
        self.idle_frame: Frame | None = None
        self.measured: BeltState | None = None
        self._clock = clock
        self._taker = FrameTaker(source, news.tell)
        self._picture_travel = _open_picture_travel(settings)

    def ask(self) -> float | None:
        """Ask for a frame if one is wanted; the time until then in milliseconds, None: after an answer."""
        pause_ms = self.pipeline.pause_before_frame_ms()
        if pause_ms == 0.0:
            self._taker.ask()
        return pause_ms

    def step(self, belt: BeltTravel) -> View | None:
        """Finish the view whose answer is there, and begin another if the belt has moved a step since."""
        self.idle_frame = self.measured = None
        view = self.pipeline.finish()
        ticket = self._taker.taken()
        frame = None if ticket is None else self._decoded(ticket, belt)
        if frame is not None and self.pipeline.is_due(frame.travel_um):
            self.pipeline.begin(frame)
        else:
            self.idle_frame = frame
        self.last_view = view or self.last_view
        return view

    def is_overdue(self) -> bool:
        """Whether a screen should see even a frame that no view is due for."""
        return self.last_view is not None and self.preview.is_overdue(self._clock.now_ns())

    def close(self) -> None:
        """Let go of the source and the network."""
        self._taker.close()
        self.pipeline.close()

    def _decoded(self, ticket: FrameTicket, belt: BeltTravel) -> Frame | None:
        """The frame, if somebody is to see it: the network, a screen, or whoever measures travel by it."""
        if self._picture_travel is not None:
            return self._measure_travel(self._picture_travel, ticket)
        travel_um = belt.travel_um_at(ticket.exposed_at_ns)
        if travel_um is None or not (self.pipeline.is_due(travel_um) or self.is_overdue()):
            return None
        return self.pipeline.retrieve(ticket, travel_um)

    def _measure_travel(self, picture_travel: PictureTravel, ticket: FrameTicket) -> Frame:
        frame = self.pipeline.retrieve(ticket, 0)
        self.measured = picture_travel.add(frame.image, ticket.exposed_at_ns)
        return Frame(frame.frame_id, frame.exposed_at_ns, self.measured.travel_um, frame.image)


def _open_picture_travel(settings: Settings) -> PictureTravel | None:
    if settings.belt.travel_from != "pictures":
        return None
    if is_simulated_source(settings):
        raise ConfigurationError(
            f"configuration: belt.travel_from = 'pictures': not with the simulated source {settings.source.kind!r}"
        )
    return PictureTravel(settings.camera)
