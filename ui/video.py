"""The video process: the belt as a stream of pictures (MJPEG) with what is on each, for many slow viewers.

It has a process of its own, so that neither a crowd of viewers nor a stuck one makes a screen's figures late. For each
viewer the newest picture wins and nothing queues; who comes when all places are taken is told so.
"""

import logging
from collections.abc import Callable, Iterator
from http import HTTPStatus
from urllib.parse import urlsplit

import flask
import msgspec
from werkzeug.wrappers import Response

from sorter.errors import FarzError
from sorter.model.condition import HealthStatus
from sorter.model.settings import Settings, UiSettings
from sorter.model.units import NS_PER_MS
from sorter.runtime.bus import Subscriber
from sorter.runtime.process import ProcessContext, run_process
from sorter.runtime.topics import ASSESSMENT, DECISION, HEALTH, MODE, PREVIEW
from ui.guards import is_host_known
from ui.live_state import LiveState
from ui.streams import NewestEvent, StreamPlaces
from ui.web_server import WebServer, listen, page_serving

MAX_VIEWER_COUNT = 32
_BOUNDARY = "picture"
_TOPICS = (PREVIEW, ASSESSMENT, DECISION, MODE, HEALTH)
_WAIT_NS = 250 * NS_PER_MS


def part_of(description: bytes, jpeg: bytes) -> bytes:
    """One part of the stream: a JPEG, and what is on it as JSON in a header of its own."""
    head = (
        f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\nX-Farz-Picture: ".encode()
        + description
        + b"\r\n\r\n"
    )
    return head + jpeg + b"\r\n"


def create_video_app(settings: Settings, newest: NewestEvent, places: StreamPlaces) -> flask.Flask:
    """The application: one address, read only."""
    app = flask.Flask("ui.video", static_folder=None)
    app.before_request(lambda: _refuse_stranger(settings.ui))
    app.add_url_rule("/video", "video", lambda: _video(settings.ui, newest, places))
    return app


def video_stream(newest: NewestEvent, keep_alive_s: float = 1.0) -> Iterator[bytes]:
    """The newest picture, then each that is newest when there is time; on a belt without pictures the last one again.

    It is sent again so that a viewer that has gone is noticed, and its place is free.
    """
    version, part = 0, b""
    while not newest.is_closed:
        event = newest.wait_newer(version, keep_alive_s)
        if event is not None:
            version, part = event
        yield part


def serve_video(context: ProcessContext) -> None:
    """Serve the video until told to stop.

    Raises:
        BadInputError: if the certificate cannot be read.
        FarzError: if the address cannot be had, or the web server has died.
    """
    ui = context.settings.ui
    newest, places = NewestEvent(), StreamPlaces(MAX_VIEWER_COUNT)
    listener = listen(ui.host, video_port(ui), "ui.video_port")
    server = WebServer(create_video_app(context.settings, newest, places), listener, page_serving(ui))
    server.start()
    logging.getLogger("video").info("live video is at port %d", video_port(ui))
    context.set_health(HealthStatus.OK)
    feed = _VideoFeed(context, newest.put_raw)
    while context.is_running() and server.is_alive():
        feed.step()
        context.publish_health({"viewer_count": float(places.taken_count)})
    newest.close()
    feed.close()
    server.stop()
    if context.is_running():
        raise FarzError("the video's web server has died")


def video_port(ui: UiSettings) -> int:
    """The port of the live video."""
    return ui.video_port or ui.port + 1


class _VideoFeed:
    """Joins each picture with what is known of the items on it."""

    def __init__(self, context: ProcessContext, put: Callable[[bytes], None]) -> None:
        self._clock = context.clock
        self._put = put
        self._subscriber = Subscriber(context.plan.run_folder, _TOPICS)
        self._state = LiveState(context.settings.recipe.classes, context.settings.ui.preview_rate_hz)

    def step(self) -> None:
        messages = self._subscriber.receive(_WAIT_NS / NS_PER_MS)
        for received in messages:
            self._state.take(received)
        if not any(received.topic == PREVIEW.name for received in messages):
            return
        picture = self._state.picture(self._clock.now_ns())
        if picture is not None:
            self._put(part_of(msgspec.json.encode(picture), self._state.jpeg()))

    def close(self) -> None:
        self._subscriber.close()


def _refuse_stranger(ui: UiSettings) -> Response | None:
    if is_host_known(flask.request, ui.host):
        return None
    return flask.Response(f"{flask.request.host!r} is not a name of this machine\n", status=HTTPStatus.FORBIDDEN)


def _video(ui: UiSettings, newest: NewestEvent, places: StreamPlaces) -> Response:
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **_shared_with(ui)}
    if not places.take():
        sentence = (
            f"all {places.place_count} places for live video are taken; close one elsewhere, this one tries again\n"
        )
        headers["Retry-After"] = "5"
        return flask.Response(sentence, HTTPStatus.SERVICE_UNAVAILABLE, headers, mimetype="text/plain")
    response = flask.Response(
        video_stream(newest), headers=headers, content_type=f"multipart/x-mixed-replace; boundary={_BOUNDARY}"
    )
    response.call_on_close(places.give_back)
    return response


def _shared_with(ui: UiSettings) -> dict[str, str]:
    """The line's own page may read the stream, which comes from another port than itself; no other page may."""
    origin = flask.request.headers.get("Origin", "")
    asked, here = urlsplit(origin), urlsplit(f"//{flask.request.host}")
    if asked.hostname == here.hostname and asked.port == ui.port:
        return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
    return {"Cross-Origin-Resource-Policy": "same-site"}


def main() -> None:
    """Serve the video until told to stop."""
    run_process("video", serve_video)


if __name__ == "__main__":
    main()
