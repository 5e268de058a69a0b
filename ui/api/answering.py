"""From an operation's answer to bytes: format by Accept, entity tags and conditional requests, compression."""

import gzip
import hashlib
import importlib.util
from collections.abc import Sequence
from datetime import timezone
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any

import msgspec
from werkzeug.wrappers import Request, Response

from ui.api.operation import Deprecation, Operation
from ui.api.problem import ProblemError
from ui.api.query import Format, FormatName
from ui.api.tables import csv_bytes, parquet_bytes

MEDIA_TYPES: dict[FormatName, str] = {
    "json": "application/json",
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
}
_FORMAT_OF = {media_type: name for name, media_type in MEDIA_TYPES.items()}
_COMPRESSED_FROM_BYTES = 1024
_GZIP_LEVEL = 5


def formats_of(operation: Operation) -> tuple[FormatName, ...]:
    """What an operation can be had as; Parquet only where pyarrow is installed."""
    if operation.row is None:
        return ("json",)
    has_parquet = importlib.util.find_spec("pyarrow") is not None
    return ("json", "csv", "parquet") if has_parquet else ("json", "csv")


def chosen_format(request: Request, operation: Operation, query: Any) -> FormatName:
    """The format to answer in: the query's word, or the best that the Accept header bears.

    Raises:
        ProblemError: 406 if there is none.
    """
    offered = formats_of(operation)
    asked: Format = getattr(query, "format", "negotiate")
    wanted: FormatName | None = None if asked == "negotiate" else asked
    if wanted is None:
        media_type = _best(request, [MEDIA_TYPES[name] for name in offered])
        wanted = _FORMAT_OF.get(media_type or "")
    if wanted is None or wanted not in offered:
        raise ProblemError(HTTPStatus.NOT_ACCEPTABLE, f"this can be had as {', '.join(offered)}")
    return wanted


def answer_response(request: Request, operation: Operation, answer: msgspec.Struct, form: FormatName) -> Response:
    """The answer in a format, or 304 when the caller has it already."""
    response = Response(_body(operation, answer, form), status=operation.status)
    response.content_type = "text/csv; charset=utf-8" if form == "csv" else MEDIA_TYPES[form]
    if form != "json":
        response.headers["Content-Disposition"] = f'attachment; filename="farz-{operation.name}.{form}"'
    _link_next(request, answer, response)
    if operation.deprecation is not None:
        deprecate(response, operation.deprecation)
    return conditional(request, response) if operation.method == "GET" else response


def conditional(request: Request, response: Response) -> Response:
    """Tag an answer, answer 304 where the tag is known already, and compress what is worth it."""
    body = response.get_data()
    # weak, since one tag stands for the answer compressed and not
    response.set_etag(hashlib.blake2b(body, digest_size=12).hexdigest(), weak=True)
    response.headers["Cache-Control"] = "private, no-cache"
    response.vary.update(["Accept", "Accept-Encoding", "Authorization"])
    response.make_conditional(request)
    is_worth_it = len(body) >= _COMPRESSED_FROM_BYTES and response.mimetype != MEDIA_TYPES["parquet"]
    if response.status_code == HTTPStatus.OK and is_worth_it and request.accept_encodings["gzip"] > 0:
        response.set_data(gzip.compress(body, _GZIP_LEVEL, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    return response


def deprecate(response: Response, deprecation: Deprecation) -> None:
    """Say in the headers that an operation is given up (RFC 9745), until when it works (RFC 8594), what follows."""
    response.headers["Deprecation"] = f"@{int(deprecation.since.timestamp())}"
    response.headers["Sunset"] = format_datetime(deprecation.sunset.astimezone(timezone.utc), usegmt=True)
    response.headers.add("Link", f'<{deprecation.successor}>; rel="successor-version"')


def _best(request: Request, media_types: Sequence[str]) -> str | None:
    if not request.accept_mimetypes:
        return media_types[0]
    best: str | None = request.accept_mimetypes.best_match(media_types)
    return best


def _body(operation: Operation, answer: msgspec.Struct, form: FormatName) -> bytes:
    if form == "json" or operation.row is None:
        return msgspec.json.encode(answer)
    rows: Sequence[msgspec.Struct] = getattr(answer, "data")  # noqa: B009 - the table's answers have it, Struct has not
    return csv_bytes(operation.row, rows) if form == "csv" else parquet_bytes(operation.row, rows)


def _link_next(request: Request, answer: msgspec.Struct, response: Response) -> None:
    """The next page as a link too (RFC 8288), which CSV and Parquet have no other place for."""
    cursor = getattr(answer, "next_cursor", None)
    if cursor is not None:
        arguments = "&".join([f"cursor={cursor}", *_others(request)])
        response.headers.add("Link", f'<{request.path}?{arguments}>; rel="next"')


def _others(request: Request) -> list[str]:
    given = request.query_string.decode("ascii", "replace").split("&")
    return [part for part in given if part and not part.startswith("cursor=")]
