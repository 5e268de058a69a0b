"""`farz bench store`: how fast events become durable, and what figures cost a client as the store grows."""

import http.client
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from sorter.errors import FarzError
from sorter.model.rollups import Resolution
from sorter.model.units import NS_PER_MS, NS_PER_S
from sorter.runtime.clock import SystemClock
from sorter.store.sqlite_connection import STORE_FILE
from sorter.store.sqlite_writer import SqliteWriter
from training.benchmarks.figure import Report
from training.benchmarks.store_history import BEGIN_MS, DAY_COUNT, busy_minutes, year_of
from training.progress import progress

_BATCH_COUNT = 1000
_RATE_HZ = 60.0
_SMALL_COUNT = 200_000
_FILL_BATCH_COUNT = 10_000
_PERIODS = {"24h": 1, "30d": 30, "1y": 365}
_CLOCK = SystemClock()


def bench_store(*, is_quick: bool, event_count: int) -> Report:
    """Measure writing on an empty store, then figures from a small and a large one in turns, over the same year."""
    batch_count, round_count, request_count = (3, 2, 5) if is_quick else (50, 5, 300)
    small_count, large_count = (500, 2_000) if is_quick else (_SMALL_COUNT, event_count)
    with tempfile.TemporaryDirectory(prefix="farz-bench-") as name:
        folder = Path(name)
        rates = [_events_per_s(folder / f"write-{number}", batch_count) for number in range(round_count)]
        fill_per_s = {count: _fill(folder / str(count), count) for count in (small_count, large_count)}
        size_mb = (folder / str(large_count) / STORE_FILE).stat().st_size / 1e6
        times_ms = _ask_in_turns(folder, (small_count, large_count), request_count)
    p99_ms = {count: {name: _p99(values) for name, values in times.items()} for count, times in times_ms.items()}
    slowest = {count: max(values.values()) for count, values in p99_ms.items()}
    figures: dict[str, float | None] = {
        "store.events_per_s": statistics.median(rates),
        "store.query_p99_ms": slowest[large_count],
        "store.query_growth_ratio": slowest[large_count] / slowest[small_count],
        **{f"store.query_{name}_p99_ms": value for name, value in p99_ms[large_count].items()},
        "store.fill_events_per_s": fill_per_s[large_count],
        "store.size_mb": size_mb,
    }
    conditions: dict[str, str | float] = {
        "store.batch": f"{_BATCH_COUNT} events of {_RATE_HZ:.0f} a second, one transaction, synchronous=FULL",
        "store.small_event_count": float(small_count),
        "store.large_event_count": float(large_count),
        "store.query": f"all figures of a period that ends at random, over HTTP; {request_count} of each length",
        "store.rounds": float(round_count),
    }
    return Report(figures, conditions, {})


def _events_per_s(folder: Path, batch_count: int) -> float:
    batches = list(busy_minutes(batch_count * _BATCH_COUNT, _BATCH_COUNT, 1, _RATE_HZ))
    writer = SqliteWriter(folder / STORE_FILE)
    started_ns = _CLOCK.now_ns()
    count = sum(writer.record(batch).stored_count for batch in batches)
    elapsed_ns = _CLOCK.now_ns() - started_ns
    writer.close()
    return count * NS_PER_S / elapsed_ns


def _fill(folder: Path, event_count: int) -> float:
    """Fill a store with a year; events a second, making them up included."""
    writer = SqliteWriter(folder / STORE_FILE)
    started_ns = _CLOCK.now_ns()
    batches = year_of(event_count, _FILL_BATCH_COUNT, seed=1)
    with progress(batches, -(-event_count // _FILL_BATCH_COUNT), "fill") as steps:
        for batch in steps:
            writer.record(batch)
    elapsed_ns = _CLOCK.now_ns() - started_ns
    writer.close()
    return event_count * NS_PER_S / elapsed_ns


def _ask_in_turns(folder: Path, counts: tuple[int, int], request_count: int) -> dict[int, dict[str, list[float]]]:
    """Milliseconds of each request, by store and length of the period; both stores are asked the same, in turns."""
    random = np.random.default_rng(3)
    times: dict[int, dict[str, list[float]]] = {count: {name: [] for name in _PERIODS} for count in counts}
    with ExitStack() as stack:
        servers = {count: stack.enter_context(_served(folder / str(count) / STORE_FILE)) for count in counts}
        for connection in servers.values():
            _ask(connection, BEGIN_MS, BEGIN_MS + Resolution.DAY.value)
        with progress(range(request_count), request_count, "ask") as steps:
            for _ in steps:
                for name, day_count in _PERIODS.items():
                    length_ms = day_count * Resolution.DAY.value
                    last_ms = max(1, (DAY_COUNT - day_count) * Resolution.DAY.value)
                    from_ms = BEGIN_MS + int(random.integers(last_ms))
                    for count, connection in servers.items():
                        times[count][name].append(_ask(connection, from_ms, from_ms + length_ms))
    return times


def _ask(connection: http.client.HTTPConnection, from_ms: int, to_ms: int) -> float:
    started_ns = _CLOCK.now_ns()
    connection.request("GET", f"/{from_ms}/{to_ms}")
    response = connection.getresponse()
    body = response.read()
    elapsed_ms = (_CLOCK.now_ns() - started_ns) / NS_PER_MS
    if response.status != http.client.OK or not body:
        raise FarzError(f"the bench's server of figures answered {response.status}")
    return elapsed_ms


@contextmanager
def _served(path: Path) -> Iterator[http.client.HTTPConnection]:
    """A connection to a server of figures that lives as long as this block."""
    command = [sys.executable, "-m", "training.benchmarks.figures_server", str(path)]
    with subprocess.Popen(  # noqa: S603 - our own module
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        port = int(server.stdout.readline()) if server.stdout else 0
        connection = http.client.HTTPConnection("127.0.0.1", port)
        try:
            yield connection
        finally:
            connection.close()
            if server.stdin:
                server.stdin.close()


def _p99(values_ms: list[float]) -> float:
    return float(np.percentile(values_ms, 99))
