"""The hub's application: what lines hand in, and whether it is alive."""

from http import HTTPStatus

import flask
from werkzeug.wrappers import Response

from ui.guards import protect
from ui.hub.ingest import ingest_blueprint
from ui.hub.line_keys import LineKeys
from ui.hub.writers import Writers


def create_hub(writers: Writers, keys: LineKeys) -> flask.Flask:
    """The application of one hub."""
    app = flask.Flask(__name__)
    app.after_request(protect)
    app.register_blueprint(ingest_blueprint(writers, keys))
    app.add_url_rule("/healthz", "healthz", _health)
    return app


def _health() -> Response:
    return flask.Response("ok\n", status=HTTPStatus.OK, mimetype="text/plain")
