"""A hub's PostgreSQL that is killed while a line hands in: what was acknowledged is there, once, and sums are right."""

import contextlib
import random
import signal
import threading

import pytest

from sorter.errors import StoreError
from sorter.model.events import AnyEvent, FaultNoted
from sorter.model.rollups import Period, Resolution, rolled_up
from sorter.store.postgres_reader import PostgresReader
from sorter.store.postgres_writer import PostgresWriter
from sorter.store.protocol import Position
from training.benchmarks.own_postgres import OwnPostgres, own_postgres, postgres_programs

BEGIN_MS, BATCH_COUNT = 1_793_000_000_000, 200


def batch(number: int) -> list[AnyEvent]:
    common = {"device_id": "north", "boot_id": "a", "process": "vision", "code": "dark", "is_cleared": False}
    seqs = range(number * BATCH_COUNT + 1, (number + 1) * BATCH_COUNT + 1)
    return [FaultNoted(seq=seq, at_ms=BEGIN_MS + seq * 40, detail="x" * 50, **common) for seq in seqs]  # type: ignore[arg-type]


def hand_in_until_killed(server: OwnPostgres, dsn: str, number: int, after_s: float) -> int:
    """Hand in batches from one on until the server is gone; the number of the first that was not acknowledged."""
    killing = threading.Timer(after_s, server.end, [signal.SIGKILL])
    with contextlib.closing(PostgresWriter(dsn)) as writer:
        killing.start()
        with contextlib.suppress(StoreError):
            while True:
                writer.record(batch(number))
                number += 1
    killing.join()
    return number


def campaign(kill_count: int) -> None:
    programs = postgres_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed; tests/install_system_packages.sh does it")
    chance, acknowledged = random.Random(5), 0
    with own_postgres(programs, is_durable=True) as server:
        dsn = server.new_database()
        for _ in range(kill_count):
            # the batch whose fate is not known is the first that is handed in again
            acknowledged = hand_in_until_killed(server, dsn, acknowledged, chance.uniform(0.05, 0.5))
            server.start()
            with contextlib.closing(PostgresReader(dsn)) as reader:
                ((count,),) = reader._rows("SELECT count(*) FROM faults")
                assert int(count or 0) in {acknowledged * BATCH_COUNT, (acknowledged + 1) * BATCH_COUNT}
        with contextlib.closing(PostgresWriter(dsn)) as writer:
            writer.record(batch(acknowledged))
        wanted = [event for number in range(acknowledged + 1) for event in batch(number)]
        with contextlib.closing(PostgresReader(dsn)) as reader:
            assert [one.event for one in reader.written_after(Position(), len(wanted) + 1)] == wanted
            period = Period(BEGIN_MS - 60_000, BEGIN_MS + 10**9)
            assert reader.series(period, Resolution.MINUTE) == rolled_up(wanted)
    assert acknowledged > kill_count


def test_a_database_that_is_killed_loses_nothing_that_was_acknowledged() -> None:
    campaign(3)


@pytest.mark.soak
def test_a_database_that_is_killed_thirty_times_loses_nothing_that_was_acknowledged() -> None:
    campaign(30)
