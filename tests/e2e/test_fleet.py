"""A line as it is run, its outbox and a hub, all as processes: what the line wrote, the hub holds."""

import contextlib
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from free_ports import free_port

from sorter.errors import ConfigurationError
from sorter.runtime.api_keys import Scope, make_api_key
from sorter.runtime.configuration import load_settings
from sorter.store.postgres_reader import PostgresReader
from sorter.store.protocol import Position, StoreReader
from sorter.store.sqlite_reader import SqliteReader

KEYS = "[api]\nkeys_file = 'keys.json'\n"
FARZ = [sys.executable, "-c", "from sorter.cli import main; main()"]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def is_served(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


@contextlib.contextmanager
def process(*command: object) -> Iterator["subprocess.Popen[bytes]"]:
    started = subprocess.Popen([str(part) for part in command])
    try:
        yield started
    finally:
        started.terminate()
        assert started.wait(timeout=30) == 0


@pytest.fixture
def folder(tmp_path: Path, certificate: tuple[Path, Path], postgres_dsn: str) -> Path:
    """Configurations of a hub and of a line that sends to it, as their keepers would write them."""
    chain, private = certificate
    port, keys_file, key_file = free_port(), tmp_path / "keys.json", tmp_path / "north.key"
    key_file.write_text(make_api_key(keys_file, "north", [Scope.FLEET])[1] + "\n")
    (tmp_path / "hub.toml").write_text(
        f"[hub]\nport = {port}\ndatabase = '{postgres_dsn}'\n"
        f"certificate_file = '{chain}'\ncertificate_key_file = '{private}'\n[api]\nkeys_file = '{keys_file}'\n"
    )
    (tmp_path / "line.toml").write_text(
        f"line_name = 'north'\n[ui]\nport = {free_port()}\n[store]\nfolder = '{tmp_path}'\n"
        f"[detector]\nruntime = 'oracle'\n"
        f"[fleet]\nhub_url = 'https://127.0.0.1:{port}'\nkey_file = '{key_file}'\nca_file = '{chain}'\n"
    )
    (tmp_path / "port").write_text(str(port))
    return tmp_path


def all_written(reader: StoreReader) -> list[object]:
    found: list[object] = []
    position = Position()
    while page := reader.written_after(position):
        found += [one.event for one in page]
        position = page[-1].position
    return found


def test_what_a_line_wrote_is_at_the_hub(folder: Path, postgres_dsn: str) -> None:
    with process(*FARZ, "hub", "--config", folder / "hub.toml"):
        wait_until(lambda: is_served(int((folder / "port").read_text())))
        line = subprocess.run(
            [*FARZ, "run", "--config", folder / "line.toml", "--for", "6s", "--json"], capture_output=True, timeout=120
        )
        assert line.returncode == 0, line.stderr.decode()
        with psycopg.connect(postgres_dsn) as hub:
            ((sent_while_running,),) = hub.execute("SELECT count(*) FROM mode_times")
        assert sent_while_running > 0
        # what was written last goes with the next start of the outbox, which may be a process of its own
        with contextlib.closing(SqliteReader(folder / "events.sqlite")) as reader:
            written = all_written(reader)
        assert len(written) > 20
        with (
            process(sys.executable, "-m", "sorter.fleet", "--config", folder / "line.toml"),
            contextlib.closing(PostgresReader(postgres_dsn)) as hub_reader,
        ):
            wait_until(lambda: len(all_written(hub_reader)) >= len(written))
            assert all_written(hub_reader) == written


def test_a_line_whose_hub_is_not_there_sorts_all_the_same(folder: Path) -> None:
    line = subprocess.run(
        [*FARZ, "run", "--config", folder / "line.toml", "--for", "3s", "--json"], capture_output=True, timeout=120
    )
    assert line.returncode == 0, line.stderr.decode()
    assert b"unreachable" in line.stderr.lower() or b"refused" in line.stderr.lower()


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ("[fleet]\nhub_url = 'http://10.0.0.9'\nkey_file = 'k'", "needs https://"),
        ("[fleet]\nhub_url = 'http://127.evil.example'\nkey_file = 'k'", "needs https://"),
        ("[fleet]\nhub_url = 'https://hub.example'", "needs key_file"),
        ("[fleet]\nhub_url = 'ftp://hub.example'\nkey_file = 'k'", "fleet.hub_url"),
        ("[fleet]\nhub_url = 'https://hub.example'\nkey_file = 'k'\n[store]\nenabled = false", "store.enabled"),
        ("[hub]\nhost = '0.0.0.0'", "needs certificate_file"),
        ("[hub]\ncertificate_file = 'a.pem'", "needed together"),
    ],
)
def test_a_configuration_that_would_leak_or_do_nothing_is_refused(tmp_path: Path, config: str, sentence: str) -> None:
    path = tmp_path / "line.toml"
    path.write_text(config)
    with pytest.raises(ConfigurationError, match=re.escape(sentence)):
        load_settings(path)


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ("[hub]", "api.keys_file"),
        (f"{KEYS}[hub]\ncertificate_file = 'a.pem'\ncertificate_key_file = 'a.key'", "hub.certificate_file"),
        (f"{KEYS}[hub]\ndatabase = 'host=127.0.0.1 port=1 dbname=farz password=hush'", "store 'farz'"),
    ],
)
def test_a_hub_that_cannot_work_says_why_in_one_sentence(tmp_path: Path, config: str, sentence: str) -> None:
    path = tmp_path / "hub.toml"
    path.write_text(config)
    hub = subprocess.run([*FARZ, "hub", "--config", path], capture_output=True, timeout=60, cwd=tmp_path)
    assert hub.returncode == 2
    assert sentence in hub.stderr.decode()
    assert hub.stderr.count(b"\n") == 1
    assert b"hush" not in hub.stderr
