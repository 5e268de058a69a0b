"""The hub's application: what lines hand in, the API over all of them, and whether it is alive."""

from http import HTTPStatus

import flask
from werkzeug.wrappers import Response

from sorter.model.settings import Settings
from sorter.runtime.clock import Clock, wall_ms
from ui.api.operation import ApiLink
from ui.api.readers import Readers
from ui.api.site import Wsgi, create_api, with_api
from ui.guards import protect
from ui.hub.ingest import ingest_blueprint
from ui.hub.line_keys import LineKeys
from ui.hub.writers import Writers


def create_hub(writers: Writers, keys: LineKeys) -> flask.Flask:
    """Where lines hand in."""
    app = flask.Flask(__name__)
    app.after_request(protect)
    app.register_blueprint(ingest_blueprint(writers, keys))
    app.add_url_rule("/healthz", "healthz", _health)
    return app


def with_figures(hub: Wsgi, settings: Settings, readers: Readers, clock: Clock) -> Wsgi:
    """The hub with the API of all its lines beside it; no line runs here, so none has a state or takes an audit."""
    link = ApiLink(readers.borrow, wall_ms, clock.now_ns, lambda: None, None)
    return with_api(hub, create_api(settings, link))


def _health() -> Response:
    return flask.Response("ok\n", status=HTTPStatus.OK, mimetype="text/plain")
