"""The gate before every address: who asks, from where, and whether that is enough; refusals are written down.

While nobody has been entered as a user, a line with simulated valves lets whoever stands at its own machine do
everything, so that a demonstration needs no PIN; a line with real valves lets nobody act.
"""

from http import HTTPStatus
from typing import NamedTuple

import flask
from werkzeug.wrappers import Response

from sorter.model.settings import Settings
from sorter.runtime.clock import Clock
from ui.access.roles import LEAST_ROLE, Role
from ui.access.sessions import COOKIE_NAME, Session, Sessions
from ui.access.trail import Trail
from ui.access.users import UserBook
from ui.guards import is_from_page, is_host_known, is_on_this_machine

_READING = {"GET", "HEAD", "OPTIONS"}
# the API has keys and limits of its own
API_PREFIX = "/api/"


class Visitor(NamedTuple):
    """Who asks: the browser's session, a name for the trail, and what may be done from there."""

    session: Session
    name: str
    role: Role


class Gate:
    """Stands before a Flask application."""

    def __init__(self, settings: Settings, users: UserBook, trail: Trail, clock: Clock) -> None:
        self._settings = settings
        self.users = users
        self.trail = trail
        self.sessions = Sessions()
        self._clock = clock

    def admit(self) -> Response | None:
        """Let a request through, or answer it with why not; to be asked before every request."""
        request = flask.request
        if not is_host_known(request, self._settings.ui.host):
            return self._refuse(f"{request.host!r} is not a name of this machine; see ui.host")
        if request.path.startswith(API_PREFIX):
            return None
        visitor = self._visitor()
        flask.g.visitor = visitor
        why_not = None if request.endpoint is None else self._objection(visitor)
        return None if why_not is None else self._refuse(why_not)

    def sign_out(self, response: Response) -> Response:
        """After every request: write down what acted, and keep the browser's session in its cookie."""
        visitor: Visitor | None = flask.g.get("visitor")
        if visitor is None:
            return response
        is_noted = flask.g.get("is_refused", False) or flask.g.get("is_continued", False)
        if flask.request.method not in _READING and not is_noted:
            self._note(visitor, response.status_code)
        if flask.request.cookies.get(COOKIE_NAME) != visitor.session.token and flask.request.endpoint != "static":
            is_secure = bool(self._settings.ui.tls_certificate)
            response.set_cookie(COOKIE_NAME, visitor.session.token, httponly=True, samesite="Strict", secure=is_secure)
        return response

    def rename(self, session: Session) -> None:
        """Go on with another session, as after a log-in."""
        flask.g.visitor = self._named(session)

    def may_log_in_here(self) -> bool:
        """Whether acting is possible from where the request comes from."""
        return is_on_this_machine(flask.request) or self._settings.ui.network_may_act

    def _visitor(self) -> Visitor:
        now_ns = self._clock.now_ns()
        session = self.sessions.find(flask.request.cookies.get(COOKIE_NAME), now_ns)
        if session is None:
            session = self.sessions.open(now_ns)
        elif flask.request.endpoint != "events":
            session.used_at_ns = now_ns
        return self._named(session)

    def _named(self, session: Session) -> Visitor:
        if not self.may_log_in_here():
            return Visitor(session, session.user_name or "network", Role.VIEWER)
        if session.user_name is not None:
            return Visitor(session, session.user_name, session.role)
        is_free = self.users.is_empty and self._settings.valves.driver == "simulated"
        return Visitor(session, "local" if is_free else "nobody", Role.ENGINEER if is_free else Role.VIEWER)

    def _objection(self, visitor: Visitor) -> str | None:
        request = flask.request
        least = LEAST_ROLE.get(request.endpoint or "")
        if least is None:
            return f"{request.path} is for nobody"
        if visitor.role < least:
            return f"{request.path} is for {least.name.lower()}s; {visitor.name} is {visitor.role.name.lower()}"
        if request.method in _READING:
            return None
        if not is_from_page(request):
            return "requests are taken from the line's own page alone"
        if request.headers.get("X-Csrf-Token") != visitor.session.csrf:
            return "this page is older than its session; load it again"
        return None

    def _refuse(self, sentence: str) -> Response:
        flask.g.is_refused = True
        visitor: Visitor | None = flask.g.get("visitor")
        if visitor is not None:
            self._note(visitor, HTTPStatus.FORBIDDEN, sentence)
        return flask.Response(f"{sentence}\n", status=HTTPStatus.FORBIDDEN, mimetype="text/plain")

    def _note(self, visitor: Visitor, status: int, detail: str = "") -> None:
        request = flask.request
        what = f"{request.method} {request.path}"
        said = detail or flask.g.get("trail_detail", "")
        self.trail.note(visitor.name, visitor.role.name.lower(), what, status, said, request.remote_addr or "")
