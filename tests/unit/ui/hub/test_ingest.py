"""What lines hand in at the hub: who may, what is taken, and that nothing counts twice or leaks."""

import contextlib
import zlib
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import psycopg
import pytest
from flask.testing import FlaskClient

from sorter.model.events import AnyEvent, FaultNoted
from sorter.model.rollups import Period, Resolution, rolled_up
from sorter.runtime.api_keys import Scope, make_api_key, revoke_api_key
from sorter.store.batch import (
    BATCH_VERSION,
    BATCHES_PATH,
    LIVES_PATH,
    MAX_PACKED_BYTES,
    MAX_UNPACKED_BYTES,
    PROBLEM_TYPE,
    Batch,
    pack_batch,
)
from sorter.store.postgres_reader import PostgresReader
from sorter.store.protocol import Position
from ui.hub.app import create_hub
from ui.hub.line_keys import FileLineKeys
from ui.hub.writers import Writers

AT_MS = 1_790_000_000_000
ALL_TIME = Period(0, 2**50)


class Hub(NamedTuple):
    """A hub with the keys of two lines, and one that reads figures."""

    client: FlaskClient
    dsn: str
    keys_file: Path
    north: str
    south: str
    figures: str
    writers: Writers

    def post(self, batch: Batch | bytes, key: str | None) -> Any:
        body = batch if isinstance(batch, bytes) else pack_batch(batch)
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        return self.client.post(BATCHES_PATH, data=body, headers=headers)

    def lives(self, key: str) -> Any:
        return self.client.get(LIVES_PATH, headers={"Authorization": f"Bearer {key}"})


@pytest.fixture
def hub(postgres_dsn: str, tmp_path: Path) -> Iterator[Hub]:
    keys_file = tmp_path / "keys.json"
    north, south = (make_api_key(keys_file, name, [Scope.FLEET])[1] for name in ("north", "south"))
    figures = make_api_key(keys_file, "north", [Scope.FIGURES])[1]
    writers = Writers(postgres_dsn, 2)
    client = create_hub(writers, FileLineKeys(keys_file)).test_client()
    yield Hub(client, postgres_dsn, keys_file, north, south, figures, writers)
    writers.close()


def event(seq: int, device_id: str = "north", boot_id: str = "a", **changes: Any) -> FaultNoted:
    values = {"at_ms": AT_MS + seq, "process": "vision", "code": "dark", "detail": "", "is_cleared": False, **changes}
    return FaultNoted(device_id=device_id, boot_id=boot_id, seq=seq, **values)


def batch(*seqs: int, after_seq: int = 0, device_id: str = "north") -> Batch:
    return Batch(BATCH_VERSION, device_id, "a", after_seq, tuple(event(seq, device_id) for seq in seqs))


def stored(dsn: str) -> list[AnyEvent]:
    with contextlib.closing(PostgresReader(dsn)) as reader:
        return [one.event for one in reader.written_after(Position())]


def is_problem(response: Any, status: HTTPStatus) -> bool:
    body = response.get_json()
    return bool(
        response.status_code == status
        and response.content_type == PROBLEM_TYPE
        and body["status"] == status
        and body["title"] == status.phrase
    )


def test_a_batch_is_taken_and_the_receipt_says_how_far(hub: Hub) -> None:
    response = hub.post(batch(1, 2, 5), hub.north)
    assert response.status_code == HTTPStatus.OK
    assert response.get_json() == {"boot_id": "a", "last_seq": 5, "stored_count": 3, "known_count": 0}
    assert stored(hub.dsn) == list(batch(1, 2, 5).events)
    assert hub.lives(hub.north).get_json() == [{"boot_id": "a", "last_seq": 5}]
    assert hub.lives(hub.south).get_json() == []


def test_replays_and_duplicates_count_once_in_events_and_sums(hub: Hub) -> None:
    for sent in (batch(1, 2, 3), batch(1, 2, 3), batch(2, 3, 4, after_seq=1), batch(1, 2, 3)):
        assert hub.post(sent, hub.north).status_code == HTTPStatus.OK
    events = stored(hub.dsn)
    assert events == list(batch(1, 2, 3, 4).events)
    with contextlib.closing(PostgresReader(hub.dsn)) as reader:
        assert reader.series(ALL_TIME, Resolution.MINUTE) == rolled_up(events)
    assert hub.post(batch(1, 2), hub.north).get_json()["last_seq"] == 4


def test_a_replay_with_another_time_or_text_changes_nothing(hub: Hub) -> None:
    hub.post(batch(1), hub.north)
    forged = Batch(BATCH_VERSION, "north", "a", 0, (event(1, at_ms=AT_MS + 40 * 86_400_000, detail="forged"),))
    response = hub.post(forged, hub.north)
    assert (response.status_code, response.get_json()["known_count"]) == (HTTPStatus.OK, 1)
    assert stored(hub.dsn) == list(batch(1).events)


def test_a_batch_that_follows_what_is_not_held_is_refused(hub: Hub) -> None:
    hub.post(batch(1, 2), hub.north)
    response = hub.post(batch(9, after_seq=8), hub.north)
    assert is_problem(response, HTTPStatus.CONFLICT)
    assert "up to 2" in response.get_json()["detail"]
    assert len(stored(hub.dsn)) == 2


@pytest.mark.parametrize("key", [None, "", "farz_000000000000_" + "A" * 43, "' OR 1=1 --", "north"])
def test_a_wrong_key_gets_nothing(hub: Hub, key: str | None) -> None:
    assert is_problem(hub.post(batch(1), key), HTTPStatus.UNAUTHORIZED)
    assert is_problem(hub.lives(key or ""), HTTPStatus.UNAUTHORIZED)
    assert hub.post(batch(1), key).headers["WWW-Authenticate"].startswith("Bearer")
    assert stored(hub.dsn) == []


