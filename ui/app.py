"""The Flask application: the gate, the screens, their streams and metrics; it holds no state of the line."""

import os
from pathlib import Path

import flask

from sorter.model.settings import Settings
from sorter.runtime.stamp import stamp
from ui.access.gate import Gate
from ui.access.lockout import LOCKOUT_FILE_NAME, Lockout
from ui.access.trail import Trail
from ui.access.users import UserBook
from ui.guards import protect
from ui.line_link import LineLink
from ui.screens import (
    alarms,
    audit,
    explain,
    help_page,
    line,
    log_in,
    models,
    recipe,
    report,
    settings_screen,
    stations,
)
from ui.screens.page import init_pages
from ui.texts import init_texts

MAX_STREAM_COUNT = 32


def create_app(settings: Settings, link: LineLink) -> flask.Flask:
    """The application for one line.

    Raises:
        ConfigurationError: if the file of users cannot be read.
    """
    app = flask.Flask(__name__)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    folder = state_folder(settings)
    lockout = Lockout(folder / LOCKOUT_FILE_NAME, stamp(link.clock.now_ns()))
    gate = Gate(settings, UserBook(folder / "users.json", lockout), Trail(folder / "trail.jsonl"), link.clock)
    app.before_request(gate.admit)
    app.after_request(lambda response: protect(gate.sign_out(response), settings.ui))
    init_texts(app)
    init_pages(app, settings, gate)
    line.add_to(app, settings, link)
    alarms.add_to(app, link)
    explain.add_to(app, settings, link)
    recipe.add_to(app, settings, link)
    stations.add_to(app, settings, link)
    audit.add_to(app, settings, link)
    report.add_to(app, settings)
    models.add_to(app, settings, link)
    log_in.add_to(app, gate, link)
    settings_screen.add_to(app, settings, gate)
    help_page.add_to(app)
    return app


def state_folder(settings: Settings) -> Path:
    """Where users, trail and alarms are kept: as configured, else in the folder of the user's system for state."""
    if settings.ui.folder:
        return Path(settings.ui.folder)
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "farz" / settings.line_name
