"""Every error of the API as a problem document (RFC 9457): what is wrong in a sentence, nothing of what is inside."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated

import msgspec
from msgspec import Meta
from werkzeug.wrappers import Response

CONTENT_TYPE = "application/problem+json"


class Problem(msgspec.Struct, frozen=True):
    """An error as RFC 9457 words it.

    Attributes:
        type: about:blank, as the status says what kind of problem it is.
        title: the status in words.
        status: HTTP status.
        detail: one sentence that names what was asked and what is allowed.
    """

    type: Annotated[str, Meta(extra_json_schema={"format": "uri-reference"})]
    title: str
    status: Annotated[int, Meta(ge=400, le=599)]
    detail: str


class ProblemError(Exception):
    """Ends a request with a problem document."""

    def __init__(self, status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})


def problem_response(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """The answer for a problem; it is never stored by caches."""
    problem = Problem("about:blank", HTTPStatus(status).phrase, status, detail)
    response = Response(msgspec.json.encode(problem), status=status, content_type=CONTENT_TYPE)
    response.headers.update(dict(headers or {}))
    response.headers["Cache-Control"] = "no-store"
    return response
