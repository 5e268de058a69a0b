"""The OpenAPI document is valid, names every operation, and does not leave out what is answered; the page as well."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from ui.api.operation_table import OPERATIONS

validator = pytest.importorskip("openapi_spec_validator")


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    answer: dict[str, Any] = client.get("/api/v1/openapi.json").json
    return answer


def test_the_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    validator.validate(document)


def test_every_operation_is_described_once(document: dict[str, Any]) -> None:
    described = [
        (path, method.upper(), operation["operationId"])
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    assert described == [(one.path, one.method, one.name) for one in OPERATIONS]


def test_what_is_public_is_told_as_it_is_configured(line: Any) -> None:
    closed, opened = (
        line.client(public_scopes=scopes).get("/api/v1/openapi.json").json["paths"]["/lines"]["get"]["security"]
        for scopes in ((), ("figures:read",))
    )
    assert closed == [{"apiKey": ["figures:read"]}]
    assert opened == [{"apiKey": ["figures:read"]}, {}]


def test_no_query_parameter_may_be_null(document: dict[str, Any]) -> None:
    parameters = [
        one for methods in document["paths"].values() for each in methods.values() for one in each["parameters"]
    ]
    assert parameters
    assert not [one for one in parameters if "null" in str(one["schema"]) or not one["description"]]


def test_no_picture_is_ever_among_the_answers(document: dict[str, Any]) -> None:
    kinds = {
        kind
        for methods in document["paths"].values()
        for each in methods.values()
        for answer in each["responses"].values()
        for kind in answer.get("content", {})
    }
    assert kinds <= {"application/json", "text/csv", "application/vnd.apache.parquet", "application/problem+json"}
