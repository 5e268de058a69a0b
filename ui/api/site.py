"""Adds the whole API to the page's application: operations, OpenAPI document, documentation page, catalogue."""

from collections.abc import Callable
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


def add_api(app: flask.Flask, settings: Settings, link: ApiLink) -> None:
    """Serve the API below /api/v1; its descriptions need no key."""
    register(app, settings, link, OPERATIONS)
    document = openapi_document(OPERATIONS, settings.api, BASE_PATH)
    _describe(app, "openapi.json", "application/json", lambda: document)
    _describe(app, "catalog.jsonld", CATALOGUE_TYPE, lambda: catalogue(settings, _own_url(settings), OPERATIONS))
    page = f"{BASE_PATH}/docs"
    app.add_url_rule(page, "api_docs", lambda: flask.render_template("api_docs.html", document=document))


def _describe(app: flask.Flask, name: str, content_type: str, make: Callable[[], dict[str, Any]]) -> None:
    def view() -> Response:
        response = Response(msgspec.json.encode(make()), content_type=content_type)
        return conditional(flask.request, response)

    app.add_url_rule(f"{BASE_PATH}/{name}", f"api_{name}", view)


def _own_url(settings: Settings) -> str:
    """How the API is reached from outside."""
    return settings.api.public_url or flask.request.url_root.rstrip("/")
