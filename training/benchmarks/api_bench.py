"""`farz bench api`: what readers of figures cost a line that sorts, and what they wait; then more than it can do."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np

from sorter.errors import FarzError
from sorter.model.events import ItemDecided
from sorter.model.rollups import Period
from sorter.model.units import NS_PER_S
from sorter.runtime.api_keys import Scope, make_api_key
from sorter.runtime.clock import SystemClock, wall_ms
from sorter.store.sqlite_connection import STORE_FILE
from sorter.store.sqlite_reader import SqliteReader
from training.benchmarks.api_load import Load, Outcome
from training.benchmarks.figure import Report
from training.progress import progress

_READER_COUNT = 64
_STREAM_COUNT = 32
_START_S = 60.0
# a batch of events is durable a second after the last of them
_SETTLE_S = 3.0
_SHED = {"429", "503"}
_CONFIGURATION = """
line_name = "bench"

[belt]
speed_m_s = 2.0

[simulation]
occupancy_ratio = 0.1

[detector]
runtime = "oracle"

[ui]
port = {port}

[store]
folder = "{folder}"

[api]
keys_file = "{folder}/api_keys.json"
"""


class _Window(msgspec.Struct, frozen=True):
    """A stretch of the run: when it was, and what the readers met in it (None: there were none)."""

    period: Period
    outcome: Outcome | None


def bench_api(*, is_quick: bool) -> Report:
    """Measure the line with and without readers in turns, then with readers that do not pause."""
    round_count, window_s, overload_s = (1, 2.0, 1.0) if is_quick else (5, 20.0, 10.0)
    with tempfile.TemporaryDirectory(prefix="farz-bench-") as name:
        folder = Path(name)
        _, token = make_api_key(folder / "api_keys.json", "bench", tuple(Scope), 1_000_000, 1_000_000_000)
        with _running_line(folder) as port:
            readers = Load(port, token, window_s, _READER_COUNT, _STREAM_COUNT, pause_s=1.0)
            windows = list(_windows(readers, round_count, window_s))
            # until the line has noticed that the streams were left
            _wait_s(_SETTLE_S)
            overload = _ask(msgspec.structs.replace(readers, duration_s=overload_s, pause_s=0.0))
            _wait_s(_SETTLE_S)
        quiet_ms = _commands_ms(folder, [window for window in windows if window.outcome is None])
        busy_ms = _commands_ms(folder, [window for window in windows if window.outcome is not None])
    return _report(windows, overload, quiet_ms, busy_ms)


def _windows(load: Load, round_count: int, window_s: float) -> Iterator[_Window]:
    with progress(range(2 * round_count), 2 * round_count, "api") as steps:
        for step in steps:
            # quiet, busy, busy, quiet, …: what drifts falls on both alike
            is_busy = step % 4 in {1, 2}
            begin_ms = wall_ms()
            outcome = _ask(load) if is_busy else None
            if outcome is None:
                _wait_s(window_s)
            yield _Window(Period(begin_ms, wall_ms()), outcome)


def _report(windows: list[_Window], overload: Outcome, quiet_ms: list[float], busy_ms: list[float]) -> Report:
    outcomes = [window.outcome for window in windows if window.outcome is not None]
    answered_ms = [value for outcome in outcomes for value in outcome.answered_ms]
    refused = sum(count for status, count in overload.statuses.items() if status in _SHED)
    strange = sum(count for status, count in overload.statuses.items() if status not in _SHED | {"200", "304"})
    quiet_p99_ms, busy_p99_ms = _p99(quiet_ms), _p99(busy_ms)
    is_known = quiet_p99_ms is not None and busy_p99_ms is not None
    return Report(
        {
            "api.p99_ms": _p99(answered_ms),
            "api.failed_count": float(sum(outcome.failed_count for outcome in outcomes)),
            "api.frame_to_command_p99_ratio": (busy_p99_ms or 0.0) / (quiet_p99_ms or 1.0) if is_known else None,
            "api.overload_slowest_ms": max(overload.answered_ms, default=None),
            "api.overload_unanswered_count": float(overload.failed_count + strange),
        },
        {
            "api.reader_count": float(_READER_COUNT),
            "api.stream_count": float(_STREAM_COUNT),
            "api.readers": "each asks once a second, with the tag of what it has",
            "api.streams": "the line's state, four times a second",
            "api.line": "sprites at 2 m/s, items from the oracle",
            "api.answer_count": float(len(answered_ms)),
            "api.command_count": float(len(quiet_ms) + len(busy_ms)),
            "api.quiet_frame_to_command_p99_ms": quiet_p99_ms or 0.0,
            "api.streamed_mb": sum(outcome.stream_bytes for outcome in outcomes) / 1e6,
            "api.overload_answer_count": float(sum(overload.statuses.values()) - refused),
            "api.overload_refused_count": float(refused),
        },
        {},
    )


def _p99(values_ms: list[float]) -> float | None:
    return float(np.percentile(values_ms, 99)) if values_ms else None


def _commands_ms(folder: Path, windows: list[_Window]) -> list[float]:
    """Exposure to command of every command within windows, from the line's own record."""
    reader = SqliteReader(folder / STORE_FILE)
    try:
        items = [
            event
            for window in windows
            for event in reader.events(ItemDecided, window.period, limit=1_000_000)
            if isinstance(event, ItemDecided)
        ]
    finally:
        reader.close()
    return [item.frame_to_command_ms for item in items if item.frame_to_command_ms is not None]


def _ask(load: Load) -> Outcome:
    done = subprocess.run(
        [sys.executable, "-m", "training.benchmarks.api_load"],
        input=msgspec.json.encode(load),
        capture_output=True,
        check=True,
    )
    return msgspec.json.decode(done.stdout, type=Outcome)


def _wait_s(duration_s: float) -> None:
    clock = SystemClock()
    clock.wait_until_ns(clock.now_ns() + round(duration_s * NS_PER_S))


@contextmanager
def _running_line(folder: Path) -> Iterator[int]:
    """A line that sorts, as `farz run` starts it."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    configuration, log = folder / "line.toml", folder / "log"
    configuration.write_text(_CONFIGURATION.format(port=port, folder=folder))
    command = [sys.executable, "-c", "from sorter.cli import main; main()", "run", "--config", str(configuration)]
    environment = os.environ | {"XDG_RUNTIME_DIR": str(folder), "XDG_DATA_HOME": str(folder)}
    with log.open("w") as output:
        line = subprocess.Popen(command, stdout=output, stderr=output, env=environment)  # noqa: S603 - our own line
    try:
        _wait_until_sorting(log, line)
        yield port
    finally:
        line.send_signal(signal.SIGINT)
        try:
            line.wait(20.0)
        except subprocess.TimeoutExpired:
            line.kill()
            line.wait()


def _wait_until_sorting(log: Path, line: "subprocess.Popen[bytes]") -> None:
    clock = SystemClock()
    ends_at_ns = clock.now_ns() + round(_START_S * NS_PER_S)
    while "execute:" not in log.read_text():
        if line.poll() is not None or clock.now_ns() > ends_at_ns:
            raise FarzError(f"the line did not begin to sort: {log.read_text()[-500:]}")
        _wait_s(0.1)
    _wait_s(_SETTLE_S)
