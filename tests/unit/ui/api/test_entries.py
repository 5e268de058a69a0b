"""Events and audits: pages that join exactly, no name of a person, and audits that reach the line checked."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sorter.runtime.api_keys import Scope

BEGIN_MS = 1_774_742_400_000
HOUR_MS = 3_600_000
PERIOD = {"from": "2026-03-29", "to": "2026-03-30"}
PERSON, PLACE = "Fatima", "/home/"


def pages(client: FlaskClient, path: str, limit: int, **query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    asked: dict[str, Any] = PERIOD | query | {"limit": limit}
    while True:
        answer = client.get(f"/api/v1/{path}", query_string=asked)
        assert answer.status_code == 200, answer.text
        assert len(answer.json["data"]) <= limit
        found += answer.json["data"]
        if answer.json["next_cursor"] is None:
            return found
        asked["cursor"] = answer.json["next_cursor"]


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(limit=st.integers(7, 1000))
def test_pages_of_any_length_join_to_all_events_once(client: FlaskClient, limit: int) -> None:
    seqs = [event["seq"] for event in pages(client, "events", limit, kind="item")]
    assert len(seqs) == 120
    assert sorted(set(seqs)) == seqs


def test_events_that_are_written_while_pages_are_read_neither_double_nor_drop_others(line: Any) -> None:
    client = line.client(public_scopes=("events:read",))
    first = client.get("/api/v1/events", query_string=PERIOD | {"limit": "50"}).json
    line.record(line.item(BEGIN_MS + 1), line.item(BEGIN_MS + 3 * HOUR_MS))
    rest = client.get("/api/v1/events", query_string=PERIOD | {"limit": "1000", "cursor": first["next_cursor"]}).json
    seqs = [event["seq"] for event in first["data"] + rest["data"]]
    assert len(seqs) == len(set(seqs)) == 121


def test_the_next_page_is_a_link_too(client: FlaskClient) -> None:
    answer = client.get("/api/v1/events", query_string=PERIOD | {"limit": "100", "format": "csv"})
    address = answer.headers["Link"].partition(">")[0].lstrip("<")
    assert client.get(address).text.count("\n") == 21


@pytest.mark.parametrize(
    "query",
    [
        {"cursor": "AAAA"},
        {"cursor": "A" * 512},
        {"cursor": "-"},
        {"limit": "7", "cursor": "OTHER"},
    ],
)
def test_a_cursor_that_is_not_ours_is_refused(client: FlaskClient, query: dict[str, str]) -> None:
    if query["cursor"] == "OTHER":
        query = query | {
            "cursor": client.get("/api/v1/events", query_string={"limit": "1"} | PERIOD).json["next_cursor"]
        }
        query |= {"kind": "mode"}
    answer = client.get("/api/v1/events", query_string=PERIOD | query)
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "1e9", "99999999999999999999", "ten", ""])
def test_giant_and_absurd_pages_are_refused(client: FlaskClient, limit: str) -> None:
    assert client.get("/api/v1/events", query_string={"limit": limit}).status_code == 400


@pytest.mark.parametrize(
    ("path", "kind", "told"), [("events", "mode", "start"), ("events", "fault", "no_camera"), ("audits", None, "first")]
)
@pytest.mark.parametrize("form", ["json", "csv"])
def test_no_person_and_no_place_is_named(line: Any, path: str, kind: str | None, told: str, form: str) -> None:
    line.record(line.audit(BEGIN_MS + HOUR_MS, {"pet_clear": 9, "other": 1}))
    client = line.client(public_scopes=("events:read", "audits:read"))
    query = PERIOD | {"format": form} | ({"kind": kind} if kind else {})
    answer = client.get(f"/api/v1/{path}", query_string=query)
    assert told in answer.text
    assert PERSON not in answer.text
    assert PLACE not in answer.text


def test_all_revisions_of_an_audit_stay(line: Any) -> None:
    line.record(line.audit(BEGIN_MS + HOUR_MS, {"pet_clear": 9, "other": 1}))
    line.record(line.audit(BEGIN_MS + HOUR_MS + 1, {"pet_clear": 8, "other": 2}, revision=2))
    found = pages(line.client(public_scopes=("audits:read",)), "audits", 1)
    assert [(audit["revision"], audit["class_counts"]["pet_clear"]) for audit in found] == [(1, 9), (2, 8)]


def test_what_was_entered_this_minute_is_there_without_naming_a_period(line: Any) -> None:
    line.now_ms += 30_000
    line.record(line.audit(line.now_ms - 1, {"pet_clear": 9, "other": 1}, from_ms=BEGIN_MS, to_ms=line.now_ms))
    found = line.client(public_scopes=("audits:read",)).get("/api/v1/audits").json["data"]
    assert [audit["audit_id"] for audit in found] == ["first"]


AUDIT = {
    "station": None,
    "sampled_from": "2026-03-29T00:00:00Z",
    "sampled_to": "2026-03-29T01:00:00Z",
    "class_counts": {"hdpe": 3},
}


def test_an_audit_reaches_the_line_without_a_name(line: Any) -> None:
    answer = line.client().post("/api/v1/audits", json=AUDIT, headers=line.key(Scope.AUDIT))
    assert answer.status_code == 202
    (entry,) = line.entered
    assert (answer.json["audit_id"], answer.json["revision"]) == (entry.audit_id, 1)
    assert entry.class_counts == {"hdpe": 3}
    assert (entry.from_ms, entry.to_ms) == (BEGIN_MS, BEGIN_MS + HOUR_MS)
    assert "Meknes" not in entry.taken_by


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"class_counts": {}}, 422),
        ({"class_counts": {"hdpe": -1}}, 422),
        ({"class_counts": {"hdpe": 1.5}}, 422),
        ({"class_counts": {"gold": 1}}, 422),
        ({"class_counts": {"other": 1}}, 202),
        ({"station": "nowhere"}, 422),
        ({"sampled_from": "2026-03-29T02:00:00Z"}, 422),
        ({"sampled_to": "2036-03-29T02:00:00Z"}, 422),
        ({"sampled_to": "9999-12-31T23:59:59Z"}, 422),
        ({"sampled_from": "0001-01-01T00:00:00Z"}, 422),
        ({"sampled_from": "2026-03-29T00:00:00"}, 422),
        ({"audit_id": "../first"}, 422),
        ({"audit_id": "first", "revision": 2, "is_withdrawn": True}, 202),
        ({"revision": 0}, 422),
        ({"taken_by": "me"}, 422),
    ],
)
def test_an_audit_that_cannot_be_is_refused_and_not_passed_on(line: Any, change: dict[str, Any], status: int) -> None:
    answer = line.client().post("/api/v1/audits", json=AUDIT | change, headers=line.key(Scope.AUDIT))
    assert answer.status_code == status, answer.text
    assert len(line.entered) == (status == 202)


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[]", "application/json", 422),
        (b"", "application/json", 400),
        (b"a=1", "application/x-www-form-urlencoded", 415),
        (b'{"note": "' + b"x" * 100_000 + b'"}', "application/json", 413),
    ],
)
def test_a_body_that_is_none_is_refused(line: Any, body: bytes, content_type: str, status: int) -> None:
    answer = line.client().post("/api/v1/audits", data=body, content_type=content_type, headers=line.key(Scope.AUDIT))
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"


def test_a_hub_takes_no_audits(line: Any) -> None:
    line.takes_audits = False
    assert line.client().post("/api/v1/audits", json=AUDIT, headers=line.key(Scope.AUDIT)).status_code == 409
