"""What every screen's page is made with: words, this display's own settings, who looks, and short answers."""

from datetime import datetime, timezone
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

import flask
from flask.json.provider import DefaultJSONProvider
from werkzeug.wrappers import Response

from sorter.model.settings import Settings
from ui.access.gate import Gate, Visitor
from ui.access.roles import Role
from ui.live_state import picture_stale_after_ms
from ui.texts import LANGUAGE_COOKIE, LANGUAGES, browser_locale, language, text, texts_for_scripts

SCREENS = (
    "line", "live", "alarms", "recipe", "stations", "audit", "report", "models", "settings", "help_page",
)  # fmt: skip
VENDOR_FOLDER = Path(__file__).parents[1] / "static" / "vendor"
_YEAR_S = 365 * 86_400
# CSS pixels per millimetre before anybody has measured: 96 a inch
_NOMINAL_MM = 3.78
_MM_RANGE = (2.0, 16.0)


class Display(NamedTuple):
    """What somebody has set at this screen, for this screen: kept in its own cookies."""

    theme: str
    units: str
    mm: float


def has_front_end() -> bool:
    """Whether the front-end packages were installed (make front-end)."""
    return (VENDOR_FOLDER / "htmx.min.js").is_file()


def display() -> Display:
    """This display's settings; nonsense counts as none."""
    cookies = flask.request.cookies
    theme, units = cookies.get("farz_theme", ""), cookies.get("farz_units", "")
    try:
        mm = float(cookies.get("farz_mm", _NOMINAL_MM))
    except ValueError:
        mm = _NOMINAL_MM
    return Display(
        theme if theme in {"light", "dark"} else "auto",
        units if units == "m_min" else "m_s",
        min(max(mm, _MM_RANGE[0]), _MM_RANGE[1]),
    )


def visitor() -> Visitor:
    """Who asks."""
    found: Visitor = flask.g.visitor
    return found


def may(role: Role) -> bool:
    """Whether who asks may do what a role may."""
    return visitor().role >= role


def init_pages(app: flask.Flask, settings: Settings, gate: Gate) -> None:
    """Give all templates what the frame around every screen needs."""
    if isinstance(app.json, DefaultJSONProvider):
        app.json.ensure_ascii = False
    app.context_processor(lambda: _frame(settings, gate) if "visitor" in flask.g else {})
    app.after_request(_keep_language)


def show(screen: str, template: str | None = None, **values: Any) -> str:
    """A whole page of a screen."""
    return flask.render_template(template or f"{screen}.html", screen=screen, **values)


def sentence(status: HTTPStatus, key: str, headers: dict[str, str] | None = None, **values: object) -> Response:
    """An answer of one sentence in the reader's language."""
    return flask.Response(f"{text(key, **values)}\n", status=status, headers=headers, mimetype="text/plain")


def local_wall() -> datetime:
    """The clock on the plant's wall."""
    return datetime.now(timezone.utc).astimezone()


def note(detail: str) -> None:
    """Say for the trail what a request was about."""
    flask.g.trail_detail = detail


def note_continued() -> None:
    """Say for the trail that a request only goes on with what an earlier one began."""
    flask.g.is_continued = True


def set_cookie(response: Response, name: str, value: str) -> None:
    """Keep something at this display for a year."""
    response.set_cookie(name, value, max_age=_YEAR_S, samesite="Strict", httponly=True)


def _keep_language(response: Response) -> Response:
    asked = flask.request.args.get("lang")
    if asked in LANGUAGES:
        set_cookie(response, LANGUAGE_COOKIE, asked)
    return response


def _frame(settings: Settings, gate: Gate) -> dict[str, Any]:
    language_id, who = language(), visitor()
    return {
        "language": language_id,
        "languages": LANGUAGES,
        "direction": LANGUAGES[language_id].direction,
        "browser_locale": browser_locale(),
        "display": display(),
        "texts": texts_for_scripts(),
        "line_name": settings.line_name,
        "page_settings": page_settings(settings),
        "has_front_end": has_front_end(),
        "visitor": who,
        "role": who.role.name.lower(),
        "Role": Role,
        "may_log_in_here": gate.may_log_in_here(),
        "csrf": who.session.csrf,
        "screens": SCREENS,
    }


def page_settings(settings: Settings) -> dict[str, object]:
    """What the page's scripts must know of the line."""
    stations = settings.recipe.stations
    return {
        "classes": settings.recipe.classes,
        "stations": [{"id": one.id, "targets": one.targets, "purityTarget": one.purity_target} for one in stations],
        "pictureStaleAfterMs": picture_stale_after_ms(settings.ui.preview_rate_hz),
        "mayAct": may(Role.OPERATOR),
        "keepsPictures": bool(settings.harvest.folder),
        "videoPort": settings.ui.video_port or settings.ui.port + 1,
    }
