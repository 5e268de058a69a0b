"""`farz bench hub`: how fast a hub takes batches in, how much room an event takes there, and what figures cost."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing

import msgspec
import numpy as np

from sorter.model.events import AnyEvent
from sorter.model.rollups import Period, Resolution
from sorter.model.units import NS_PER_MS, NS_PER_S
from sorter.runtime.clock import SystemClock
from sorter.store.batch import BATCH_VERSION, Batch, pack_batch, unpack_batch
from sorter.store.postgres_reader import PostgresReader
from sorter.store.postgres_writer import PostgresWriter
from sorter.store.reading import period_record
from training.benchmarks.figure import Report
from training.benchmarks.own_postgres import OwnPostgres, own_postgres, postgres_programs
from training.benchmarks.store_history import BEGIN_MS, DAY_COUNT, busy_minutes, year_of
from training.progress import progress

_BATCH_COUNT = 2000
_FILL_BATCH_COUNT = 10_000
_LINE_COUNT = 4
_RATE_HZ = 20.0
_PERIODS_D = (1, 30, 365)
_CLOCK = SystemClock()
_FIGURES = (
    "events_per_s", "events_of_lines_per_s", "wire_bytes_per_event", "bytes_per_event", "sums_bytes_per_min",
    "query_p99_ms", "query_growth_ratio",
)  # fmt: skip


def bench_hub(*, is_quick: bool) -> Report:
    """Take in one line, then several at once, then ask a small and a large database the same in turns."""
    busy, small, large, request_count = (4000, 500, 2000, 3) if is_quick else (200_000, 50_000, 500_000, 200)
    programs = postgres_programs()
    if programs is None:
        return Report({f"hub.{name}": None for name in _FIGURES}, {}, {"postgresql": "not installed"})
    with own_postgres(programs, is_durable=True) as server:
        figures = {
            **_of_one_line(server.new_database(), busy),
            "hub.events_of_lines_per_s": _rate_of_lines(server.new_database(), busy // _LINE_COUNT),
            **_query_figures(_filled(server, small), _filled(server, large), request_count),
        }
    conditions: dict[str, str | float] = {
        "hub.batch": f"{_BATCH_COUNT} events of {_RATE_HZ:.0f} a second, unpacked and recorded, fsync on",
        "hub.event_count": float(busy),
        "hub.line_count": float(_LINE_COUNT),
        "hub.small_event_count": float(small),
        "hub.large_event_count": float(large),
        "hub.query": f"all sums of 24 hours, 30 days or a year that end at random; {request_count} of each",
    }
    return Report(figures, conditions, {"postgresql": programs.parent.name})


def _packed_batches(device_id: str, event_count: int) -> Iterator[bytes]:
    """Batches as a line that is behind sends them."""
    for events in busy_minutes(event_count, _BATCH_COUNT, 1, _RATE_HZ):
        # one more than a batch may hold, as the first of all is the recipe's
        own = [msgspec.structs.replace(event, device_id=device_id) for event in events[:_BATCH_COUNT]]
        yield _packed(own)


def _packed(events: Sequence[AnyEvent]) -> bytes:
    first = events[0]
    return pack_batch(Batch(BATCH_VERSION, first.device_id, first.boot_id, first.seq - 1, tuple(events)))


def _of_one_line(dsn: str, event_count: int) -> dict[str, float | None]:
    """Rate of one line's batches, their size on the wire, and the room that they take."""
    packed = list(_packed_batches("line", event_count))
    with closing(PostgresWriter(dsn)) as writer:
        empty = _sizes(dsn)
        began_ns = _CLOCK.now_ns()
        stored_count = sum(writer.record(unpack_batch(one).events).stored_count for one in packed)
        spent_ns = _CLOCK.now_ns() - began_ns
    events_bytes, sums_bytes = (full - before for full, before in zip(_sizes(dsn), empty, strict=True))
    return {
        "hub.events_per_s": stored_count * NS_PER_S / spent_ns,
        "hub.wire_bytes_per_event": sum(len(one) for one in packed) / stored_count,
        "hub.bytes_per_event": events_bytes / stored_count,
        "hub.sums_bytes_per_min": sums_bytes / (stored_count / _RATE_HZ / 60.0),
    }


def _sizes(dsn: str) -> tuple[int, int]:
    """Bytes of single events, and of sums, indexes included."""
    with closing(PostgresReader(dsn)) as reader:
        sizes = reader.used_bytes()
    sums_bytes = sum(size for table, size in sizes.items() if "_by_" in table)
    return sum(sizes.values()) - sums_bytes, sums_bytes


def _rate_of_lines(dsn: str, event_count: int) -> float:
    """Rate at which one process takes in several lines at once, each by a thread and a connection of its own."""
    lines = [list(_packed_batches(f"line{number}", event_count)) for number in range(_LINE_COUNT)]
    writers = [PostgresWriter(dsn) for _ in lines]

    def take_in(number: int) -> None:
        for one in lines[number]:
            writers[number].record(unpack_batch(one).events)

    threads = [threading.Thread(target=take_in, args=(number,)) for number in range(_LINE_COUNT)]
    began_ns = _CLOCK.now_ns()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spent_ns = _CLOCK.now_ns() - began_ns
    for writer in writers:
        writer.close()
    return _LINE_COUNT * event_count * NS_PER_S / spent_ns


def _filled(server: OwnPostgres, event_count: int) -> str:
    """A database with so many events, spread over a year."""
    dsn = server.new_database()
    batches = year_of(event_count, _FILL_BATCH_COUNT, seed=1)
    with (
        closing(PostgresWriter(dsn)) as writer,
        progress(batches, -(-event_count // _FILL_BATCH_COUNT), "fill") as steps,
    ):
        for events in steps:
            writer.record(events)
    return dsn


def _query_figures(small_dsn: str, large_dsn: str, request_count: int) -> dict[str, float | None]:
    """Both databases are asked the same, in turns."""
    random = np.random.default_rng(3)
    times_ms: dict[str, list[float]] = {small_dsn: [], large_dsn: []}
    with closing(PostgresReader(small_dsn)) as small, closing(PostgresReader(large_dsn)) as large:
        for days in _PERIODS_D * request_count:
            from_ms = BEGIN_MS + int(random.integers(max(1, (DAY_COUNT - days) * Resolution.DAY.value)))
            period = Period(from_ms, from_ms + days * Resolution.DAY.value)
            for dsn, reader in ((small_dsn, small), (large_dsn, large)):
                began_ns = _CLOCK.now_ns()
                period_record(reader, period)
                times_ms[dsn].append((_CLOCK.now_ns() - began_ns) / NS_PER_MS)
    p99_ms = {dsn: float(np.percentile(values, 99)) for dsn, values in times_ms.items()}
    return {
        "hub.query_p99_ms": p99_ms[large_dsn],
        "hub.query_growth_ratio": p99_ms[large_dsn] / p99_ms[small_dsn],
    }