def test_a_key_without_the_scope_gets_nothing(hub: Hub) -> None:
    assert is_problem(hub.post(batch(1), hub.figures), HTTPStatus.FORBIDDEN)
    assert is_problem(hub.lives(hub.figures), HTTPStatus.FORBIDDEN)
    assert stored(hub.dsn) == []


def test_a_line_cannot_write_in_another_ones_name(hub: Hub) -> None:
    assert is_problem(hub.post(batch(1, device_id="south"), hub.north), HTTPStatus.FORBIDDEN)
    mixed = Batch(BATCH_VERSION, "north", "a", 0, (event(1), event(2, "south")))
    assert is_problem(hub.post(mixed, hub.north), HTTPStatus.UNPROCESSABLE_ENTITY)
    assert stored(hub.dsn) == []


def test_a_revoked_key_is_of_no_use_at_once(hub: Hub) -> None:
    assert hub.post(batch(1), hub.north).status_code == HTTPStatus.OK
    revoke_api_key(hub.keys_file, hub.north.split("_")[1])
    assert is_problem(hub.post(batch(2, after_seq=1), hub.north), HTTPStatus.UNAUTHORIZED)


def test_what_is_too_large_packed_or_unpacked_is_refused(hub: Hub) -> None:
    bomb = zlib.compressobj(wbits=31)
    packed = bomb.compress(bytes(MAX_UNPACKED_BYTES + 1)) + bomb.flush()
    for body in (bytes(MAX_PACKED_BYTES + 1), packed):
        assert is_problem(hub.post(body, hub.north), HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"\x1f\x8b",
        pack_batch(batch(1))[:-3],
        pack_batch(Batch(99, "north", "a", 0, (event(1),))),
        pack_batch(Batch(BATCH_VERSION, "north", "a", 0, (event(2), event(1)))),
    ],
)
def test_what_is_no_batch_is_refused(hub: Hub, body: bytes) -> None:
    assert is_problem(hub.post(body, hub.north), HTTPStatus.UNPROCESSABLE_ENTITY)


def test_a_number_beyond_64_bits_is_refused_and_leaves_nothing(hub: Hub) -> None:
    sent = Batch(BATCH_VERSION, "north", "a", 0, (event(1), event(2, at_ms=2**63 + 1)))
    assert is_problem(hub.post(sent, hub.north), HTTPStatus.UNPROCESSABLE_ENTITY)
    assert stored(hub.dsn) == []


def test_sql_in_texts_is_text(hub: Hub) -> None:
    evil = "'; DROP TABLE items; --"
    sent = Batch(BATCH_VERSION, "north", evil, 0, (event(1, boot_id=evil, detail=evil, process=evil, code=evil),))
    assert hub.post(sent, hub.north).status_code == HTTPStatus.OK
    assert stored(hub.dsn) == list(sent.events)


def test_clocks_that_jump_lose_nothing(hub: Hub) -> None:
    instants = [AT_MS, AT_MS - 3_600_000, 0, AT_MS + 10**12, AT_MS + 1]
    events = tuple(event(seq, at_ms=at_ms) for seq, at_ms in enumerate(instants, start=1))
    assert hub.post(Batch(BATCH_VERSION, "north", "a", 0, events), hub.north).status_code == HTTPStatus.OK
    assert stored(hub.dsn) == list(events)


def test_a_database_that_is_gone_is_said_without_a_word_of_it_and_comes_back(hub: Hub) -> None:
    name = hub.dsn.rpartition("=")[2]
    hub.post(batch(1), hub.north)
    with psycopg.connect(hub.dsn.replace(name, "postgres"), autocommit=True) as other:
        other.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        for _ in range(3):
            response = hub.post(batch(2, after_seq=1), hub.north)
            assert is_problem(response, HTTPStatus.SERVICE_UNAVAILABLE)
            assert int(response.headers["Retry-After"]) > 0
            assert name not in response.get_data(as_text=True)
        other.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())
    assert hub.post(batch(2, after_seq=1), hub.north).status_code == HTTPStatus.OK


def test_more_at_once_than_there_are_places_is_asked_to_wait(hub: Hub) -> None:
    with hub.writers.one(), hub.writers.one():
        assert is_problem(hub.post(batch(1), hub.north), HTTPStatus.SERVICE_UNAVAILABLE)
    assert hub.post(batch(1), hub.north).status_code == HTTPStatus.OK


def test_keys_that_cannot_be_read_let_nobody_in(hub: Hub) -> None:
    hub.keys_file.write_text("{ not keys")
    assert is_problem(hub.post(batch(1), hub.north), HTTPStatus.SERVICE_UNAVAILABLE)


def test_nothing_else_is_served(hub: Hub) -> None:
    assert hub.client.get("/healthz").status_code == HTTPStatus.OK
    for path in ("/", "/fleet/v1/batches/../../etc/passwd", "/static/../app.py", "/requests/start"):
        assert hub.client.get(path).status_code == HTTPStatus.NOT_FOUND
    assert hub.client.get(BATCHES_PATH).status_code == HTTPStatus.METHOD_NOT_ALLOWED


def test_answers_are_json_that_msgspec_reads(hub: Hub) -> None:
    assert msgspec.json.decode(hub.post(batch(1), hub.north).get_data())["stored_count"] == 1
