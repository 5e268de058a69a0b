"""Figures over the API: periods by the calendar, revisions, formats; each row can be quoted as it stands."""

import csv
import io
import itertools
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from flask.testing import FlaskClient

from sorter.model.settings import FactorSettings, FiguresSettings
from sorter.runtime.api_keys import Scope

BEGIN_MS = 1_774_742_400_000
HOUR_MS = 3_600_000
MIN_MS = 60_000
TWO_HOURS = {"from": "2026-03-29T00:00:00Z", "to": "2026-03-29T02:00:00Z"}


def rows(client: FlaskClient, path: str, **query: str) -> list[dict[str, Any]]:
    answer = client.get(f"/api/v1/{path}", query_string=TWO_HOURS | query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json["data"]
    return found


@pytest.mark.parametrize("path", ["composition", "throughput", "quality", "energy", "impact"])
def test_every_row_says_how_it_was_made_or_why_it_is_missing(client: FlaskClient, path: str) -> None:
    for row in rows(client, path):
        if row["value"] is None:
            assert row["reliability"] == "no_data"
            assert row["reason"]
        else:
            assert row["method"]
            assert row["low"] is None or row["low"] <= row["value"] <= row["high"]


def test_impact_needs_factors_with_a_source(line: Any) -> None:
    assert {
        row["name"]: row["value"] is None for row in rows(line.client(public_scopes=("figures:read",)), "impact")
    } == {
        "mass_sorted": False,
        "value": True,
        "co2e_avoided_if_recycled": True,
    }
    factor = FactorSettings(low=100.0, central=200.0, high=300.0, source="the city's tender", year=2026)
    settings = msgspec.structs.replace(
        line.settings(public_scopes=("figures:read",)),
        figures=FiguresSettings(co2e_avoided_kg_per_t={"pet_clear": factor}),
    )
    found = {row["name"]: row for row in rows(line.app(settings).test_client(), "impact")}
    assert found["co2e_avoided_if_recycled"]["source"] == "pet_clear: the city's tender (2026)"
    assert found["mass_sorted"]["value"] == pytest.approx(120 * 28e-6)


def test_indicators_count_models_lines_and_institutions_without_naming_them(line: Any) -> None:
    line.key(Scope.FIGURES)
    line.key(Scope.FIGURES)
    line.key(Scope.HEALTH)
    answer = line.client(public_scopes=("figures:read",)).get("/api/v1/indicators", query_string=TWO_HOURS)
    found = answer.json
    assert (found["line_count"], found["reporting_line_count"], found["institution_count"]) == (1, 1, 1)
    assert [model["has_card"] for model in found["models"]] == [True]
    assert "mass_sorted" in {row["name"] for row in found["resources"]}
    assert "Meknes" not in answer.text
    later = {"from": "2027-01-01", "to": "2027-02-01"}
    assert line.client(public_scopes=("figures:read",)).get("/api/v1/indicators", query_string=later).json[
        "reporting_line_count"
    ] == 0  # fmt: skip


@pytest.mark.parametrize("path", ["composition", "throughput"])
def test_every_row_carries_what_is_needed_to_quote_it(client: FlaskClient, path: str) -> None:
    found = rows(client, path)
    assert found
    for row in found:
        assert row["coverage_ratio"] == 1.0
        assert row["method"]
        assert row["model_ids"] == ["farz-n"]
        assert row["low"] <= row["value"] <= row["high"]
        assert row["denominator"] > 0


def test_throughput_is_items_by_minutes(client: FlaskClient) -> None:
    (items,) = [row for row in rows(client, "throughput") if row["name"] == "throughput_items"]
    assert (items["value"], items["numerator"], items["denominator"]) == (1.0, 120.0, 120.0)


def test_half_of_the_period_without_data_is_half_the_coverage(client: FlaskClient) -> None:
    found = rows(client, "throughput", to="2026-03-29T04:00:00Z")
    (row,) = [row for row in found if row["name"] == "throughput_items"]
    assert row["coverage_ratio"] == 0.5
    assert row["numerator"] == 120.0


def test_composition_brings_the_codes_and_the_language_asked_for(client: FlaskClient) -> None:
    found = rows(client, "composition", lang="fr")
    (row,) = [row for row in found if (row["name"], row["subject"]) == ("composition_count", "pet_clear")]
    assert row["class_label"] == "Bouteille PET claire"
    assert (row["waste_code"], row["sorted_fraction_code"]) == ("15 01 02", "19 12 04")
    assert row["waste_wise_cities_category"] == "Plastics - dense"


@pytest.mark.parametrize("resolution", ["minute", "hour", "day", "week", "month", "total"])
def test_stretches_join_without_gap_and_add_up(client: FlaskClient, resolution: str) -> None:
    found = [row for row in rows(client, "throughput", resolution=resolution) if row["name"] == "throughput_items"]
    assert found[0]["period_from"] == TWO_HOURS["from"]
    assert found[-1]["period_to"] == TWO_HOURS["to"]
    assert all(before["period_to"] == after["period_from"] for before, after in itertools.pairwise(found))
    assert sum(row["numerator"] or 0 for row in found) == 120.0


def test_days_are_those_of_the_time_zone_and_one_has_23_hours(client: FlaskClient) -> None:
    query = {"from": "2026-03-28", "to": "2026-03-31", "tz": "Europe/Paris", "resolution": "day"}
    answer = client.get("/api/v1/throughput", query_string=query).json
    days = [row for row in answer["data"] if row["name"] == "throughput_items"]
    lengths = [
        (datetime.fromisoformat(day["period_to"]) - datetime.fromisoformat(day["period_from"])).total_seconds() / 3600
        for day in days
    ]
    assert [day["period_from"] for day in days] == [
        "2026-03-28T00:00:00+01:00",
        "2026-03-29T00:00:00+01:00",
        "2026-03-30T00:00:00+02:00",
    ]
    assert lengths == [24.0, 23.0, 24.0]
    assert [day["numerator"] for day in days] == [None, 120.0, None]


def test_hours_of_a_zone_off_by_45_minutes_are_its_own(client: FlaskClient) -> None:
    query = TWO_HOURS | {"tz": "Asia/Kathmandu", "resolution": "hour"}
    found = client.get("/api/v1/throughput", query_string=query).json["data"]
    starts = [row["period_from"] for row in found if row["name"] == "throughput_items"]
    assert starts == ["2026-03-29T05:45:00+05:45", "2026-03-29T06:00:00+05:45", "2026-03-29T07:00:00+05:45"]
    assert sum(row["numerator"] for row in found if row["name"] == "throughput_items") == 120.0


def test_a_period_within_a_minute_is_told_as_the_whole_minute(client: FlaskClient) -> None:
    query = {"from": "2026-03-29T00:00:30Z", "to": "2026-03-29T00:00:40Z"}
    answer = client.get("/api/v1/throughput", query_string=query).json
    assert (answer["period_from"], answer["period_to"]) == ("2026-03-29T00:00:00Z", "2026-03-29T00:01:00Z")


def test_a_correction_is_a_revision_and_the_old_value_stays(line: Any) -> None:
    client = line.client(public_scopes=("figures:read",))
    line.record(line.audit(BEGIN_MS + HOUR_MS, {"pet_clear": 50, "other": 50}))
    before = _purity(client)
    line.record(line.audit(BEGIN_MS + 2 * HOUR_MS, {"pet_clear": 95, "other": 5}, revision=2))
    after = _purity(client)
    assert after["value"] > before["value"] + 0.1
    assert after["audit_count"] == before["audit_count"] == 1
    assert _purity(client, as_of="2026-03-29T01:30:00Z") == before
    assert _purity(client, as_of="2026-03-29T00:30:00Z")["audit_count"] == 0


def _purity(client: FlaskClient, **query: str) -> dict[str, Any]:
    (found,) = [row for row in rows(client, "quality", **query) if row["name"] == "purity"]
    return found


def test_csv_has_the_rows_of_json(client: FlaskClient) -> None:
    answer = client.get("/api/v1/composition", query_string=TWO_HOURS, headers={"Accept": "text/csv"})
    assert answer.content_type == "text/csv; charset=utf-8"
    table = list(csv.DictReader(io.StringIO(answer.text)))
    expected = rows(client, "composition")
    assert [row["subject"] for row in table] == [row["subject"] for row in expected]
    assert [float(row["value"]) for row in table] == [row["value"] for row in expected]


def test_parquet_has_the_rows_of_json(client: FlaskClient, tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    pytest.importorskip("pyarrow")
    answer = client.get("/api/v1/composition", query_string=TWO_HOURS | {"format": "parquet"})
    assert answer.content_type == "application/vnd.apache.parquet"
    path = tmp_path / "composition.parquet"
    path.write_bytes(answer.data)
    columns = "subject, value, epoch_ms(period_from), model_ids, waste_code"
    found = duckdb.sql(f"SELECT {columns} FROM '{path}'").fetchall()
    assert found == [
        (row["subject"], row["value"], BEGIN_MS, row["model_ids"], row["waste_code"])
        for row in rows(client, "composition")
    ]


@pytest.mark.parametrize("path", ["composition", "quality", "impact"])
def test_what_would_be_too_much_at_once_is_refused(client: FlaskClient, path: str) -> None:
    query = {"from": "2026-03-01", "to": "2026-04-01", "resolution": "hour"}
    answer = client.get(f"/api/v1/{path}", query_string=query)
    assert answer.status_code == 422
    assert "at most" in answer.json["detail"]


def test_an_unknown_line_is_not_found_and_a_known_one_is_alone(client: FlaskClient) -> None:
    assert {row["line"] for row in rows(client, "throughput", line="north")} == {"north"}
    assert client.get("/api/v1/throughput", query_string={"line": "south"}).status_code == 404


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"from": "2026-03-30", "to": "2026-03-29"}, 422),
        ({"from": "2026-03-29", "to": "2026-03-29"}, 422),
        ({"from": "2026-02-30"}, 422),
        ({"from": "2026-03-29T25:00:00Z"}, 422),
        ({"from": "0001-01-01T00:00:00+23:00"}, 422),
        ({"to": "9999-12-31T23:59:59-23:59"}, 422),
        ({"from": "2000-01-01", "to": "2099-01-01", "resolution": "minute"}, 422),
        ({"from": "2000-01-01", "to": "2099-01-01", "resolution": "month"}, 422),
        ({"tz": "Mars/Olympus"}, 422),
        ({"tz": "../../etc/passwd"}, 400),
        ({"tz": "/etc/localtime"}, 422),
        ({"from": "yesterday"}, 400),
        ({"from": "2026-03-29T00:00:00"}, 400),
        ({"resolution": "second"}, 400),
        ({"lang": "de"}, 400),
        ({"line": "x' OR '1'='1"}, 404),
        ({"line": "x; DROP TABLE items"}, 404),
        ({"line": "north--"}, 404),
        ({"line": "../north"}, 404),
        ({"line": "خط"}, 404),
        ({"line": "north\x00"}, 400),
        ({"line": "n" * 65}, 400),
        ({"unheard": "of"}, 400),
        ({"format": "xlsx"}, 400),
        ({"format": "null"}, 400),
        ({"as_of": "never"}, 400),
    ],
)
def test_what_cannot_be_is_refused_with_a_problem(client: FlaskClient, query: dict[str, str], status: int) -> None:
    answer = client.get("/api/v1/composition", query_string=query)
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"
    assert answer.json["status"] == status
    assert "Traceback" not in answer.text
    assert "SELECT" not in answer.text


