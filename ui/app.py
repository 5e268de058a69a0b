"""The Flask application: one page, its streams, metrics and the operator's requests; it holds no state of the line."""

from collections.abc import Callable
from http import HTTPStatus
from typing import NamedTuple

import flask
from werkzeug.wrappers import Response

from sorter.model.condition import RequestKind
from sorter.model.settings import Settings
from ui.guards import is_from_page, is_host_known, is_on_this_machine, protect
from ui.live_state import picture_stale_after_ms
from ui.metrics import CONTENT_TYPE
from ui.streams import NewestEvent, StreamPlaces, event_stream
from ui.texts import LANGUAGES, RIGHT_TO_LEFT, language_of, texts_in

MAX_STREAM_COUNT = 32


class LineLink(NamedTuple):
    """What the application needs of the process that it runs in.

    Attributes:
        states: the newest state of the line.
        pictures: the newest picture with its boxes.
        places: how many streams may be open.
        ask: passes an operator's request on to the line.
        keep: asks the line to keep the picture of a frame for labelling.
        is_following: whether the line's messages are still being read.
        metrics: the line's figures in Prometheus' text format.
    """

    states: NewestEvent
    pictures: NewestEvent
    places: StreamPlaces
    ask: Callable[[RequestKind], None]
    keep: Callable[[int], None]
    is_following: Callable[[], bool]
    metrics: Callable[[], bytes]


def create_app(settings: Settings, link: LineLink) -> flask.Flask:
    """The application for one line."""
    app = flask.Flask(__name__)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.before_request(lambda: _refuse_stranger(settings.ui.host))
    app.after_request(protect)
    app.add_url_rule("/", "page", lambda: _page(settings))
    app.add_url_rule("/events", "events", lambda: _stream(link.states, link.places))
    app.add_url_rule("/live", "live", lambda: _stream(link.pictures, link.places))
    app.add_url_rule("/healthz", "healthz", lambda: _health(link))
    app.add_url_rule("/metrics", "metrics", lambda: flask.Response(link.metrics(), content_type=CONTENT_TYPE))
    app.add_url_rule("/requests/<name>", "request", lambda name: _request(name, link), methods=["POST"])
    app.add_url_rule(
        "/pictures/<int:frame_id>/keep", "keep", lambda frame_id: _keep(frame_id, settings, link), methods=["POST"]
    )
    return app


def _refuse_stranger(configured_host: str) -> Response | None:
    if is_host_known(flask.request, configured_host):
        return None
    return _sentence(HTTPStatus.FORBIDDEN, f"{flask.request.host!r} is not a name of this machine; see ui.host")


def _page(settings: Settings) -> str:
    request = flask.request
    language = language_of(request.args.get("lang"), list(request.accept_languages.values()))
    return flask.render_template(
        "line.html",
        language=language,
        languages=LANGUAGES,
        direction="rtl" if language in RIGHT_TO_LEFT else "ltr",
        text=texts_in(language),
        line_name=settings.line_name,
        page_settings=_page_settings(settings),
    )


def _page_settings(settings: Settings) -> dict[str, object]:
    stations = settings.recipe.stations
    return {
        "classes": settings.recipe.classes,
        "stations": [{"id": one.id, "targets": one.targets, "purityTarget": one.purity_target} for one in stations],
        "pictureStaleAfterMs": picture_stale_after_ms(settings.ui.preview_rate_hz),
        "mayAct": is_on_this_machine(flask.request),
        "keepsPictures": bool(settings.harvest.folder),
    }


def _stream(newest: NewestEvent, places: StreamPlaces) -> Response:
    if not places.take():
        return _sentence(
            HTTPStatus.SERVICE_UNAVAILABLE,
            f"all {places.place_count} live streams are in use; close a page elsewhere, this one tries again by itself",
            {"Retry-After": "5"},
        )
    response = flask.Response(event_stream(newest), mimetype="text/event-stream")
    response.call_on_close(places.give_back)
    return response


def _request(name: str, link: LineLink) -> Response:
    kinds = {kind.value: kind for kind in RequestKind}
    if name not in kinds:
        return _sentence(HTTPStatus.NOT_FOUND, f"request {name!r} is unknown; there are {', '.join(kinds)}")
    refusal = _refusal()
    if refusal is None:
        link.ask(kinds[name])
    return refusal or flask.Response(status=HTTPStatus.ACCEPTED)


def _keep(frame_id: int, settings: Settings, link: LineLink) -> Response:
    if not settings.harvest.folder:
        return _sentence(HTTPStatus.CONFLICT, "this line keeps no pictures: harvest.folder names no place for them")
    refusal = _refusal()
    if refusal is None:
        link.keep(frame_id)
    return refusal or flask.Response(status=HTTPStatus.ACCEPTED)


def _refusal() -> Response | None:
    if not is_from_page(flask.request):
        return _sentence(HTTPStatus.FORBIDDEN, "requests to the line are taken from its own page alone")
    if not is_on_this_machine(flask.request):
        return _sentence(HTTPStatus.FORBIDDEN, "requests to the line are taken on this machine alone")
    return None


def _health(link: LineLink) -> Response:
    if link.is_following():
        return _sentence(HTTPStatus.OK, "ok")
    return _sentence(HTTPStatus.SERVICE_UNAVAILABLE, "the line's messages are not being read")


def _sentence(status: HTTPStatus, sentence: str, headers: dict[str, str] | None = None) -> Response:
    return flask.Response(f"{sentence}\n", status=status, headers=headers, mimetype="text/plain")
