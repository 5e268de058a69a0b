"""Real services for tests, each started by them, for them and on this machine alone.

PostgreSQL: as `farz bench hub` starts it, one for all tests of a run. Mosquitto: on a free port of the loopback. A
proxy that cuts connections, and a certificate, for what goes between them.

A line that a test runs keeps its record and its state in folders of the test run, never in the user's.
"""

import contextlib
import ipaddress
import os
import random
import shutil
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from training.benchmarks.own_postgres import OwnPostgres, own_postgres, postgres_programs

_START_S = 30.0


def wait_until_up(is_up: Callable[[], bool], server: "subprocess.Popen[bytes]", complaint: Callable[[], str]) -> None:
    deadline = time.monotonic() + _START_S
    while not is_up():
        if server.poll() is not None or time.monotonic() > deadline:
            pytest.fail(complaint())
        time.sleep(0.02)


class RealMosquitto:
    """A broker that can be stopped and started again on its port; it keeps nothing between its lives."""

    def __init__(self, folder: Path, *more_lines: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._program = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
        if self._program is None:
            pytest.skip("Mosquitto is not installed; tests/install_system_packages.sh does it")
        self._configuration = folder / "mosquitto.conf"
        lines = [f"listener {self.port} 127.0.0.1", "log_type error", *(more_lines or ("allow_anonymous true",))]
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


@pytest.fixture
def guarded_mosquitto(tmp_path: Path, certificate: tuple[Path, Path]) -> Iterator[RealMosquitto]:
    """A broker with TLS that lets in user `farz` with password `hush` alone."""
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, "farz", "hush"], check=True)
    chain, private = certificate
    more_lines = (f"certfile {chain}", f"keyfile {private}", "allow_anonymous false", f"password_file {passwords}")
    broker = RealMosquitto(tmp_path, *more_lines)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[OwnPostgres]:
    """One server for all tests of a run; each takes a database of its own."""
    programs = postgres_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed; tests/install_system_packages.sh does it")
    with own_postgres(programs, is_durable=False) as server:
        yield server


@pytest.fixture
def postgres_dsn(postgres_server: OwnPostgres) -> str:
    """The connection string of an empty database."""
    return postgres_server.new_database()


class CuttingProxy:
    """Stands between a line and its hub on the loopback, and cuts connections at random: some before all of a request
    is through, some before all of its answer is.
    """

    def __init__(self, target_port: int, seed: int, *, cut_ratio: float = 0.95, max_bytes: int = 300_000) -> None:
        self.is_down = False
        self.connection_count = 0
        self.cut_count = 0
        self._target_port = target_port
        self._chance = random.Random(seed)
        self._cut_ratio = cut_ratio
        self._max_bytes = max_bytes
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        # wakes the thread that accepts, which closing alone does not
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.is_down:
                _reset(client)
                continue
            self.connection_count += 1
            is_cut, is_answer = self._chance.random() < self._cut_ratio, self._chance.random() < 0.5
            # an answer with its handshake is some thousand bytes, a request up to some hundred thousand
            limit = self._chance.randrange(1000, 4000) if is_answer else self._chance.randrange(self._max_bytes)
            limits = (None, limit) if is_answer else (limit, None)
            threading.Thread(target=self._pass, args=(client, limits if is_cut else (None, None)), daemon=True).start()

    def _pass(self, client: socket.socket, limits: tuple[int | None, int | None]) -> None:
        try:
            hub = socket.create_connection(("127.0.0.1", self._target_port))
        except OSError:
            _reset(client)
            return
        ends = ((client, hub, limits[0]), (hub, client, limits[1]))
        passing = [threading.Thread(target=self._pump, args=end, daemon=True) for end in ends]
        for thread in passing:
            thread.start()
        for thread in passing:
            thread.join()
        client.close()
        hub.close()

    def _pump(self, source: socket.socket, sink: socket.socket, limit: int | None) -> None:
        passed = 0
        try:
            while data := source.recv(16_384):
                passed += len(data)
                if limit is not None and passed > limit:
                    self.cut_count += 1
                    _reset(source)
                    _reset(sink)
                    return
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            return


def _reset(end: socket.socket) -> None:
    """Cut a connection so that the other side sees it broken, not ended."""
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.shutdown(socket.SHUT_RDWR)
    end.close()


@pytest.fixture
def cutting_proxy() -> Iterator[Callable[..., CuttingProxy]]:
    """Makes proxies that are gone after the test."""
    made: list[CuttingProxy] = []

    def make(*arguments: Any, **options: Any) -> CuttingProxy:
        made.append(CuttingProxy(*arguments, **options))
        return made[-1]

    yield make
    for proxy in made:
        proxy.close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that vouches for itself, and its private key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hub of a test")])
    now = datetime.now(timezone.utc)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = (
        builder.not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("certificate")
    chain, private = folder / "hub.pem", folder / "hub.key"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return chain, private


@pytest.fixture(autouse=True, scope="session")
def _homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_DATA_HOME", "XDG_STATE_HOME"):
            patch.setenv(name, str(tmp_path_factory.mktemp(name.lower())))
        yield
