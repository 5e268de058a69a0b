"""The screen Audit: counting a sample by hand, step by step, and what that makes of the purity.

An audit is told to the line, which numbers it and writes it down; until it is in the record the screen says so. What
was entered wrongly is undone by a later revision, and stays retrievable.
"""

import secrets
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

import flask
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from sorter.errors import StoreError
from sorter.figures.figure import Figure
from sorter.figures.purity import purity
from sorter.model.events import AuditEntry, AuditTaken, newest_audits
from sorter.model.rollups import Period
from sorter.model.settings import Settings
from sorter.runtime.clock import wall_ms
from sorter.store.protocol import StoreReader
from sorter.store.reading import period_record
from ui.line_link import LineLink
from ui.records import Records
from ui.screens.page import local_wall, note, sentence, show, visitor

T = TypeVar("T")

OTHER = "other"
BELT = ""
WINDOW_MINUTES = (5, 10, 30, 60)
_MAX_COUNT = 10_000
# the line writes within so long, or the screen says that it has not yet
_WRITE_WAIT_NS = 1_500_000_000
_LOOK_EVERY_NS = 100_000_000


class AuditScreen:
    """The screen's addresses share settings, link and record."""

    def __init__(self, settings: Settings, link: LineLink) -> None:
        self._settings = settings
        self._link = link
        self._records = Records(settings)

    def page(self) -> str:
        """The whole screen."""
        return show("audit", **self._values())

    def take(self) -> Response | str:
        """Enter an audit."""
        form = flask.request.form
        counts = self._counts(form)
        station, minutes = form.get("station", BELT), form.get("minutes", "")
        stations = {one.id for one in self._settings.recipe.stations}
        if sum(counts.values()) == 0 or minutes not in {str(each) for each in WINDOW_MINUTES}:
            return sentence(HTTPStatus.BAD_REQUEST, "audit.empty")
        if station not in stations | {BELT}:
            return sentence(HTTPStatus.BAD_REQUEST, "audit.stream")
        before = self._purity(station)
        now_ms = wall_ms()
        entry = AuditEntry(
            audit_id=secrets.token_hex(8),
            revision=1,
            station_id=station or None,
            from_ms=now_ms - int(minutes) * 60_000,
            to_ms=now_ms,
            class_counts=counts,
            taken_by=visitor().name,
        )
        return self._tell(entry, before, "audit.entered")

    def withdraw(self, audit_id: str) -> Response | str:
        """Undo an audit."""
        found = next((one for one in self._audits() if one.audit_id == audit_id), None)
        if found is None:
            return sentence(HTTPStatus.NOT_FOUND, "audit.none")
        entry = AuditEntry(
            audit_id=audit_id,
            revision=found.revision + 1,
            station_id=found.station_id,
            from_ms=found.from_ms,
            to_ms=found.to_ms,
            class_counts=found.class_counts,
            taken_by=visitor().name,
            is_withdrawn=True,
        )
        return self._tell(entry, self._purity(found.station_id or BELT), "audit.withdrawn")

    def _tell(self, entry: AuditEntry, before: Figure | None, answer: str) -> str:
        note(f"{entry.audit_id} {entry.station_id or 'belt'}: {sum(entry.class_counts.values())} items")
        self._link.say(entry)
        is_written = self._is_written(entry)
        station = entry.station_id or BELT
        after = self._purity(station) if is_written else None
        told = {
            "answer": answer if is_written else "audit.pending",
            "station": station,
            "before": before,
            "after": after,
        }
        return flask.render_template("audit_form.html", told=told, **self._values())

    def _is_written(self, entry: AuditEntry) -> bool:
        """Whether the record has an audit, looked at for a moment: acknowledged is what would survive a power cut."""
        clock = self._link.clock
        ends_ns = clock.now_ns() + _WRITE_WAIT_NS
        while True:
            found = {(one.audit_id, one.revision) for one in self._all_audits()}
            if (entry.audit_id, entry.revision) in found:
                return True
            if clock.now_ns() >= ends_ns:
                return False
            clock.wait_until_ns(clock.now_ns() + _LOOK_EVERY_NS)

    def _counts(self, form: MultiDict[str, str]) -> dict[str, int]:
        names = (*self._settings.recipe.classes, OTHER)
        counts = {name: form.get(f"count.{name}", 0, type=int) for name in names}
        return {name: count for name, count in counts.items() if 0 < count <= _MAX_COUNT}

    def _values(self) -> dict[str, Any]:
        with self._records.reader() as reader:
            has_record = reader is not None
        return {
            "stations": self._settings.recipe.stations,
            "classes": (*self._settings.recipe.classes, OTHER),
            "other": OTHER,
            "windows": WINDOW_MINUTES,
            "has_record": has_record,
            "audits": self._audits(),
        }

    def _purity(self, station_id: str) -> Figure | None:
        """Purity of a station in this shift, corrected by its audits; None where there is no record."""
        if station_id == BELT:
            return None
        return self._ask(lambda reader, period: _purity_of(reader, period, station_id, self._settings))

    def _audits(self) -> list[AuditTaken]:
        return newest_audits(self._all_audits())

    def _all_audits(self) -> list[AuditTaken]:
        return self._ask(lambda reader, period: reader.audits(period, self._records.device_id)) or []

    def _ask(self, question: Callable[[StoreReader, Period], T]) -> T | None:
        try:
            with self._records.reader() as reader:
                return None if reader is None else question(reader, self._records.shift(0, local_wall()))
        except StoreError:
            return None


def add_to(app: flask.Flask, settings: Settings, link: LineLink) -> None:
    """Add the addresses of this screen."""
    screen = AuditScreen(settings, link)
    app.add_url_rule("/audit", "audit", screen.page)
    app.add_url_rule("/audit/enter", "take_audit", screen.take, methods=["POST"])
    app.add_url_rule("/audit/<audit_id>/withdraw", "withdraw_audit", screen.withdraw, methods=["POST"])


def _purity_of(reader: StoreReader, period: Period, station_id: str, settings: Settings) -> Figure:
    record = period_record(reader, period, settings.line_name)
    return purity(record, station_id, settings.figures.calibration_shift_sd)
