"""What the OpenAPI document says is what the API answers: schemathesis, on every operation, with valid and mad data.

A tenth of the examples in the normal suite, a hundred an operation with `make soak`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from sorter.model.condition import Mode
from sorter.model.events import AuditEntry, AuditTaken, FaultNoted, ModeChanged, ModeTime, RecipeUsed
from sorter.model.settings import ApiSettings, Settings
from sorter.runtime.api_keys import Scope, make_api_key
from sorter.store.sqlite_reader import SqliteReader
from sorter.store.sqlite_writer import SqliteWriter
from ui.api.operation import ApiLink
from ui.api.readers import Readers
from ui.api.site import create_api

schemathesis = pytest.importorskip("schemathesis")

BEGIN_MS = 1_774_742_400_000
PROBLEM = "application/problem+json"
# parameters that are well formed each, and together or in this world cannot be: described as 422
CONFIGURATION = {"checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "401", "403", "404", "422"]}}}


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


class Api:
    """The API of a small store, a key that may everything, and what audits came through."""

    def __init__(self, folder: Path) -> None:
        self.writer = SqliteWriter(folder / "events.sqlite")
        self.writer.record(list(events()))
        self.readers = Readers(lambda: SqliteReader(folder / "events.sqlite"))
        keys_file = folder / "keys.json"
        _, self.token = make_api_key(keys_file, "all", tuple(Scope), 1_000_000, 1_000_000_000)
        self.entered: list[AuditEntry] = []
        link = ApiLink(self.readers.borrow, lambda: BEGIN_MS + 3_600_000, lambda: 0, lambda: None, self.entered.append)
        self.app = create_api(Settings(api=ApiSettings(keys_file=str(keys_file))), link)

    def close(self) -> None:
        self.readers.close()
        self.writer.close()


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    served = Api(tmp_path_factory.mktemp("api"))
    yield served
    served.close()


@pytest.fixture(scope="module")
def described(api: Api) -> Any:
    configuration = schemathesis.config.SchemathesisConfig.from_dict(CONFIGURATION)
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", api.app, config=configuration)


schema = schemathesis.pytest.from_fixture("described")
QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much]


def conform(case: Any, api: Api) -> None:
    """Let schemathesis judge the answer, and see that every error is a problem document that leaks nothing."""
    answer = case.call_and_validate(headers={"Authorization": f"Bearer {api.token}"})
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == [PROBLEM], answer.headers
        assert "Traceback" not in answer.text


@schema.parametrize()
@settings(max_examples=10, deadline=None, suppress_health_check=QUIET)
def test_every_operation_answers_as_it_is_described(case: Any, api: Api) -> None:
    conform(case, api)


@pytest.mark.soak
@schema.parametrize()
@settings(max_examples=100, deadline=None, suppress_health_check=QUIET)
def test_a_hundred_examples_of_every_operation_answer_as_described(case: Any, api: Api) -> None:
    conform(case, api)
