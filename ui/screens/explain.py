"""Why an item was ejected or left: its views and what each said, what each station's shot was worth, and the timing."""

from http import HTTPStatus

import flask
from werkzeug.wrappers import Response

from sorter.model.condition import KeepRequest
from sorter.model.explanation import Explanation
from sorter.model.settings import Settings
from sorter.model.units import NS_PER_MS, UM_PER_M
from ui.explanations import Told
from ui.line_link import LineLink
from ui.screens.page import note, sentence, visitor

_SHOWN_CLASS_COUNT = 3
_SHOWN_SHARE = 0.05
_SHOWN_PICTURE_COUNT = 6


def add_to(app: flask.Flask, settings: Settings, link: LineLink) -> None:
    """Add the addresses of explanations."""
    app.add_url_rule("/explanations", "explain", lambda: _explain(settings, link))
    app.add_url_rule("/pictures/<int:frame_id>.jpg", "picture", lambda frame_id: _picture(frame_id, link))
    app.add_url_rule(
        "/explanations/<int:decision_id>/wrong",
        "mark_wrong",
        lambda decision_id: _mark_wrong(decision_id, settings, link),
        methods=["POST"],
    )


def _explain(settings: Settings, link: LineLink) -> Response | str | tuple[str, int]:
    arguments = flask.request.args
    track, decision = arguments.get("track", type=int), arguments.get("decision", type=int)
    if track is None and decision is None:
        return sentence(HTTPStatus.BAD_REQUEST, "why.which")
    of_track = link.explanations.of_track(track) if track is not None else None
    told = of_track if decision is None else link.explanations.of_decision(decision)
    if told is None:
        return flask.render_template("why_waiting.html", is_late=decision is not None), HTTPStatus.ACCEPTED
    explanation = told.explanation
    return flask.render_template(
        "why.html",
        told=told,
        decision=explanation.decision,
        explanation=explanation,
        class_names=settings.recipe.classes,
        votes=[_vote(told, index, settings) for index in range(len(explanation.votes))],
        views=told.views[-_SHOWN_PICTURE_COUNT:],
        vote_of={vote.frame_id: _best(vote.probabilities) for vote in explanation.votes},
        timing=_timing(told),
        placement_mm=_placement_mm(told),
        keeps_pictures=bool(settings.harvest.folder),
    )


def _picture(frame_id: int, link: LineLink) -> Response:
    jpeg = link.explanations.jpeg(frame_id)
    if jpeg is None:
        return sentence(HTTPStatus.NOT_FOUND, "why.no_picture")
    return flask.Response(jpeg, mimetype="image/jpeg")


def _mark_wrong(decision_id: int, settings: Settings, link: LineLink) -> Response:
    if not settings.harvest.folder:
        return sentence(HTTPStatus.CONFLICT, "keep.nowhere")
    told = link.explanations.of_decision(decision_id)
    if told is None or not told.views:
        return sentence(HTTPStatus.CONFLICT, "why.no_picture")
    frame_id = told.views[len(told.views) // 2].frame_id
    note(f"decision {decision_id}, frame {frame_id}")
    link.say(KeepRequest(frame_id, link.clock.now_ns(), visitor().name))
    return sentence(HTTPStatus.ACCEPTED, "why.marked")


def _vote(told: Told, index: int, settings: Settings) -> dict[str, object]:
    vote = told.explanation.votes[index]
    ranked = sorted(range(len(vote.probabilities)), key=lambda each: -vote.probabilities[each])
    shown = [each for each in ranked[:_SHOWN_CLASS_COUNT] if vote.probabilities[each] >= _SHOWN_SHARE] or ranked[:1]
    best = [(settings.recipe.classes[each], vote.probabilities[each]) for each in shown]
    return {"number": index + 1, "weight": vote.weight, "best": best}


def _best(probabilities: tuple[float, ...]) -> tuple[int, float]:
    class_id = max(range(len(probabilities)), key=probabilities.__getitem__)
    return class_id, probabilities[class_id]


def _timing(told: Told) -> list[tuple[str, float | None]]:
    """From the exposure of the last view on, in milliseconds; None for what has not happened."""
    explanation: Explanation = told.explanation
    start_ns, shot = explanation.decision.exposed_at_ns, told.shot
    steps: list[tuple[str, int | None]] = [
        ("exposed", start_ns),
        ("decided", explanation.decision.decided_at_ns),
        ("sent", explanation.sent_at_ns),
        ("opened", shot.opened_at_ns if shot else None),
        ("closed", shot.closed_at_ns if shot else None),
    ]
    return [(name, None if at_ns is None else (at_ns - start_ns) / NS_PER_MS) for name, at_ns in steps]


def _placement_mm(told: Told) -> float | None:
    """By how much of the belt the valve opened beside where it was told to."""
    shot = told.shot
    if shot is None or shot.opened_at_travel_um is None:
        return None
    return (shot.opened_at_travel_um - shot.open_at_travel_um) * 1000.0 / UM_PER_M
