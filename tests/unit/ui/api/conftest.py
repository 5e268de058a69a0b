"""A line's store with two hours of events, and the API before it, with clocks that only tests move."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flask
import msgspec
import pytest
from flask.testing import FlaskClient

from sorter.model.condition import Mode
from sorter.model.ejection import AckStatus, DecisionReason
from sorter.model.events import (
    AnyEvent,
    AuditEntry,
    AuditTaken,
    EnergyUsed,
    FaultNoted,
    ItemDecided,
    ModeChanged,
    ModeTime,
    RecipeUsed,
)
from sorter.model.settings import ApiSettings, Settings
from sorter.runtime.api_keys import Scope, make_api_key
from sorter.store.sqlite_reader import SqliteReader
from sorter.store.sqlite_writer import SqliteWriter
from ui.api.operation import ApiLink
from ui.api.readers import Readers
from ui.api.site import create_api

MIN_MS = 60_000
HOUR_MS = 60 * MIN_MS
# 2026-03-29 00:00 UTC: an hour later, clocks in Europe go forward
BEGIN_MS = 1_774_742_400_000
RECIPE = "0123456789abcdef"
PERSON, PLACE = "Fatima Zahra", "/home/fatima/line.toml"


class Line:
    """A line's store, settings and clocks; `client` asks its API."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.writer = SqliteWriter(folder / "events.sqlite")
        self.readers = Readers(lambda: SqliteReader(folder / "events.sqlite"))
        self.keys_file = folder / "api_keys.json"
        self.now_ms = BEGIN_MS + 2 * HOUR_MS
        self.now_ns = 0
        self.entered: list[AuditEntry] = []
        self.takes_audits = True
        self.seq = 0

    def settings(self, **api: Any) -> Settings:
        changes = {"keys_file": str(self.keys_file)} | api
        return Settings(line_name="north", api=msgspec.structs.replace(ApiSettings(), **changes))

    def app(self, settings: Settings | None = None) -> flask.Flask:
        enter = self.entered.append if self.takes_audits else None
        link = ApiLink(self.readers.borrow, lambda: self.now_ms, lambda: self.now_ns, lambda: None, enter)
        return create_api(settings or self.settings(), link)

    def client(self, **api: Any) -> FlaskClient:
        return self.app(self.settings(**api)).test_client()

    def key(self, *scopes: Scope, **limits: int) -> dict[str, str]:
        _, token = make_api_key(self.keys_file, "city of Meknes", scopes, **limits)
        return {"Authorization": f"Bearer {token}"}

    def place(self, at_ms: int) -> dict[str, Any]:
        self.seq += 1
        return {"device_id": "north", "boot_id": "a", "seq": self.seq, "at_ms": at_ms}

    def item(self, at_ms: int, **changes: Any) -> ItemDecided:
        values: dict[str, Any] = {
            "track_id": self.seq,
            "decision_id": self.seq,
            "class_name": "pet_clear",
            "probability": 0.9,
            "class_probabilities": {"pet_clear": 0.9, "hdpe": 0.05},
            "view_count": 4,
            "x_um": 100_000,
            "belt_um": 2_000_000_000,
            "width_um": 80_000,
            "length_um": 220_000,
            "overlap_ratio": 0.01,
            "mass_g": 28.0,
            "mass_sd_g": 9.0,
            "reason": DecisionReason.EJECT,
            "station_id": "pet",
            "ack_status": AckStatus.FIRED,
            "refusal": None,
            "placement_error_um": -300,
            "frame_to_command_ms": 41.5,
            "model_id": "farz-n",
            "recipe_hash": RECIPE,
        }
        return ItemDecided(**self.place(at_ms), **values | changes)

    def audit(self, at_ms: int, counts: dict[str, int], revision: int = 1, **changes: Any) -> AuditTaken:
        values = {"audit_id": "first", "station_id": "pet", "from_ms": BEGIN_MS, "to_ms": BEGIN_MS + HOUR_MS}
        return AuditTaken(
            **self.place(at_ms),
            **values | changes,
            revision=revision,
            class_counts=counts,
            taken_by=PERSON,
            note=f"counted by {PERSON}",
        )

    def record(self, *events: AnyEvent) -> None:
        self.writer.record(events)

    def run_for_two_hours(self) -> None:
        """Two hours of sorting, an item each minute, a change of mode, a fault, energy."""
        events: list[AnyEvent] = [
            RecipeUsed(
                **self.place(BEGIN_MS),
                recipe_hash=RECIPE,
                name="r",
                classes=("pet_clear", "hdpe"),
                targets={"pet": ("pet_clear",)},
            ),
            ModeChanged(**self.place(BEGIN_MS), mode=Mode.EXECUTE, reason=f"start by {PERSON}", recipe_hash=RECIPE),
            FaultNoted(
                **self.place(BEGIN_MS + MIN_MS), process="vision", code="no_camera", detail=PLACE, is_cleared=False
            ),
            EnergyUsed(
                **self.place(BEGIN_MS + MIN_MS),
                duration_ms=60_000,
                source="rapl",
                energy_mj=900_000,
                air_ul=4_000_000,
                shot_count=3,
            ),
        ]
        for minute in range(120):
            at_ms = BEGIN_MS + minute * MIN_MS
            events.append(self.item(at_ms + 1000, class_name="pet_clear" if minute % 4 else "hdpe"))
            events += [
                ModeTime(**self.place(at_ms + second * 10_000), mode=Mode.EXECUTE, duration_ms=10_000)
                for second in range(1, 7)
            ]
        self.record(*events)

    def close(self) -> None:
        self.readers.close()
        self.writer.close()


@pytest.fixture
def empty_line(tmp_path: Path) -> Iterator[Line]:
    line = Line(tmp_path)
    yield line
    line.close()


@pytest.fixture
def line(empty_line: Line) -> Line:
    empty_line.run_for_two_hours()
    return empty_line


EVERYTHING = ("figures:read", "events:read", "audits:read", "health:read")


@pytest.fixture
def client(line: Line) -> FlaskClient:
    """Asks a line whose figures are public."""
    return line.client(public_scopes=EVERYTHING, public_rate_per_min=100_000)
