"""The screen Settings: how this display looks and measures, users, the trail, the network, and what it is made of."""

import importlib.metadata
import json
from http import HTTPStatus
from pathlib import Path
from typing import Any

import flask
from werkzeug.wrappers import Response

from sorter.model.settings import Settings
from ui.access.gate import Gate
from ui.access.roles import ROLE_NAMES
from ui.screens.page import note, sentence, set_cookie, show
from ui.texts import DIGITS_COOKIE, LANGUAGE_COOKIE, LANGUAGES, digits

_LOCK_FILE = Path(__file__).parents[1] / "package-lock.json"
_CHOICES = {
    "language": (LANGUAGE_COOKIE, tuple(LANGUAGES)),
    "digits": (DIGITS_COOKIE, ("latn", "arab")),
    "theme": ("farz_theme", ("auto", "light", "dark")),
    "units": ("farz_units", ("m_s", "m_min")),
}


def add_to(app: flask.Flask, settings: Settings, gate: Gate) -> None:
    """Add the addresses of this screen."""
    app.add_url_rule("/settings", "settings", lambda: show("settings", **_values(settings, gate)))
    app.add_url_rule("/settings/display", "set_display", _set_display, methods=["POST"])
    app.add_url_rule("/settings/users", "add_user", lambda: _add_user(settings, gate), methods=["POST"])
    app.add_url_rule(
        "/settings/users/<name>/remove",
        "remove_user",
        lambda name: _remove_user(name, settings, gate),
        methods=["POST"],
    )
    app.add_url_rule("/settings/trail", "trail", lambda: show("settings", "trail.html", entries=gate.trail.newest()))
    app.add_url_rule("/settings/about", "about", lambda: show("settings", "about.html", packages=_packages()))


def _values(settings: Settings, gate: Gate) -> dict[str, Any]:
    return {
        "choices": {name: allowed for name, (_, allowed) in _CHOICES.items()},
        "digits": digits(),
        "users": gate.users.users(),
        "role_names": tuple(ROLE_NAMES),
        "ui": settings.ui,
        "settings": settings,
    }


def _set_display() -> Response:
    """Keep what was chosen, in this display's cookies; the page loads itself anew."""
    response = flask.Response(status=HTTPStatus.NO_CONTENT, headers={"HX-Refresh": "true"})
    form = flask.request.form
    for name, (cookie, allowed) in _CHOICES.items():
        if form.get(name) in allowed:
            set_cookie(response, cookie, form[name])
    mm = form.get("mm", type=float)
    if mm is not None and 2.0 <= mm <= 16.0:
        set_cookie(response, "farz_mm", f"{mm:.3f}")
    return response


def _add_user(settings: Settings, gate: Gate) -> Response | str:
    form = flask.request.form
    name, role = form.get("name", "").strip(), form.get("role", "")
    note(f"{name}, {role}")
    wrong = gate.users.put(name, role, form.get("pin", ""))
    if wrong is not None:
        return sentence(HTTPStatus.BAD_REQUEST, wrong)
    gate.sessions.end_of_user(name)
    return flask.render_template("users.html", **_values(settings, gate))


def _remove_user(name: str, settings: Settings, gate: Gate) -> Response | str:
    note(name)
    wrong = gate.users.remove(name)
    if wrong is not None:
        return sentence(HTTPStatus.CONFLICT, wrong)
    gate.sessions.end_of_user(name)
    return flask.render_template("users.html", **_values(settings, gate))


def _packages() -> list[tuple[str, str, str]]:
    """Name, version and licence of everything that is installed beside Farz, and of what its pages load."""
    found = {
        dist.metadata["Name"]: (dist.version, _licence(dist.metadata.get_all("Classifier") or [], dist.metadata))
        for dist in importlib.metadata.distributions()
    }
    python = [(name, *found[name]) for name in sorted(found, key=str.lower) if name]
    return [*_page_packages(), *python]


def _page_packages() -> list[tuple[str, str, str]]:
    """What pages load of others, as the lock file pins it."""
    locked = json.loads(_LOCK_FILE.read_text())["packages"] if _LOCK_FILE.is_file() else {}
    return [
        (path.removeprefix("node_modules/"), str(one["version"]), str(one.get("license", "")))
        for path, one in locked.items()
        if path and not one.get("dev", False)
    ]


def _licence(classifiers: list[str], metadata: importlib.metadata.PackageMetadata) -> str:
    stated = _stated(metadata, "License-Expression")
    named = [each.rpartition(" :: ")[2] for each in classifiers if each.startswith("License")]
    # some packages put the whole text of their licence where its name belongs
    return stated or ", ".join(named) or _stated(metadata, "License").partition("\n")[0][:60]


def _stated(metadata: importlib.metadata.PackageMetadata, key: str) -> str:
    return str((metadata.get_all(key) or [""])[0])
