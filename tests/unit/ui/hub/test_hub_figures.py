"""The hub answers the API as a store of the same events on a line would, to the last byte."""

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import Client

from sorter.model.condition import Mode
from sorter.model.ejection import AckStatus, DecisionReason
from sorter.model.events import AnyEvent, AuditTaken, EnergyUsed, ItemDecided, ModeTime, RecipeUsed
from sorter.model.rollups import CountName, Period
from sorter.model.settings import ApiSettings, Settings
from sorter.runtime.api_keys import ApiKey
from sorter.runtime.clock import ManualClock, wall_ms
from sorter.store.postgres_reader import PostgresReader
from sorter.store.postgres_writer import PostgresWriter
from sorter.store.sqlite_reader import SqliteReader
from sorter.store.sqlite_writer import SqliteWriter
from ui.api.operation import ApiLink
from ui.api.operation_table import OPERATIONS
from ui.api.readers import Readers
from ui.api.site import create_api
from ui.hub.app import create_hub, with_figures
from ui.hub.writers import Writers

MIN_MS, HOUR_MS = 60_000, 3_600_000
BEGIN_MS = 1_774_742_400_000  # 2026-03-29 00:00 UTC; an hour later, clocks in Europe go forward
SETTINGS = Settings(
    api=ApiSettings(
        public_scopes=("figures:read", "events:read", "audits:read", "health:read"), public_rate_per_min=1_000_000
    )
)
PERIOD = "from=2026-03-29T00:00Z&to=2026-03-29T04:00Z"


def history(device_id: str, class_name: str) -> Iterator[AnyEvent]:
    """Three hours of a line in two lives, with an audit and its correction."""
    seq = 0

    def head(at_ms: int) -> dict[str, Any]:
        nonlocal seq
        seq += 1
        return {"device_id": device_id, "boot_id": "first" if seq < 500 else "second", "seq": seq, "at_ms": at_ms}

    yield RecipeUsed(
        **head(BEGIN_MS), recipe_hash="r", name="r", classes=("pet_clear", "hdpe"), targets={"pet": ("pet_clear",)}
    )
    for minute in range(180):
        at_ms = BEGIN_MS + minute * MIN_MS
        for number in range(3):
            is_hit = number > 0
            yield ItemDecided(
                **head(at_ms + number * 900), track_id=seq, decision_id=seq, class_name=class_name, probability=0.9,
                class_probabilities={"pet_clear": 0.9, "hdpe": 0.05}, view_count=4, x_um=1000, belt_um=seq * 10**6,
                width_um=80_000, length_um=220_000 + seq, overlap_ratio=0.01, mass_g=28.5, mass_sd_g=9.0,
                reason=DecisionReason.EJECT if is_hit else DecisionReason.NO_STATION,
                station_id="pet" if is_hit else None, ack_status=AckStatus.FIRED if is_hit else None, refusal=None,
                placement_error_um=-300 if is_hit else None, frame_to_command_ms=41.5 if is_hit else None,
                model_id="farz-n", recipe_hash="r",
            )  # fmt: skip
        yield ModeTime(**head(at_ms + 10_000), mode=Mode.EXECUTE, duration_ms=10_000)
        yield EnergyUsed(
            **head(at_ms + 11_000), duration_ms=11_000, source="rapl", energy_mj=900_000, air_ul=4000, shot_count=2
        )
    for revision in (1, 2):
        yield AuditTaken(
            **head(BEGIN_MS + HOUR_MS + revision), audit_id="a", revision=revision, station_id="pet",
            from_ms=BEGIN_MS, to_ms=BEGIN_MS + HOUR_MS, class_counts={"pet_clear": 18 + revision, "other": 2},
        )  # fmt: skip


@pytest.fixture(scope="module")
def answering(tmp_path_factory: pytest.TempPathFactory, postgres_server: Any) -> Iterator[tuple[FlaskClient, Client]]:
    """The API before a SQLite store, and a hub, both with the same two lines."""
    tmp_path, postgres_dsn = tmp_path_factory.mktemp("line"), postgres_server.new_database()
    line_writer, writers = SqliteWriter(tmp_path / "events.sqlite"), Writers(postgres_dsn, 1)
    with contextlib.closing(PostgresWriter(postgres_dsn)) as hub_writer:
        for device_id, class_name in (("north", "pet_clear"), ("south", "hdpe")):
            events = list(history(device_id, class_name))
            line_writer.record(events)
            for begin in range(0, len(events), 100):
                hub_writer.record(events[begin : begin + 100])
    line_readers = Readers(lambda: SqliteReader(tmp_path / "events.sqlite"))
    hub_readers = Readers(lambda: PostgresReader(postgres_dsn))
    line = create_api(SETTINGS, ApiLink(line_readers.borrow, wall_ms, lambda: 0, lambda: None, None))
    hub = with_figures(create_hub(writers, NoKeys()), SETTINGS, hub_readers, ManualClock())
    yield line.test_client(), Client(hub)
    line_readers.close()
    hub_readers.close()
    line_writer.close()
    writers.close()


class NoKeys:
    """Lets nobody in."""

    def key_of(self, authorization: str | None) -> ApiKey | None:
        del authorization
        return None


@pytest.mark.parametrize("line", ["", "&line=north", "&line=south", "&line=nowhere"])
def test_every_operation_answers_as_a_line_does(answering: tuple[FlaskClient, Client], line: str) -> None:
    at_line, at_hub = answering
    compared = 0
    for operation in OPERATIONS:
        if operation.method != "GET":
            continue
        for more in ("", "&resolution=hour&tz=Europe/Rome", "&limit=7"):
            url = f"/api/v1{operation.path}?{PERIOD}{line}{more}"
            here, there = at_line.get(url), at_hub.get(url)
            assert (there.status_code, there.data) == (here.status_code, here.data), url
            compared += here.status_code == 200
    assert compared >= (0 if line == "&line=nowhere" else 8)


def test_pages_of_events_go_on_at_the_hub_where_they_ended_there(answering: tuple[FlaskClient, Client]) -> None:
    _, at_hub = answering
    cursor, seen = "", []
    while True:
        answer = at_hub.get(f"/api/v1/events?{PERIOD}&limit=200{cursor}").get_json()
        seen += [(row["line"], row["boot_id"], row["seq"]) for row in answer["data"]]
        if not answer.get("next_cursor"):
            break
        cursor = f"&cursor={answer['next_cursor']}"
    assert len(seen) == len(set(seen)) == 2 * 180 * 3


def test_readers_at_the_hub_see_one_moment_while_lines_hand_in(postgres_dsn: str) -> None:
    """Each minute has three items and ten seconds of data; both sums are of the same batches, whenever one looks."""
    events = list(history("north", "pet_clear"))
    writer, reader = PostgresWriter(postgres_dsn), PostgresReader(postgres_dsn)

    def write() -> None:
        writer.record(events[:1])
        for begin in range(1, 1 + 5 * 180, 5):
            writer.record(events[begin : begin + 5])

    writing = threading.Thread(target=write)
    writing.start()
    seen = set()
    while writing.is_alive():
        totals = reader.totals(Period(BEGIN_MS, BEGIN_MS + 150 * MIN_MS))
        item_count = sum(one.item_count for one in totals.items.values())
        mode_ms = sum(value for key, value in totals.counts.items() if key.name == CountName.MODE_MS)
        assert item_count * 10_000 == mode_ms * 3
        seen.add(item_count)
    writing.join()
    assert len(seen) > 3
    reader.close()
    writer.close()
