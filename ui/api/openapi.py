"""The OpenAPI 3.1 document, made from the operations that are served: what it says is what is read and answered."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from sorter.model.settings import ApiSettings
from ui.api.answering import MEDIA_TYPES, formats_of
from ui.api.operation import Operation
from ui.api.problem import CONTENT_TYPE, Problem

API_VERSION = "1.0.0"
_REF = "#/components/schemas/{name}"
_KEY_SCHEME = "apiKey"
_RATE_HEADERS = ("RateLimit", "RateLimit-Policy")
# what any operation may answer instead; 422: each value is well formed, together or in this world they cannot be
_PROBLEMS = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.NOT_ACCEPTABLE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
_BODY_PROBLEMS = (HTTPStatus.CONFLICT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
_DESCRIPTION = """Figures of a waste-sorting line: numerator, denominator, 95 % interval, coverage, method and model.

What a line takes out is called sorted, never recycled. Corrections are revisions: `as_of` tells figures as they were
known at an instant. Days are those of the time zone `tz`. Times are told with their offset. No pictures are served.
"""


def openapi_document(operations: Sequence[Operation], settings: ApiSettings, base_path: str) -> dict[str, Any]:
    """The document as plain values.

    Args:
        operations: all that are served.
        settings: decide what is asked for without a key.
        base_path: what all paths begin with.
    """
    types = {one for operation in operations for one in (operation.answer, operation.body) if one is not None}
    _, schemas = msgspec.json.schema_components([*sorted(types, key=_name), Problem], ref_template=_REF)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Farz figures",
            "version": API_VERSION,
            "description": _DESCRIPTION,
            "license": {"name": "AGPL-3.0-or-later", "identifier": "AGPL-3.0-or-later"},
        },
        "servers": [{"url": base_path}],
        "paths": _paths(operations, settings),
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                _KEY_SCHEME: {"type": "http", "scheme": "bearer", "description": "A key that `farz keys api add` made"}
            },
            "responses": {_problem_name(status): _problem(status) for status in (*_PROBLEMS, *_BODY_PROBLEMS)},
            "headers": _headers(),
        },
    }


def _paths(operations: Sequence[Operation], settings: ApiSettings) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, settings)
    return paths


def _operation(operation: Operation, settings: ApiSettings) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": _text(operation.handle.__doc__),
        "parameters": _parameters(operation),
        "responses": _responses(operation),
        "security": _security(operation, settings),
    }
    if operation.body is not None:
        schema = {"$ref": _REF.format(name=_name(operation.body))}
        described["requestBody"] = {"required": True, "content": {MEDIA_TYPES["json"]: {"schema": schema}}}
    if operation.deprecation is not None:
        described["deprecated"] = True
    return described


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    (schema,), components = msgspec.json.schema_components([operation.query], ref_template=_REF)
    properties: dict[str, Any] = components[schema["$ref"].rpartition("/")[2]]["properties"]
    return [_parameter(name, value) for name, value in properties.items()]


def _parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A query has no null: a parameter that may be left out is one without a default."""
    kinds = [kind for kind in schema.get("anyOf", [schema]) if kind.get("type") != "null"]
    own = dict(kinds[0]) if len(kinds) == 1 else {"anyOf": kinds}
    if "enum" in own:
        own["enum"] = [value for value in own["enum"] if value is not None]
    if schema.get("default") is not None:
        own["default"] = schema["default"]
    description = own.pop("description", None) or schema.get("description", "")
    return {"name": name, "in": "query", "required": False, "description": description, "schema": own}


def _responses(operation: Operation) -> dict[str, Any]:
    schema = {"$ref": _REF.format(name=_name(operation.answer))}
    content: dict[str, Any] = {MEDIA_TYPES["json"]: {"schema": schema}}
    for form in formats_of(operation):
        if form != "json":
            # OpenAPI 3.1 describes what is not text by no schema at all
            content[MEDIA_TYPES[form]] = {"schema": {"type": "string"} if form == "csv" else {}}
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in _RATE_HEADERS}
    responses: dict[str, Any] = {}
    if operation.method == "GET":
        headers["ETag"] = {"$ref": "#/components/headers/ETag"}
        responses["304"] = {"description": "What the tag in If-None-Match names is still true"}
    if operation.deprecation is not None:
        headers |= {name: {"$ref": f"#/components/headers/{name}"} for name in ("Deprecation", "Sunset")}
    described = _text(operation.answer.__doc__) or operation.summary
    responses[str(operation.status)] = {"description": described, "headers": headers, "content": content}
    problems = _PROBLEMS if operation.body is None else (*_PROBLEMS, *_BODY_PROBLEMS)
    responses |= {str(status.value): {"$ref": f"#/components/responses/{_problem_name(status)}"} for status in problems}
    return dict(sorted(responses.items()))


def _security(operation: Operation, settings: ApiSettings) -> list[dict[str, Any]]:
    if operation.scope is None:
        return []
    needed: list[dict[str, Any]] = [{_KEY_SCHEME: [operation.scope.value]}]
    return [*needed, {}] if operation.scope.value in settings.public_scopes else needed


def _problem_name(status: HTTPStatus) -> str:
    return status.phrase.title().replace(" ", "")


def _problem(status: HTTPStatus) -> dict[str, Any]:
    content = {CONTENT_TYPE: {"schema": {"$ref": _REF.format(name=_name(Problem))}}}
    return {"description": status.description or status.phrase, "content": content}


def _headers() -> dict[str, Any]:
    text = {"type": "string"}
    return {
        "RateLimit": {"description": "Requests left (IETF draft)", "schema": text},
        "RateLimit-Policy": {"description": "Requests granted, per seconds (IETF draft)", "schema": text},
        "ETag": {"description": "Names this answer; send it back as If-None-Match", "schema": text},
        "Deprecation": {"description": "Since when this is given up (RFC 9745)", "schema": text},
        "Sunset": {"description": "Until when it works (RFC 8594)", "schema": text},
    }


def _name(kind: type[msgspec.Struct]) -> str:
    return kind.__name__


def _text(docstring: str | None) -> str:
    """The first paragraph of a docstring."""
    return " ".join((docstring or "").strip().partition("\n\n")[0].split())
