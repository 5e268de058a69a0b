"""The API of a line as a user starts it: figures while it sorts, an audit that comes back, an export of the record."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

FARZ = Path(sys.executable).with_name("farz")
TIMEOUT_S = 60.0
CONFIGURATION = """
line_name = "north"

[detector]
runtime = "oracle"

[ui]
port = {port}

[store]
folder = "{folder}/store"

[api]
keys_file = "{folder}/keys.json"
public_scopes = ["figures:read"]
"""


class Line:
    """A running line and its API."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        self.folder = folder
        self.address = f"http://127.0.0.1:{port}/api/v1"
        configuration = folder / "line.toml"
        configuration.write_text(CONFIGURATION.format(port=port, folder=folder))
        self.token = self.farz("keys", "api", "add", str(folder / "keys.json"), "lab", "--scope", "audits:write",
                               "--scope", "audits:read", "--scope", "events:read").split()[0]  # fmt: skip
        self.log = folder / "log"
        with self.log.open("w") as output:
            self.process = subprocess.Popen(
                [str(FARZ), "run", "--config", str(configuration)],
                stdout=output,
                stderr=output,
                env=os.environ | {"XDG_RUNTIME_DIR": str(folder)},
            )

    def farz(self, *arguments: str) -> str:
        return subprocess.run([str(FARZ), *arguments], capture_output=True, text=True, check=True, timeout=60).stdout

    def ask(self, path: str, body: dict[str, Any] | None = None, *, keyed: bool = True) -> tuple[int, Any]:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {self.token}"} if keyed else {})
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.address}/{path}", content, headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, json.load(refusal)
        except urllib.error.URLError:
            return 0, None


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    running = Line(tmp_path)
    yield running
    running.process.send_signal(signal.SIGINT)
    try:
        running.process.wait(20)
    except subprocess.TimeoutExpired:
        running.process.kill()
        running.process.wait()


def wait_for(what: str, condition: Callable[[], Any], line: Line) -> Any:
    ends_at_s = time.monotonic() + TIMEOUT_S
    while True:
        found = condition()
        if found:
            return found
        assert line.process.poll() is None, line.log.read_text()
        assert time.monotonic() < ends_at_s, f"{what}; {line.log.read_text()[-2000:]}"
        time.sleep(0.2)


def test_a_running_line_tells_its_figures_takes_an_audit_and_is_exported(line: Line, tmp_path: Path) -> None:
    def items() -> Any:
        status, answer = line.ask("events?limit=1000")
        return answer["data"] if status == 200 and len(answer["data"]) > 20 else None

    def ejected() -> Any:
        found = [item for item in items() or () if item["ack"] == "fired"]
        return found if len(found) >= 5 else None

    station = wait_for("items that were fired at", ejected, line)[0]["station"]
    begin, end = (found["time"] for found in (items()[0], items()[-1]))
    refused, problem = line.ask("audits", {}, keyed=False)
    assert (refused, problem["title"]) == (401, "Unauthorized")
    audit = {"station": station, "sampled_from": begin, "sampled_to": end, "class_counts": {"other": 200}}
    status, receipt = line.ask("audits", audit)
    assert status == 202, receipt

    audits = wait_for("the audit in the record", lambda: line.ask("audits")[1]["data"], line)
    assert [one["audit_id"] for one in audits] == [receipt["audit_id"]]
    quality = f"quality?from={begin[:16]}Z&to=2099-01-01"
    status, answer = line.ask(quality, keyed=False)
    assert status == 200
    (pure,) = [row for row in answer["data"] if (row["name"], row["subject"]) == ("purity", station)]
    assert pure["audit_count"] == 1
    # the oracle believes that nearly all are targets, the audit says that none is
    assert pure["value"] < 0.5

    pytest.importorskip("pyarrow")
    written = json.loads(line.farz("export", str(tmp_path / "records"), "--store",
                                   str(tmp_path / "store" / "events.sqlite"), "--json"))  # fmt: skip
    assert written["row_counts"]["items"] > 20
    assert written["row_counts"]["audits"] == 1
