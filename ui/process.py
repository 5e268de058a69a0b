"""The ui process: follows the line's messages, keeps the newest for the screens, and passes on what people ask for.

One thread (the process's main one) reads and publishes health, so that a stuck reader falls silent; the web server's
threads only wait for what it puts before them.
"""

import logging
import os
import threading

import msgspec

from sorter.errors import FarzError
from sorter.model.condition import HealthStatus, ValveReport, WiredInputs
from sorter.model.explanation import RecipeState
from sorter.model.stage_times import StageReport
from sorter.model.units import NS_PER_MS, NS_PER_S
from sorter.runtime.bus import Subscriber
from sorter.runtime.process import ProcessContext
from sorter.runtime.supervisor import processes_of
from sorter.runtime.topics import (
    ASSESSMENT,
    BELT,
    DECISION,
    EXPLANATION,
    FAULT,
    HEALTH,
    INPUTS,
    MODE,
    PREVIEW,
    RECIPE,
    SHADOW,
    SHOT,
    STAGES,
    STATISTICS,
    VALVES,
    Topic,
)
from ui.alarm_conditions import Heard, conditions
from ui.alarm_desk import AlarmDesk
from ui.alarm_file import ALARM_FILE_NAME, AlarmFile
from ui.alarm_tellers import is_told
from ui.api.line_api import beside_page
from ui.app import MAX_STREAM_COUNT, create_app, state_folder
from ui.explanations import Explanations
from ui.line_link import LineLink
from ui.live_state import LiveState
from ui.metrics import metrics_text
from ui.page_messages import AlarmSummary, StateReport
from ui.screens.page import has_front_end
from ui.streams import NewestEvent, StreamPlaces
from ui.web_server import WebServer, listen, page_serving

_TOPICS = (
    PREVIEW, ASSESSMENT, DECISION, STATISTICS, BELT, MODE, HEALTH, STAGES, FAULT, INPUTS, VALVES, RECIPE, EXPLANATION,
    SHOT, SHADOW,
)  # fmt: skip
_STATE_PERIOD_NS = 250 * NS_PER_MS
# readers of page and API wait before the line does: Linux gives this process a third of what it gives the others
_NICENESS = 5
_FOLLOWING_LIMIT_NS = 2 * NS_PER_S
# told at once, and not with the next period
_URGENT = {MODE.name, FAULT.name, INPUTS.name}


class PageFeed:
    """Turns the line's messages into the state that all pages get, and into what single pages ask for."""

    def __init__(self, context: ProcessContext) -> None:
        self.states = NewestEvent()
        self.alarms = AlarmDesk(context.clock, AlarmFile(state_folder(context.settings) / ALARM_FILE_NAME))
        self.explanations = Explanations()
        self._clock = context.clock
        self._subscriber = Subscriber(context.plan.run_folder, _TOPICS)
        self._state = LiveState(context.settings.recipe.classes, context.settings.ui.preview_rate_hz)
        # a controller on another box is heard as well
        self._processes = frozenset({"actuators", *(spec.name for spec in processes_of(context.settings))})
        self._state_due_ns = context.clock.now_ns()
        # replaced as a whole, so that the web server's threads never see half of it
        self._told: tuple[StateReport | None, tuple[StageReport, ...]] = (None, ())

    def receive(self) -> bool:
        """Take in what has arrived, waiting no longer than until the next state is due; True if it cannot wait."""
        waiting_ns = self._state_due_ns - self._clock.now_ns()
        messages = self._subscriber.receive(waiting_ns / NS_PER_MS)
        for received in messages:
            self.explanations.take(received.message)
            self._state.take(received)
        return any(received.topic in _URGENT for received in messages)

    def send(self, is_urgent: bool) -> None:
        """Put the state before the pages when it is due."""
        now_ns = self._clock.now_ns()
        if now_ns < self._state_due_ns and not is_urgent:
            return
        self._state_due_ns = now_ns + _STATE_PERIOD_NS
        report = self._state.report(now_ns)
        report = msgspec.structs.replace(report, alarms=self._alarms(report))
        self.states.put(msgspec.json.encode(report))
        self._told = (report, self._state.stages())
        # after the page knows: a disk may take its time
        self.alarms.keep()

    def newest(self, topic: Topic) -> msgspec.Struct | None:
        """The newest message of a topic; called on any thread."""
        return self._state.newest(topic)

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
        self._subscriber.close()

    def _alarms(self, report: StateReport) -> AlarmSummary:
        inputs, valves, recipe = self.newest(INPUTS), self.newest(VALVES), self.newest(RECIPE)
        heard = Heard(
            report,
            inputs if isinstance(inputs, WiredInputs) else None,
            valves if isinstance(valves, ValveReport) else None,
            recipe if isinstance(recipe, RecipeState) else None,
        )
        return self.alarms.step(conditions(heard), lambda condition: is_told(condition, heard, self._processes))


class PageVoice:
    """What people say to the line; a ZeroMQ socket serves one thread at a time, so threads take turns."""

    def __init__(self, context: ProcessContext) -> None:
        self._context = context
        self._turn = threading.Lock()

    def say(self, message: msgspec.Struct) -> None:
        """Say something to the line."""
        with self._turn:
            self._context.publisher.publish(message)

    def say_health(self, figures: dict[str, float]) -> None:
        """Publish health when it is due."""
        with self._turn:
            self._context.publish_health(figures)


def serve_page(context: ProcessContext) -> None:
    """Serve the page until told to stop.

    Raises:
        BadInputError: if the address to serve on cannot be had, or the certificate or the users cannot be read.
        FarzError: if the web server has died.
    """
    os.nice(_NICENESS)
    ui = context.settings.ui
    listener = listen(ui.host, ui.port)
    feed, voice, places = PageFeed(context), PageVoice(context), StreamPlaces(MAX_STREAM_COUNT)
    link = LineLink(
        clock=context.clock,
        states=feed.states,
        places=places,
        say=voice.say,
        newest=feed.newest,
        alarms=feed.alarms,
        explanations=feed.explanations,
        is_following=feed.is_following,
        metrics=feed.metrics,
        configuration=context.plan.configuration,
    )
    page = create_app(context.settings, link)
    application = beside_page(page, context.settings, context.clock, feed.state, voice.say)
    server = WebServer(application, listener, page_serving(ui))
    server.start()
    logging.getLogger("ui").info(
        "the page is at %s", page_address(ui.host, ui.port, is_secret=bool(ui.tls_certificate))
    )
    if has_front_end():
        context.set_health(HealthStatus.OK)
    else:
        context.set_health(HealthStatus.DEGRADED, "front-end packages are not installed: make front-end")
    while context.is_running() and server.is_alive():
        feed.send(feed.receive())
        voice.say_health({"open_streams_count": float(places.taken_count)})
    feed.close()
    server.stop()
    if context.is_running():
        raise FarzError("the web server has died")


def page_address(host: str, port: int, *, is_secret: bool = False) -> str:
    """The page's address as a browser wants it."""
    scheme = "https" if is_secret else "http"
    return f"{scheme}://[{host}]:{port}/" if ":" in host else f"{scheme}://{host}:{port}/"
