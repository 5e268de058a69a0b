"""The plant process as the tests of what it serves run it."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest

from sorter.model.settings import Settings
from sorter.runtime.bus import Publisher
from sorter.runtime.clock import SystemClock
from sorter.runtime.run_folder import RunPlan


@pytest.fixture
def port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def run_until_done() -> Callable[[Coroutine[Any, Any, None]], None]:
    """Runs a coroutine in a thread: the tests' own may have the loop of a browser."""

    def run(coroutine: Coroutine[Any, Any, None]) -> None:
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, coroutine).result()

    return run


@pytest.fixture
def running_plant() -> Callable[[Settings], AbstractContextManager[tuple[Publisher, Publisher]]]:
    """Starts the process; gives who speaks on the bus as sorter and as actuators. It must end in order."""
    return _running_plant


@contextmanager
def _running_plant(settings: Settings) -> Iterator[tuple[Publisher, Publisher]]:
    with TemporaryDirectory(prefix="farz-") as name:
        folder, clock = Path(name), SystemClock()
        plan = RunPlan(settings, clock.now_ns(), folder)
        (folder / "run.json").write_bytes(msgspec.json.encode(plan, enc_hook=str))
        process = subprocess.Popen([sys.executable, "-m", "sorter.plant", "--run-folder", name])
        sorter, actuators = (Publisher(folder, who, who, clock) for who in ("sorter", "actuators"))
        try:
            yield sorter, actuators
        finally:
            sorter.close()
            actuators.close()
            process.terminate()
            assert process.wait(timeout=20) == 0