def test_a_whole_century_is_answered(client: FlaskClient) -> None:
    answer = client.get("/api/v1/throughput", query_string={"from": "2000-01-01", "to": "2099-12-31"})
    assert answer.status_code == 200
    assert answer.json["data"][0]["numerator"] == 120.0


def test_a_clock_that_jumps_back_behind_the_data_harms_nothing(line: Any) -> None:
    client = line.client(public_scopes=("figures:read", "events:read"))
    line.now_ms = BEGIN_MS - 400 * 24 * HOUR_MS
    answer = client.get("/api/v1/throughput")
    assert answer.status_code == 200
    assert answer.json["data"][0]["value"] is None
    assert rows(client, "throughput")[0]["numerator"] == 120.0
    assert len(rows(client, "events", kind="item", limit="1000")) == 120


def test_whole_days_of_utc_are_those_of_the_calendar(client: FlaskClient) -> None:
    query = {"from": "2026-03-28", "to": "2026-03-31", "resolution": "day"}
    found = client.get("/api/v1/throughput", query_string=query).json["data"]
    items = [(row["period_from"], row["numerator"]) for row in found if row["name"] == "throughput_items"]
    assert items == [
        ("2026-03-28T00:00:00Z", None),
        ("2026-03-29T00:00:00Z", 120.0),
        ("2026-03-30T00:00:00Z", None),
    ]
