"""The hub forgets once an hour, by the clocks it is given, and lives on when it cannot."""

import logging

import psycopg
import pytest

from sorter.model.events import FaultNoted
from sorter.model.settings import HubSettings
from sorter.model.units import NS_PER_S
from sorter.store.postgres_writer import PostgresWriter
from ui.hub.forgetting import Forgetting

OCTOBER_MS, DAY_MS = 1_790_812_800_000, 86_400_000


def months(dsn: str) -> int:
    with psycopg.connect(dsn) as connection:
        ((count,),) = connection.execute(
            "SELECT count(*) FROM pg_class WHERE relname LIKE 'faults_y%' AND relkind = 'r'"
        )
    return int(count)


def test_what_is_older_than_it_is_to_be_kept_goes_within_the_hour(postgres_dsn: str) -> None:
    writer = PostgresWriter(postgres_dsn)
    old = {"device_id": "n", "boot_id": "b", "process": "p", "code": "c", "detail": "", "is_cleared": False}
    writer.record([FaultNoted(seq=1, at_ms=OCTOBER_MS + 1, **old)])
    writer.close()
    forgetting = Forgetting(HubSettings(database=postgres_dsn, keep_days=90))
    forgetting.step(0, OCTOBER_MS + 100 * DAY_MS)
    assert months(postgres_dsn) == 1
    forgetting.step(3599 * NS_PER_S, OCTOBER_MS + 200 * DAY_MS)
    assert months(postgres_dsn) == 1
    forgetting.step(3600 * NS_PER_S, OCTOBER_MS + 200 * DAY_MS)
    assert months(postgres_dsn) == 0


def test_a_database_that_is_not_there_is_said(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        Forgetting(HubSettings(database="host=127.0.0.1 port=1 dbname=farz")).step(0, 0)
    assert "old events stay" in caplog.text
