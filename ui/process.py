"""The ui process: follows the line's messages, keeps the newest for the page, and passes operators' requests on.

One thread (the process's main one) reads and publishes health, so that a stuck reader falls silent; the web server's
threads only wait for what it puts before them.
"""

import logging
import os
import threading

import msgspec

from sorter.errors import FarzError
from sorter.model.condition import HealthStatus, KeepRequest, OperatorRequest, RequestKind
from sorter.model.events import AuditEntry
from sorter.model.stage_times import StageReport
from sorter.model.units import NS_PER_MS, NS_PER_S
from sorter.runtime.bus import Subscriber
from sorter.runtime.process import ProcessContext
from sorter.runtime.topics import ASSESSMENT, BELT, DECISION, FAULT, HEALTH, MODE, PREVIEW, STAGES, STATISTICS
from ui.api.line_api import beside_page
from ui.app import MAX_STREAM_COUNT, LineLink, create_app
from ui.live_state import LiveState
from ui.metrics import metrics_text
from ui.page_messages import StateReport
from ui.streams import NewestEvent, StreamPlaces
from ui.web_server import WebServer, listen

_TOPICS = (PREVIEW, ASSESSMENT, DECISION, STATISTICS, BELT, MODE, HEALTH, STAGES, FAULT)
_STATE_PERIOD_NS = 250 * NS_PER_MS
# readers of page and API wait before the line does: Linux gives this process a third of what it gives the others
_NICENESS = 5
_FOLLOWING_LIMIT_NS = 2 * NS_PER_S


class PageFeed:
    """Turns the line's messages into the two events that all pages get."""

    def __init__(self, context: ProcessContext) -> None:
        self.states = NewestEvent()
        self.pictures = NewestEvent()
        self._clock = context.clock
        self._subscriber = Subscriber(context.plan.run_folder, _TOPICS)
        self._state = LiveState(context.settings.recipe.classes, context.settings.ui.preview_rate_hz)
        self._state_due_ns = context.clock.now_ns()
        # replaced as a whole, so that the web server's threads never see half of it
        self._told: tuple[StateReport | None, tuple[StageReport, ...]] = (None, ())

    def receive(self) -> bool:
        """Take in what has arrived, waiting no longer than until the next state is due; True for a new picture."""
        waiting_ns = self._state_due_ns - self._clock.now_ns()
        messages = self._subscriber.receive(waiting_ns / NS_PER_MS)
        for received in messages:
            self._state.take(received)
        return any(received.topic == PREVIEW.name for received in messages)

    def send(self, is_new_picture: bool) -> None:
        """Put the picture before the pages when it is new, and the state when it is due."""
        now_ns = self._clock.now_ns()
        picture = self._state.picture(now_ns) if is_new_picture else None
        if picture is not None:
            self.pictures.put(msgspec.json.encode(picture))
        if now_ns >= self._state_due_ns:
            self._state_due_ns = now_ns + _STATE_PERIOD_NS
            report = self._state.report(now_ns)
            self.states.put(msgspec.json.encode(report))
            self._told = (report, self._state.stages())

    def metrics(self) -> bytes:
        """The newest state in Prometheus' text format; called on any thread."""
        return metrics_text(*self._told)

    def state(self) -> StateReport | None:
        """The newest state, None before the first; called on any thread."""
        return self._told[0]

    def is_following(self) -> bool:
        """Whether states are still sent in time."""
        return self._clock.now_ns() - self._state_due_ns < _FOLLOWING_LIMIT_NS

    def close(self) -> None:
        """End all streams and stop listening to the line."""
        self.states.close()
        self.pictures.close()
        self._subscriber.close()


class PageVoice:
    """What the page says to the line; a ZeroMQ socket serves one thread at a time, so threads take turns."""

    def __init__(self, context: ProcessContext) -> None:
        self._context = context
        self._turn = threading.Lock()

    def ask(self, kind: RequestKind) -> None:
        """Pass an operator's request on."""
        with self._turn:
            self._context.publisher.publish(OperatorRequest(kind, self._context.clock.now_ns(), "page"))

    def keep(self, frame_id: int) -> None:
        """Ask for the picture of a frame to be kept."""
        with self._turn:
            self._context.publisher.publish(KeepRequest(frame_id, self._context.clock.now_ns(), "page"))

    def enter_audit(self, entry: AuditEntry) -> None:
        """Hand over what somebody counted in a sample."""
        with self._turn:
            self._context.publisher.publish(entry)

    def say_health(self, figures: dict[str, float]) -> None:
        """Publish health when it is due."""
        with self._turn:
            self._context.publish_health(figures)


def serve_page(context: ProcessContext) -> None:
    """Serve the page until told to stop.

    Raises:
        BadInputError: if the address to serve on cannot be had.
        FarzError: if the web server has died.
    """
    os.nice(_NICENESS)
    ui = context.settings.ui
    listener = listen(ui.host, ui.port)
    feed, voice, places = PageFeed(context), PageVoice(context), StreamPlaces(MAX_STREAM_COUNT)
    link = LineLink(feed.states, feed.pictures, places, voice.ask, voice.keep, feed.is_following, feed.metrics)
    page = create_app(context.settings, link)
    server = WebServer(beside_page(page, context.settings, context.clock, feed.state, voice.enter_audit), listener)
    server.start()
    logging.getLogger("ui").info("the page is at %s", page_address(ui.host, ui.port))
    context.set_health(HealthStatus.OK)
    while context.is_running() and server.is_alive():
        feed.send(feed.receive())
        voice.say_health({"open_streams_count": float(places.taken_count)})
    feed.close()
    server.stop()
    if context.is_running():
        raise FarzError("the web server has died")


def page_address(host: str, port: int) -> str:
    """The page's address as a browser wants it."""
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
