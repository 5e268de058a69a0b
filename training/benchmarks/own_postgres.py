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
    """A server and the databases made in it."""

    def __init__(self, programs: Path, folder: Path, *, is_durable: bool) -> None:
        self._programs = programs
        self.folder = folder
        durable = "on" if is_durable else "off"
        self._options = ["-c", "listen_addresses=", "-c", f"fsync={durable}", "-c", f"full_page_writes={durable}"]
        self._database_count = 0
        self._server: subprocess.Popen[bytes] | None = None

    def make_cluster(self) -> None:
        """Make an empty cluster in the folder."""
        initdb: list[str | Path] = [self._programs / "initdb", "-D", self._data, "-U", "farz", "-A", "trust"]
        subprocess.run(  # noqa: S603
            [*initdb, "--no-sync", "--encoding=UTF8", "--locale=C"],
            check=True,
            stdout=subprocess.DEVNULL,
            **self._as_other(),
        )

    def start(self) -> None:
        """Start the server, and return once it lets clients in.

        Raises:
            FarzError: if it does not start.
        """
        command: list[str | Path] = [self._programs / "postgres", "-D", self._data, "-k", self.folder, *self._options]
        clock = SystemClock()
        deadline_ns = clock.now_ns() + _START_NS
        with (self.folder / "log").open("ab") as log:
            # one that was killed leaves processes that hold its memory for a moment, and is refused meanwhile
            while not self._is_up():
                if self._server is None or self._server.poll() is not None:
                    self._server = subprocess.Popen(command, stderr=log, **self._as_other())  # noqa: S603
                if clock.now_ns() > deadline_ns:
                    raise FarzError(f"PostgreSQL did not start: {(self.folder / 'log').read_text()}")
                clock.wait_until_ns(clock.now_ns() + _RETRY_NS)

    def end(self, how: signal.Signals = signal.SIGINT) -> None:
        """End the server; SIGTERM would wait for open sessions, SIGINT ends them, SIGKILL ends all at once."""
        if self._server is not None:
            self._server.send_signal(how)
            self._server.wait(timeout=60)
            self._server = None

    def dsn(self, database: str) -> str:
        """The connection string of a database."""
        return f"host={self.folder} user=farz dbname={database}"

    def new_database(self) -> str:
        """The connection string of an empty database."""
        self._database_count += 1
        name = f"test_{self._database_count}"
        self._run("createdb", "-h", self.folder, "-U", "farz", name, check=True)
        return self.dsn(name)

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _is_up(self) -> bool:
        return self._server is not None and self._run("pg_isready", "-q", "-h", self.folder).returncode == 0

    def _run(self, program: str, *arguments: object, check: bool = False) -> "subprocess.CompletedProcess[bytes]":
        command = [str(self._programs / program), *(str(one) for one in arguments)]
        return subprocess.run(command, check=check, stdout=subprocess.DEVNULL)  # noqa: S603 - PostgreSQL's own programs

    def _as_other(self) -> dict[str, Any]:
        """Whose process the server is: another's where this one is root's."""
        if os.geteuid() != 0:
            return {"cwd": self.folder}
        return {"cwd": self.folder, "user": "postgres", "group": "postgres", "extra_groups": []}


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
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    postgres = OwnPostgres(programs, folder, is_durable=is_durable)
    try:
        postgres.make_cluster()
        postgres.start()
        yield postgres
    finally:
        postgres.end()
        shutil.rmtree(folder, ignore_errors=True)
