"""The API as an application of its own beside the page: operations, OpenAPI document, documentation, catalogue.

Beside the page and not within it, since its callers are programs with keys, not people who have logged in, and since
its answers may be read by other sites, which the page's never are.
"""

from collections.abc import Callable, Iterable
from typing import Any

import flask
import msgspec
from werkzeug.wrappers import Response

from sorter.model.settings import Settings
from ui.api.answering import conditional
from ui.api.blueprint import BASE_PATH, register
from ui.api.catalogue import CATALOGUE_TYPE, catalogue
from ui.api.openapi import openapi_document
from ui.api.operation import ApiLink
from ui.api.operation_table import OPERATIONS

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def with_api(page: Wsgi, api: Wsgi) -> Wsgi:
    """One application of two: what begins with /api is the API's."""

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        return (api if path == "/api" or path.startswith("/api/") else page)(environ, start_response)

    return serve


def create_api(settings: Settings, link: ApiLink) -> flask.Flask:
    """The API of one line, or of a hub of many; its descriptions need no key."""
    app = flask.Flask(__name__, static_url_path="/api/static")
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    register(app, settings, link, OPERATIONS)
    document = openapi_document(OPERATIONS, settings.api, BASE_PATH)
    _describe(app, "openapi.json", "application/json", lambda: document)
    _describe(app, "catalog.jsonld", CATALOGUE_TYPE, lambda: catalogue(settings, _own_url(settings), OPERATIONS))
    app.add_url_rule(f"{BASE_PATH}/docs", "docs", lambda: flask.render_template("docs.html", document=document))
    for address in ("/api", "/api/", BASE_PATH, f"{BASE_PATH}/"):
        app.add_url_rule(address, f"to_docs{address}".replace("/", "_"), lambda: flask.redirect(f"{BASE_PATH}/docs"))
    app.after_request(_protect)
    return app


def _describe(app: flask.Flask, name: str, content_type: str, make: Callable[[], dict[str, Any]]) -> None:
    def view() -> Response:
        response = Response(msgspec.json.encode(make()), content_type=content_type)
        return conditional(flask.request, response)

    app.add_url_rule(f"{BASE_PATH}/{name}", name, view)


def _own_url(settings: Settings) -> str:
    """How the API is reached from outside."""
    return settings.api.public_url or flask.request.host_url.rstrip("/")


def _protect(response: flask.Response) -> flask.Response:
    """What a browser may do with an answer; what needed no key may be read by every site's scripts."""
    response.headers.update(_HEADERS)
    if "Authorization" not in flask.request.headers:
        response.headers["Access-Control-Allow-Origin"] = "*"
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    return response
