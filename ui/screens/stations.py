"""The screen Stations: what every nozzle has done, whether it seems well, and shots by hand while the line stands.

A nozzle is asked for again and again as long as a finger holds the button: when that stops, for whatever reason, it
closes. Whether anything opens at all is the valve controller's to say.
"""

from http import HTTPStatus
from typing import Any

import flask
from werkzeug.wrappers import Response

from sorter.model.condition import Mode, ModeState, NozzleReport, ValveReport
from sorter.model.maintenance import NozzleHold
from sorter.model.settings import Settings, StationSettings
from sorter.model.units import NS_PER_MS
from sorter.runtime.topics import MODE, VALVES
from ui.line_link import LineLink
from ui.screens.page import note, note_continued, sentence, show, visitor

_CELLS = 32
# a question that comes so soon after another for the same nozzle belongs to the same hold
_SAME_HOLD_NS = 500 * NS_PER_MS


def add_to(app: flask.Flask, settings: Settings, link: LineLink) -> None:
    """Add the addresses of this screen."""
    held: dict[str, int] = {}
    app.add_url_rule("/stations", "stations", lambda: show("stations", **_values(settings, link)))
    app.add_url_rule(
        "/stations/nozzles",
        "station_nozzles",
        lambda: flask.render_template("station_nozzles.html", **_values(settings, link)),
    )
    app.add_url_rule(
        "/stations/<station_id>/nozzles/<int:nozzle>/hold",
        "hold_nozzle",
        lambda station_id, nozzle: _hold(station_id, nozzle, settings, link, held),
        methods=["POST"],
    )


def _values(settings: Settings, link: LineLink) -> dict[str, Any]:
    report = link.newest(VALVES)
    valves = report if isinstance(report, ValveReport) else None
    state = link.newest(MODE)
    return {
        "bars": [_bar(station, valves) for station in settings.recipe.stations],
        "valves": valves,
        "is_stopped": isinstance(state, ModeState) and state.mode is Mode.STOPPED,
        "air_per_shot_l": _air_per_shot_l(valves),
    }


def _bar(station: StationSettings, valves: ValveReport | None) -> dict[str, Any]:
    """A station's nozzles, side by side from the belt's left edge, in as many cells as there is room for."""
    known = {one.nozzle: one for one in valves.nozzles if one.station_id == station.id} if valves else {}
    size = max(1, -(-station.nozzle_count // _CELLS))
    cells = [
        _cell([known[number] for number in range(first, min(first + size, station.nozzle_count)) if number in known])
        for first in range(0, station.nozzle_count, size)
    ]
    most = max([1, *(int(cell["shot_count"]) for cell in cells)])
    suspects = [one for one in known.values() if one.suspicion is not None]
    drifts_ms = [one.response_drift_ms for one in known.values() if one.response_drift_ms is not None]
    return {
        "station": station,
        "cells": [{**cell, "level": -(-4 * int(cell["shot_count"]) // most)} for cell in cells],
        "cell_size": size,
        "shot_count": sum(one.shot_count for one in known.values()),
        "fired_count": len(known),
        "worst_drift_ms": max(drifts_ms, key=abs, default=None),
        "busiest_ratio": max((one.duty_ratio for one in known.values()), default=None),
        "suspects": suspects,
    }


def _cell(nozzles: list[NozzleReport]) -> dict[str, int | bool]:
    return {
        "shot_count": sum(one.shot_count for one in nozzles),
        "is_suspected": any(one.suspicion is not None for one in nozzles),
    }


def _air_per_shot_l(valves: ValveReport | None) -> float | None:
    shot_count = sum(one.shot_count for one in valves.nozzles) if valves else 0
    return valves.air_l / shot_count if valves and shot_count else None


def _hold(station_id: str, nozzle: int, settings: Settings, link: LineLink, held: dict[str, int]) -> Response:
    station = next((one for one in settings.recipe.stations if one.id == station_id), None)
    if station is None or nozzle >= station.nozzle_count:
        return sentence(HTTPStatus.NOT_FOUND, "stations.no_nozzle")
    state = link.newest(MODE)
    if not isinstance(state, ModeState) or state.mode is not Mode.STOPPED:
        return sentence(HTTPStatus.CONFLICT, "stations.not_stopped")
    now_ns, what = link.clock.now_ns(), f"{visitor().name} {station_id}:{nozzle}"
    note(f"{station_id}:{nozzle}")
    if now_ns - held.get(what, -_SAME_HOLD_NS) < _SAME_HOLD_NS:
        note_continued()
    held.clear()
    held[what] = now_ns
    link.say(NozzleHold(station_id, nozzle, now_ns, visitor().name))
    return flask.Response(status=HTTPStatus.ACCEPTED)
