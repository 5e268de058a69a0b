"""The screen Shift report: what a shift has done, with intervals, coverage and method; printable, and as PDF."""

import logging
import os
import shutil
import subprocess
import tempfile
from datetime import datetime, timezone
from http import HTTPStatus
from pathlib import Path
from typing import Any

import flask
from flask_babel import format_datetime
from werkzeug.wrappers import Response

from sorter.errors import StoreError
from sorter.figures.bulletin import all_figures
from sorter.figures.figure import Figure
from sorter.model.events import FaultNoted
from sorter.model.rollups import Period
from sorter.model.settings import Settings
from sorter.store.protocol import StoreReader
from sorter.store.reading import period_record
from ui.records import Records
from ui.screens.page import local_wall, sentence, show

_SHOWN_SHIFTS = 4
_SHOWN_FAULTS = 40
_PRINTERS = ("chromium", "chromium-browser", "google-chrome")
_PRINT_LIMIT_S = 30
_STYLE = Path(__file__).parents[1] / "static" / "report.css"


def add_to(app: flask.Flask, settings: Settings) -> None:
    """Add the addresses of this screen."""
    records = Records(settings)
    app.add_url_rule("/report", "report", lambda: show("report", **_values(settings, records)))
    app.add_url_rule("/report.pdf", "report_pdf", lambda: _pdf(settings, records))


def _values(settings: Settings, records: Records) -> dict[str, Any]:
    back_count = min(max(flask.request.args.get("back", 0, type=int), 0), 1000)
    wall = local_wall()
    period = records.shift(back_count, wall)
    common = {
        "back_count": back_count,
        "shifts": range(_SHOWN_SHIFTS),
        "begins": _clock_text(period.from_ms, wall),
        "ends": _clock_text(period.to_ms, wall),
    }
    try:
        with records.reader() as reader:
            found = None if reader is None else _report(reader, period, settings)
    except StoreError:
        found = None
    return {**common, "report": found}


def _report(reader: StoreReader, period: Period, settings: Settings) -> dict[str, Any]:
    record = period_record(reader, period, settings.line_name)
    figures = all_figures(record, settings.figures)
    shares = [figure for figure in figures if figure.name == "composition_count" and figure.value]
    faults = reader.events(FaultNoted, period, device_id=settings.line_name, limit=_SHOWN_FAULTS)
    return {
        "coverage_ratio": record.coverage_ratio,
        "figures": [figure for figure in figures if not figure.name.startswith("composition_")],
        "composition": sorted(shares, key=lambda figure: -(figure.value or 0.0)),
        "faults": [fault for fault in faults if isinstance(fault, FaultNoted) and not fault.is_cleared],
        "model_ids": record.model_ids,
        "methods": _methods(figures),
    }


def _methods(figures: list[Figure]) -> list[tuple[str, str]]:
    """How each figure is made, said once."""
    told = {figure.name: " ".join(filter(None, (figure.method, figure.source))) for figure in figures}
    return [(name, method) for name, method in told.items() if method and not name.startswith("composition_")]


def _clock_text(at_ms: int, wall: datetime) -> str:
    return str(
        format_datetime(datetime.fromtimestamp(at_ms / 1000.0, wall.tzinfo or timezone.utc), "short", rebase=False)
    )


def _pdf(settings: Settings, records: Records) -> Response:
    printer = next((path for name in _PRINTERS if (path := shutil.which(name))), None)
    if printer is None:
        return sentence(HTTPStatus.SERVICE_UNAVAILABLE, "report.no_printer")
    page = flask.render_template(
        "report_print.html", style=_STYLE.read_text(), screen="report", **_values(settings, records)
    )
    try:
        pdf = _printed(page, printer)
    except (OSError, subprocess.SubprocessError) as error:
        logging.getLogger("ui").warning("the report cannot be printed by %s: %s", printer, error)
        return sentence(HTTPStatus.SERVICE_UNAVAILABLE, "report.no_printer")
    return flask.Response(
        pdf, mimetype="application/pdf", headers={"Content-Disposition": "inline; filename=shift.pdf"}
    )


def _printed(page: str, printer: str) -> bytes:
    """A page as PDF, laid out by the browser that the kiosk shows: no second layout, and Arabic is shaped."""
    with tempfile.TemporaryDirectory(prefix="farz-print-") as folder:
        source, target = Path(folder) / "report.html", Path(folder) / "report.pdf"
        source.write_text(page)
        command = [
            printer, "--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--no-pdf-header-footer",
            f"--user-data-dir={folder}/profile",
            f"--print-to-pdf={target}", source.as_uri(),
        ]  # fmt: skip
        if os.geteuid() == 0:
            # Chromium has no sandbox for root; the page is our own, without scripts
            command.insert(1, "--no-sandbox")
        subprocess.run(command, check=True, capture_output=True, timeout=_PRINT_LIMIT_S)  # noqa: S603 - our own page
        return target.read_bytes()
