"""Who may ask, and how much: keys, scopes, rates, quotas, desks; every refusal is a problem and tells nothing more."""

import threading
from typing import Any

import pytest
from flask.testing import FlaskClient

from sorter.runtime.api_keys import Scope, read_api_keys, revoke_api_key
from ui.api.operation_table import OPERATIONS

MIN_NS = 60_000_000_000
DAY_NS = 24 * 60 * MIN_NS
GUARDED = [operation for operation in OPERATIONS if operation.scope is not None]


def ask(client: FlaskClient, operation: Any, headers: dict[str, str] | None = None) -> Any:
    return client.open(f"/api/v1{operation.path}", method=operation.method, headers=headers or {})


@pytest.mark.parametrize("operation", GUARDED, ids=lambda operation: operation.name)
def test_without_a_key_nothing_is_told(line: Any, operation: Any) -> None:
    answer = ask(line.client(), operation)
    assert answer.status_code == 401
    assert answer.content_type == "application/problem+json"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert set(answer.json) == {"type", "title", "status", "detail"}


@pytest.mark.parametrize("operation", GUARDED, ids=lambda operation: operation.name)
def test_a_key_of_all_other_scopes_does_not_open(line: Any, operation: Any) -> None:
    key = line.key(*[scope for scope in Scope if scope is not operation.scope])
    answer = ask(line.client(), operation, key)
    assert answer.status_code == 403
    assert operation.scope.value in answer.json["detail"]


@pytest.mark.parametrize("operation", GUARDED, ids=lambda operation: operation.name)
def test_a_key_of_the_scope_opens(line: Any, operation: Any) -> None:
    assert ask(line.client(), operation, line.key(operation.scope)).status_code not in {401, 403}


@pytest.mark.parametrize(
    "shown",
    ["Bearer", "Bearer ", "Bearer nonsense", "Basic ZmFyejpmYXJ6", "Bearer farz_000000000000_" + "A" * 43, "'--"],
)
def test_what_is_no_key_is_refused_though_the_figures_are_public(line: Any, shown: str) -> None:
    client = line.client(public_scopes=("figures:read",))
    answer = client.get("/api/v1/lines", headers={"Authorization": shown})
    assert answer.status_code == 401
    assert answer.content_type == "application/problem+json"


def test_a_key_with_one_letter_changed_is_refused(line: Any) -> None:
    key = line.key(Scope.FIGURES)["Authorization"]
    other = key[:-1] + ("A" if key[-1] != "A" else "B")
    assert line.client().get("/api/v1/lines", headers={"Authorization": other}).status_code == 401


def test_a_key_is_refused_within_a_second_of_being_revoked(line: Any) -> None:
    key, client = line.key(Scope.FIGURES), line.client()
    assert client.get("/api/v1/lines", headers=key).status_code == 200
    revoke_api_key(line.keys_file, read_api_keys(line.keys_file)[0].key_id)
    line.now_ns += 1_000_000_000
    assert client.get("/api/v1/lines", headers=key).status_code == 401


def test_a_broken_file_of_keys_opens_nothing_and_is_told_once(line: Any, caplog: pytest.LogCaptureFixture) -> None:
    key, client = line.key(Scope.FIGURES), line.client()
    whole = line.keys_file.read_text()
    line.keys_file.write_text("{")
    for _ in range(3):
        assert client.get("/api/v1/lines", headers=key).status_code == 401
        line.now_ns += 1_000_000_000
    assert len([record for record in caplog.records if "API key" in record.message]) == 1
    line.keys_file.write_text(whole)
    assert client.get("/api/v1/lines", headers=key).status_code == 200


def test_public_is_what_the_configuration_says_and_no_more(line: Any) -> None:
    client = line.client(public_scopes=("figures:read",))
    assert client.get("/api/v1/composition").status_code == 200
    for path in ("events", "audits", "health"):
        assert client.get(f"/api/v1/{path}").status_code == 401


def test_nothing_is_public_unless_said(line: Any) -> None:
    assert line.settings().api.public_scopes == ()


def test_the_rate_is_held_and_comes_back(line: Any) -> None:
    key, client = line.key(Scope.FIGURES, rate_per_min=3), line.client()
    statuses = [client.get("/api/v1/materials", headers=key).status_code for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    refused = client.get("/api/v1/materials", headers=key)
    assert refused.content_type == "application/problem+json"
    line.now_ns += int(refused.headers["Retry-After"]) * 1_000_000_000
    assert client.get("/api/v1/materials", headers=key).status_code == 200


def test_the_quota_is_held_for_a_day_whatever_the_rate(line: Any) -> None:
    key, client = line.key(Scope.FIGURES, rate_per_min=100, quota_per_day=4), line.client()
    for _ in range(4):
        assert client.get("/api/v1/materials", headers=key).status_code == 200
        line.now_ns += MIN_NS
    refused = client.get("/api/v1/materials", headers=key)
    assert refused.status_code == 429
    assert "quota" in refused.json["detail"]
    line.now_ns += DAY_NS
    assert client.get("/api/v1/materials", headers=key).status_code == 200


def test_who_guesses_keys_is_slowed_down(line: Any) -> None:
    client = line.client(public_rate_per_min=5)
    guesses = [client.get("/api/v1/lines", headers={"Authorization": f"Bearer {n}"}).status_code for n in range(8)]
    assert guesses == [401] * 5 + [429] * 3


def test_one_caller_does_not_use_up_another_ones_rate(line: Any) -> None:
    greedy, other = line.key(Scope.FIGURES, rate_per_min=1), line.key(Scope.FIGURES)
    client = line.client()
    assert [client.get("/api/v1/materials", headers=greedy).status_code for _ in range(2)] == [200, 429]
    assert client.get("/api/v1/materials", headers=other).status_code == 200


def test_what_is_left_is_told(line: Any) -> None:
    key = line.key(Scope.FIGURES, rate_per_min=10, quota_per_day=3)
    headers = line.client().get("/api/v1/materials", headers=key).headers
    assert headers["RateLimit-Policy"] == '"rate";q=10;w=60, "quota";q=3;w=86400'
    assert headers["RateLimit"] == '"rate";r=2'


def test_more_at_once_than_there_are_desks_is_503_and_no_hang(line: Any) -> None:
    inside, may_leave = threading.Event(), threading.Event()
    borrow = line.readers.borrow

    class Slow:
        def __call__(self) -> Any:
            inside.set()
            may_leave.wait(30)
            return borrow()

    line.readers.borrow = Slow()
    app = line.app(line.settings(public_scopes=("figures:read",), max_concurrent_count=1))
    first: list[int] = []
    asker = threading.Thread(target=lambda: first.append(app.test_client().get("/api/v1/lines").status_code))
    asker.start()
    assert inside.wait(30)
    refused = app.test_client().get("/api/v1/materials")
    may_leave.set()
    asker.join()
    assert refused.status_code == 503
    assert refused.headers["Retry-After"] == "1"
    assert first == [200]
    assert app.test_client().get("/api/v1/materials").status_code == 200
