"""Help: for each screen, what it shows and what to touch."""

import flask

from ui.screens.page import SCREENS, show

_EXPLAINED = tuple(screen for screen in SCREENS if screen != "help_page")


def add_to(app: flask.Flask) -> None:
    """Add the address of this screen."""
    app.add_url_rule("/help", "help_page", _page)


def _page() -> str:
    asked = flask.request.args.get("screen", "line")
    return show("help_page", explained=_EXPLAINED, about=asked if asked in _EXPLAINED else "line")
