"""Real services for tests, each started by them, for them and on this machine alone.

PostgreSQL: a cluster of its own in a temporary folder, reached by a Unix socket. It refuses to run as root, so root
starts it as `postgres`, the user that Debian's package brings. Mosquitto: on a free port of the loopback.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

_PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
_START_S = 30.0


class RealPostgres:
    """A running server and the databases made in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._database_count = 0

    def dsn(self, database: str) -> str:
        return f"host={self.folder} user=farz dbname={database}"

    def new_database(self) -> str:
        """The connection string of an empty database."""
        self._database_count += 1
        name = f"test_{self._database_count}"
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.dsn(name)


@contextmanager
def running_postgres(*, is_durable: bool = False) -> Iterator[RealPostgres]:
    """Start a server, end it afterwards; `is_durable` for what is measured, as a test needs no fsync."""
    if not _PROGRAMS:
        pytest.skip("PostgreSQL is not installed; tests/install_system_packages.sh does it")
    programs = _PROGRAMS[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="farz-pg-"))
    as_other: dict[str, Any] = {"cwd": folder}
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        as_other |= {"user": "postgres", "group": "postgres", "extra_groups": []}
    data = folder / "data"
    initdb = [
        programs / "initdb",
        "-D",
        data,
        "-U",
        "farz",
        "-A",
        "trust",
        "--no-sync",
        "--encoding=UTF8",
        "--locale=C",
    ]
    subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, **as_other)
    options = ["-c", "listen_addresses=", "-c", f"fsync={'on' if is_durable else 'off'}"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([programs / "postgres", "-D", data, "-k", folder, *options], stderr=log, **as_other)
    try:
        postgres = RealPostgres(folder)
        _wait_for(postgres, server)
        yield postgres
    finally:
        # SIGTERM would wait for open sessions, SIGINT ends them
        server.send_signal(signal.SIGINT)
        server.wait(timeout=30)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(postgres: RealPostgres, server: "subprocess.Popen[bytes]") -> None:
    def is_up() -> bool:
        try:
            psycopg.connect(postgres.dsn("postgres")).close()
        except psycopg.OperationalError:
            return False
        return True

    wait_until_up(is_up, server, lambda: f"PostgreSQL did not start: {(postgres.folder / 'log').read_text()}")


def wait_until_up(is_up: Callable[[], bool], server: "subprocess.Popen[bytes]", complaint: Callable[[], str]) -> None:
    deadline = time.monotonic() + _START_S
    while not is_up():
        if server.poll() is not None or time.monotonic() > deadline:
            pytest.fail(complaint())
        time.sleep(0.02)


class RealMosquitto:
    """A broker that can be stopped and started again on its port; it keeps nothing between its lives."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._program = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
        if self._program is None:
            pytest.skip("Mosquitto is not installed; tests/install_system_packages.sh does it")
        self._configuration = folder / "mosquitto.conf"
        lines = [f"listener {self.port} 127.0.0.1", "allow_anonymous true", "log_type error"]
        # root's files are not to be read by the user that it would change to
        self._configuration.write_text("\n".join([*lines, *(["user root"] if os.geteuid() == 0 else [])]))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert self._program is not None
        self._process = subprocess.Popen([self._program, "-c", self._configuration])
        wait_until_up(self._is_up, self._process, lambda: "Mosquitto did not start")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=10)

    def _is_up(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port)).close()
        except OSError:
            return False
        return True


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[RealMosquitto]:
    """A running broker on the loopback."""
    broker = RealMosquitto(tmp_path)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[RealPostgres]:
    """One server for all tests of a run; each takes a database of its own."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def postgres_dsn(postgres_server: RealPostgres) -> str:
    """The connection string of an empty database."""
    return postgres_server.new_database()
