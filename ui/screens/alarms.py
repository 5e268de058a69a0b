"""The screen Alarms: all that is not as it should be, by urgency, with cause and remedy; seen, shelved, returned.

Nothing is folded away. In a flood alarms stand together by where they come from, all of them still shown.
"""

from http import HTTPStatus
from typing import Any

import flask
from werkzeug.wrappers import Response

from sorter.model.units import NS_PER_S
from sorter.policy.alarms import Alarm, AlarmState, ShelfReason, by_source, may_be_shelved
from ui.line_link import LineLink
from ui.screens.page import note, sentence, show, visitor

# an operator chooses, and types nothing
SHELF_MINUTES = (15, 60, 480)


def add_to(app: flask.Flask, link: LineLink) -> None:
    """Add the addresses of this screen."""
    app.add_url_rule("/alarms", "alarms", lambda: show("alarms", **_listed(link)))
    app.add_url_rule("/alarms/list", "alarm_list", lambda: _list(link))
    app.add_url_rule("/alarms/acknowledge", "acknowledge", lambda: _acknowledge(link), methods=["POST"])
    app.add_url_rule("/alarms/acknowledge-all", "acknowledge_all", lambda: _acknowledge_all(link), methods=["POST"])
    app.add_url_rule("/alarms/shelve", "shelve", lambda: _shelve(link), methods=["POST"])
    app.add_url_rule("/alarms/unshelve", "unshelve", lambda: _unshelve(link), methods=["POST"])


def _listed(link: LineLink) -> dict[str, Any]:
    alarms, is_flood = link.alarms.alarms()
    open_alarms = [alarm for alarm in alarms if alarm.state is not AlarmState.SHELVED]
    return {
        "groups": by_source(open_alarms) if is_flood else {"": open_alarms} if open_alarms else {},
        "shelved": [alarm for alarm in alarms if alarm.state is AlarmState.SHELVED],
        "is_flood": is_flood,
        "unseen_count": sum(_is_unseen(alarm) for alarm in open_alarms),
        "now_ns": link.alarms.now_ns(),
        "may_be_shelved": may_be_shelved,
        "is_unseen": _is_unseen,
        "shelf_reasons": [reason.value for reason in ShelfReason],
        "shelf_minutes": SHELF_MINUTES,
    }


def _is_unseen(alarm: Alarm) -> bool:
    return alarm.state in {AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED}


def _list(link: LineLink) -> str:
    return flask.render_template("alarm_list.html", **_listed(link))


def _acknowledge(link: LineLink) -> Response | str:
    key = flask.request.form.get("key", "")
    note(key)
    if not link.alarms.acknowledge(key, visitor().name):
        return sentence(HTTPStatus.CONFLICT, "alarms.gone")
    return _list(link)


def _acknowledge_all(link: LineLink) -> str:
    alarms, _ = link.alarms.alarms()
    seen = [alarm.condition.key for alarm in alarms if _is_unseen(alarm)]
    note(", ".join(seen))
    link.alarms.acknowledge_all(seen, visitor().name)
    return _list(link)


def _shelve(link: LineLink) -> Response | str:
    form = flask.request.form
    key, minutes = form.get("key", ""), form.get("minutes", "")
    reasons = {reason.value: reason for reason in ShelfReason}
    reason = reasons.get(form.get("reason", ""))
    if reason is None or minutes not in {str(each) for each in SHELF_MINUTES}:
        return sentence(HTTPStatus.BAD_REQUEST, "alarms.choose")
    note(f"{key}, {minutes} min, {reason.value}")
    if not link.alarms.shelve(key, int(minutes) * 60 * NS_PER_S, reason, visitor().name):
        return sentence(HTTPStatus.CONFLICT, "alarms.not_shelved")
    return _list(link)


def _unshelve(link: LineLink) -> Response | str:
    key = flask.request.form.get("key", "")
    note(key)
    if not link.alarms.unshelve(key):
        return sentence(HTTPStatus.CONFLICT, "alarms.gone")
    return _list(link)
