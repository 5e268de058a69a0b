"""A PostgreSQL server of one's own for as long as it is needed: a cluster in a temporary folder, a Unix socket alone.

PostgreSQL refuses to run as root, so root starts it as `postgres`, the user that Debian's package brings.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sorter.errors import FarzError
from sorter.model.units import NS_PER_S
from sorter.runtime.clock import SystemClock

_START_NS = 30 * NS_PER_S
_RETRY_NS = NS_PER_S // 50


class OwnPostgres:
    """A running server and the databases made in it."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self.folder = folder
        self._database_count = 0

    def dsn(self, database: str) -> str:
        """The connection string of a database."""
        return f"host={self.folder} user=farz dbname={database}"

    def new_database(self) -> str:
        """The connection string of an empty database."""
        self._database_count += 1
        name = f"test_{self._database_count}"
        self._run("createdb", "-h", self.folder, "-U", "farz", name, check=True)
        return self.dsn(name)

    def is_up(self) -> bool:
        """Whether it lets clients in."""
        return self._run("pg_isready", "-q", "-h", self.folder).returncode == 0

    def _run(self, program: str, *arguments: object, check: bool = False) -> "subprocess.CompletedProcess[bytes]":
        command = [str(self._programs / program), *(str(one) for one in arguments)]
        return subprocess.run(command, check=check, stdout=subprocess.DEVNULL)  # noqa: S603 - PostgreSQL's own programs


def postgres_programs() -> Path | None:
    """The folder of the newest PostgreSQL's programs, None where Debian's package is not installed."""
    servers = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    found = sorted((server.parent for server in servers), key=lambda folder: float(folder.parent.name))
    return found[-1] if found else None


@contextmanager
def own_postgres(programs: Path, *, is_durable: bool) -> Iterator[OwnPostgres]:
    """Start a server, and end it afterwards.

    Args:
        programs: where PostgreSQL's programs are.
        is_durable: False where nothing is measured and nothing needs to survive.

    Raises:
        FarzError: if it does not start.
    """
    folder = Path(tempfile.mkdtemp(prefix="farz-pg-"))
    as_other: dict[str, Any] = {"cwd": folder}
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        as_other |= {"user": "postgres", "group": "postgres", "extra_groups": []}
    data, durable = folder / "data", "on" if is_durable else "off"
    initdb: list[str | Path] = [programs / "initdb", "-D", data, "-U", "farz", "-A", "trust", "--no-sync"]
    subprocess.run(  # noqa: S603
        [*initdb, "--encoding=UTF8", "--locale=C"], check=True, stdout=subprocess.DEVNULL, **as_other
    )
    options = ["-c", "listen_addresses=", "-c", f"fsync={durable}", "-c", f"full_page_writes={durable}"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(  # noqa: S603
            [programs / "postgres", "-D", data, "-k", folder, *options], stderr=log, **as_other
        )
    try:
        postgres = OwnPostgres(programs, folder)
        _wait_until_up(postgres, server)
        yield postgres
    finally:
        # SIGTERM would wait for open sessions, SIGINT ends them
        server.send_signal(signal.SIGINT)
        server.wait(timeout=60)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_up(postgres: OwnPostgres, server: "subprocess.Popen[bytes]") -> None:
    clock = SystemClock()
    deadline_ns = clock.now_ns() + _START_NS
    while not postgres.is_up():
        if server.poll() is not None or clock.now_ns() > deadline_ns:
            raise FarzError(f"PostgreSQL did not start: {(postgres.folder / 'log').read_text()}")
        clock.wait_until_ns(clock.now_ns() + _RETRY_NS)
