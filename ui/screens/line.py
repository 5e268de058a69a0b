"""The screens Line and Live, the stream of states that all screens follow, and the operator's requests to the line."""

from http import HTTPStatus

import flask
from werkzeug.wrappers import Response

from sorter.model.condition import KeepRequest, OperatorRequest, RequestKind
from sorter.model.settings import Settings
from ui.line_link import LineLink
from ui.metrics import CONTENT_TYPE
from ui.screens.page import sentence, show, visitor
from ui.streams import NewestEvent, StreamPlaces, event_stream


def add_to(app: flask.Flask, settings: Settings, link: LineLink) -> None:
    """Add the addresses of these screens."""
    app.add_url_rule("/", "line", lambda: show("line"))
    app.add_url_rule("/live", "live", lambda: show("live"))
    app.add_url_rule("/events", "events", lambda: _stream(link.states, link.places))
    app.add_url_rule("/healthz", "healthz", lambda: _health(link))
    app.add_url_rule("/metrics", "metrics", lambda: flask.Response(link.metrics(), content_type=CONTENT_TYPE))
    app.add_url_rule("/requests/<name>", "request", lambda name: _request(name, link), methods=["POST"])
    app.add_url_rule(
        "/pictures/<int:frame_id>/keep", "keep", lambda frame_id: _keep(frame_id, settings, link), methods=["POST"]
    )


def _stream(newest: NewestEvent, places: StreamPlaces) -> Response:
    if not places.take():
        return sentence(HTTPStatus.SERVICE_UNAVAILABLE, "streams_full", {"Retry-After": "5"}, n=places.place_count)
    response = flask.Response(event_stream(newest), mimetype="text/event-stream")
    response.call_on_close(places.give_back)
    return response


def _request(name: str, link: LineLink) -> Response:
    kinds = {kind.value: kind for kind in RequestKind}
    if name not in kinds:
        return sentence(HTTPStatus.NOT_FOUND, "request.unknown", name=name, known=", ".join(kinds))
    link.say(OperatorRequest(kinds[name], link.clock.now_ns(), visitor().name))
    return flask.Response(status=HTTPStatus.ACCEPTED)


def _keep(frame_id: int, settings: Settings, link: LineLink) -> Response:
    if not settings.harvest.folder:
        return sentence(HTTPStatus.CONFLICT, "keep.nowhere")
    link.say(KeepRequest(frame_id, link.clock.now_ns(), visitor().name))
    return flask.Response(status=HTTPStatus.ACCEPTED)


def _health(link: LineLink) -> Response:
    if link.is_following():
        return flask.Response("ok\n", mimetype="text/plain")
    return sentence(HTTPStatus.SERVICE_UNAVAILABLE, "health.deaf")
