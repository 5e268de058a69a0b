"""Tags, conditional requests, compression, formats by Accept, methods, errors outside our operations, given-up ones."""

import gzip
from datetime import datetime, timezone
from typing import Any

import flask
import msgspec
import pytest
from flask.testing import FlaskClient
from werkzeug.test import Client

from sorter.errors import StoreError
from sorter.model.settings import Settings
from sorter.runtime.api_keys import Scope
from ui.api.blueprint import register
from ui.api.operation import ApiLink, Asking, Deprecation, Operation
from ui.api.site import with_api

PATH = "/api/v1/composition?from=2026-03-29&to=2026-03-30"


def test_what_is_known_already_is_not_sent_again(client: FlaskClient) -> None:
    first = client.get(PATH)
    again = client.get(PATH, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert again.data == b""
    assert again.headers["ETag"] == first.headers["ETag"]
    assert client.get(PATH, headers={"If-None-Match": 'W/"another"'}).status_code == 200


def test_new_events_are_a_new_tag(line: Any) -> None:
    client = line.client(public_scopes=("figures:read",))
    tag = client.get(PATH).headers["ETag"]
    line.record(line.item(1_774_742_400_000))
    assert client.get(PATH, headers={"If-None-Match": tag}).status_code == 200


def test_compressed_is_the_same_and_one_tag_stands_for_both(client: FlaskClient) -> None:
    plain = client.get(PATH)
    packed = client.get(PATH, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) < len(plain.data) / 2
    assert packed.headers["ETag"] == plain.headers["ETag"]
    assert "Content-Encoding" not in client.get(PATH, headers={"Accept-Encoding": "gzip;q=0"}).headers
    assert {"Accept-Encoding", "Authorization"} <= set(plain.headers["Vary"].split(", "))


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("*/*", "application/json"),
        ("text/csv", "text/csv; charset=utf-8"),
        ("text/*", "text/csv; charset=utf-8"),
        ("application/json;q=0.5, text/csv", "text/csv; charset=utf-8"),
        ("image/png", "application/problem+json"),
    ],
)
def test_the_format_is_what_is_accepted(client: FlaskClient, accept: str, content_type: str) -> None:
    answer = client.get(PATH, headers={"Accept": accept})
    assert answer.content_type == content_type
    assert answer.status_code == (406 if "problem" in content_type else 200)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v2/lines", 404),
        ("GET", "/api/v1/../../etc/passwd", 404),
        ("GET", "/api/v1/%2e%2e/%2e%2e/etc/passwd", 404),
        ("GET", "/api/v1/lines/", 404),
        ("GET", "/api/v1/lines%00", 404),
        ("DELETE", "/api/v1/audits", 405),
        ("PUT", "/api/v1/lines", 405),
        ("POST", "/api/v1/composition", 405),
    ],
)
def test_what_is_not_there_is_a_problem_too(client: FlaskClient, method: str, path: str, status: int) -> None:
    answer = client.open(path, method=method)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert "passwd" not in answer.text
    assert status != 405 or "Allow" in answer.headers


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v1", "/api/v1/"])
def test_who_comes_to_the_door_is_shown_the_documentation(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/api/v1/docs")


def test_what_needs_no_key_may_be_read_by_other_sites_and_the_page_is_left_alone(line: Any) -> None:
    both = with_api(flask.Flask("page"), line.app(line.settings(public_scopes=("figures:read",))))
    client = Client(both)
    assert client.get("/api/v1/lines").headers["Access-Control-Allow-Origin"] == "*"
    keyed = client.get("/api/v1/lines", headers=line.key(Scope.FIGURES)).headers
    assert "Access-Control-Allow-Origin" not in keyed
    assert keyed["X-Content-Type-Options"] == "nosniff"
    assert client.get("/api/v0").content_type == "application/problem+json"
    assert client.get("/apiary").content_type.startswith("text/html")


def test_a_store_that_cannot_be_read_is_503_and_does_not_say_where_it_is(line: Any) -> None:
    (line.folder / "events.sqlite").unlink()
    answer = line.client(public_scopes=("figures:read",)).get(PATH)
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
    assert str(line.folder) not in answer.text


def test_a_line_that_has_written_nothing_yet_is_answered(empty_line: Any) -> None:
    client = empty_line.client(public_scopes=("figures:read", "events:read"))
    assert client.get("/api/v1/lines").json == {"first": None, "last": None, "data": []}
    for path in ("composition", "throughput", "quality", "events"):
        assert client.get(f"/api/v1/{path}").status_code == 200


class Said(msgspec.Struct, frozen=True):
    """Anything."""

    word: str


def served(line: Any, **changes: Any) -> FlaskClient:
    """A client of an application with one operation."""
    values = {"name": "old", "path": "/old", "summary": "Old", "scope": None, "answer": Said}
    app = flask.Flask("one")
    link = ApiLink(line.readers.borrow, lambda: 0, lambda: 0, lambda: None, None)
    operation = Operation(**values | {"handle": lambda _asking: Said("hello")} | changes)
    register(app, Settings(), link, (operation,))
    return app.test_client()


def test_an_operation_that_is_given_up_says_so_until_when_and_what_follows(line: Any) -> None:
    since, sunset = datetime(2026, 1, 1, tzinfo=timezone.utc), datetime(2027, 1, 1, tzinfo=timezone.utc)
    headers = served(line, deprecation=Deprecation(since, sunset, "/api/v2/new")).get("/api/v1/old").headers
    assert headers["Deprecation"] == "@1767225600"
    assert headers["Sunset"] == "Fri, 01 Jan 2027 00:00:00 GMT"
    assert headers["Link"] == '</api/v2/new>; rel="successor-version"'
    assert "Deprecation" not in served(line).get("/api/v1/old").headers


@pytest.mark.parametrize("error", [RuntimeError("secret"), StoreError("secret"), KeyError("secret")])
def test_a_failure_of_ours_tells_nothing(line: Any, error: Exception) -> None:
    def fail(_asking: Asking) -> Said:
        raise error

    answer = served(line, handle=fail).get("/api/v1/old")
    assert answer.status_code in {500, 503}
    assert answer.content_type == "application/problem+json"
    assert "secret" not in answer.text
