"""Who stands at the screen: choosing a name, a PIN on a pad in the page, and leaving again."""

from http import HTTPStatus

import flask
from werkzeug.wrappers import Response

from ui.access.gate import Gate
from ui.line_link import LineLink
from ui.screens.page import note, sentence, show, visitor


def add_to(app: flask.Flask, gate: Gate, link: LineLink) -> None:
    """Add the addresses of this screen."""
    app.add_url_rule("/log-in", "log_in", lambda: _page(gate))
    app.add_url_rule("/log-in/pin", "check_pin", lambda: _check(gate, link), methods=["POST"])
    app.add_url_rule("/log-out", "log_out", lambda: _log_out(gate, link), methods=["POST"])


def _page(gate: Gate) -> str:
    users = gate.users.users()
    chosen = next((one for one in users if one.name == flask.request.args.get("name")), None)
    return show("log_in", users=users, chosen=chosen)


def _check(gate: Gate, link: LineLink) -> Response:
    form, now_ns = flask.request.form, link.clock.now_ns()
    name = form.get("name", "")
    note(name)
    if not gate.may_log_in_here():
        return sentence(HTTPStatus.FORBIDDEN, "log_in.not_from_here")
    locked_s = gate.users.locked_for_s(name, now_ns)
    if locked_s > 0:
        return sentence(HTTPStatus.TOO_MANY_REQUESTS, "log_in.locked", {"Retry-After": str(locked_s)}, n=locked_s)
    if not gate.users.is_right(name, form.get("pin", ""), now_ns):
        return sentence(HTTPStatus.UNAUTHORIZED, "log_in.wrong")
    user = gate.users.find(name)
    assert user is not None, "a PIN is right for users alone"
    gate.rename(gate.sessions.log_in(visitor().session, user.name, user.rights, now_ns))
    return flask.Response(status=HTTPStatus.NO_CONTENT)


def _log_out(gate: Gate, link: LineLink) -> Response:
    gate.sessions.end(visitor().session)
    gate.rename(gate.sessions.open(link.clock.now_ns()))
    return flask.Response(status=HTTPStatus.NO_CONTENT)
