"""What the OpenAPI document says is what the API answers: schemathesis against a real server, valid and mad data alike.

A tenth of the examples in the normal suite, a hundred an operation with `make soak`.
"""

import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sorter.model.condition import Mode
from sorter.model.events import AuditEntry, AuditTaken, FaultNoted, ModeChanged, ModeTime, RecipeUsed
from sorter.model.settings import ApiSettings, Settings
from sorter.runtime.api_keys import Scope, make_api_key
from sorter.store.sqlite_reader import SqliteReader
from sorter.store.sqlite_writer import SqliteWriter
from ui.api.operation import ApiLink
from ui.api.operation_table import OPERATIONS
from ui.api.readers import Readers
from ui.api.site import create_api
from ui.web_server import WebServer, listen

BEGIN_MS = 1_774_742_400_000
PROBLEM = "application/problem+json"
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
# 422: parameters that are well formed each, and together or in this world cannot be
CONFIGURATION = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "304", "401", "403", "404", "422"]
"""


def events() -> Iterator[Any]:
    common: dict[str, Any] = {"device_id": "north", "boot_id": "a"}
    yield RecipeUsed(
        seq=1, at_ms=BEGIN_MS, recipe_hash="r", name="r", classes=("can",), targets={"pet": ("can",)}, **common
    )
    yield ModeChanged(seq=2, at_ms=BEGIN_MS, mode=Mode.EXECUTE, reason="", recipe_hash="r", **common)
    yield FaultNoted(seq=3, at_ms=BEGIN_MS, process="vision", code="x", detail="", is_cleared=False, **common)
    yield AuditTaken(
        seq=4,
        at_ms=BEGIN_MS,
        audit_id="x",
        revision=1,
        station_id="pet",
        from_ms=BEGIN_MS - 1,
        to_ms=BEGIN_MS,
        class_counts={"can": 1},
        **common,
    )
    for number in range(6):
        yield ModeTime(
            seq=5 + number, at_ms=BEGIN_MS + 10_000 * (number + 1), mode=Mode.EXECUTE, duration_ms=10_000, **common
        )


class ServedApi:
    """The API of a small store on a real server, and what went over its counter."""

    def __init__(self, folder: Path) -> None:
        self.writer = SqliteWriter(folder / "events.sqlite")
        self.writer.record(list(events()))
        self.readers = Readers(lambda: SqliteReader(folder / "events.sqlite"))
        keys_file = folder / "keys.json"
        _, self.token = make_api_key(keys_file, "all", tuple(Scope), 1_000_000, 1_000_000_000)
        self.entered: list[AuditEntry] = []
        self.statuses: Counter[str] = Counter()
        self.worded_otherwise: list[tuple[str, str, str]] = []
        link = ApiLink(self.readers.borrow, lambda: BEGIN_MS + 3_600_000, lambda: 0, lambda: None, self.entered.append)
        limits = ApiSettings(keys_file=str(keys_file), public_rate_per_min=1_000_000)
        self._api = create_api(Settings(api=limits), link)
        listener = listen("127.0.0.1", 0)
        self.address = f"http://127.0.0.1:{listener.getsockname()[1]}/api/v1"
        self._server = WebServer(self._watched, listener)
        self._server.start()

    def _watched(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        def noted(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            kind = dict(headers).get("Content-Type", "")
            self.statuses[status[:3]] += 1
            if status >= "4" and kind != PROBLEM:
                self.worded_otherwise.append((environ["PATH_INFO"], status, kind))
            return start_response(status, headers, *rest)

        return self._api(environ, noted)

    def close(self) -> None:
        self._server.stop()
        self.readers.close()
        self.writer.close()


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ServedApi]:
    served = ServedApi(tmp_path)
    yield served
    served.close()


def run_schemathesis(api: ServedApi, folder: Path, max_examples: int) -> None:
    configuration = folder / "schemathesis.toml"
    configuration.write_text(CONFIGURATION)
    ran = subprocess.run(
        [
            *(str(SCHEMATHESIS), "--config-file", str(configuration), "run", f"{api.address}/openapi.json"),
            *("--checks", "all", "--max-examples", str(max_examples), "--continue-on-failure", "--seed", "1"),
            *("--phases", "examples,coverage,fuzzing", "--header", f"Authorization: Bearer {api.token}"),
            *("--workers", "1", "--no-color", "--generation-database", "none"),
        ],
        capture_output=True,
        text=True,
        cwd=folder,
    )
    assert ran.returncode == 0, ran.stdout[-8000:] + ran.stderr[-2000:]
    assert api.worded_otherwise == []
    assert not [status for status in api.statuses if status >= "5"]
    # each operation was answered with what it is for, not with refusals alone
    assert api.statuses["200"] >= len(OPERATIONS)
    assert api.entered


needs_schemathesis = pytest.mark.skipif(not shutil.which(str(SCHEMATHESIS)), reason="schemathesis is not installed")


@needs_schemathesis
def test_every_operation_answers_as_it_is_described(api: ServedApi, tmp_path: Path) -> None:
    run_schemathesis(api, tmp_path, max_examples=8)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@needs_schemathesis
def test_a_hundred_examples_of_every_operation_answer_as_described(api: ServedApi, tmp_path: Path) -> None:
    run_schemathesis(api, tmp_path, max_examples=100)
