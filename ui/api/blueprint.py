"""Puts the operations before the network: who may, how much, how many at once; every error is a problem document."""

from collections.abc import Callable, Sequence
from http import HTTPStatus

import flask
import msgspec
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.wrappers import Response

from sorter.errors import StoreError
from sorter.model.settings import ApiSettings, Settings
from ui.api.access import Caller, KeyRing, caller_of, require
from ui.api.answering import answer_response, chosen_format
from ui.api.operation import ApiLink, Asking, Operation
from ui.api.problem import ProblemError, problem_response
from ui.api.query import read_query
from ui.api.rates import Allowance, Desks, Rates, Verdict

BASE_PATH = "/api/v1"
_MAX_BODY_BYTES = 64 * 1024
_DETAILS: dict[int, str] = {
    HTTPStatus.NOT_FOUND: f"there is nothing here; {BASE_PATH}/docs tells what there is",
    HTTPStatus.METHOD_NOT_ALLOWED: "this is not done with it; see Allow",
    HTTPStatus.INTERNAL_SERVER_ERROR: "this answer failed; the line's log says why",
}


class Gate:
    """What all operations share: keys, rates, desks."""

    def __init__(self, settings: ApiSettings, now_ns: Callable[[], int]) -> None:
        self._settings = settings
        self._now_ns = now_ns
        self._ring = KeyRing(settings.keys_file)
        self._rates = Rates()
        self.desks = Desks(settings.max_concurrent_count)

    def admit(self, operation: Operation) -> tuple[Caller, Verdict]:
        """Who asks, once they may and have not asked too much.

        Raises:
            ProblemError: 401, 403, or 429.
        """
        now_ns = self._now_ns()
        address = f"address {flask.request.remote_addr}"
        try:
            caller = caller_of(flask.request, self._ring, self._settings, now_ns)
        except ProblemError:
            # who guesses keys is slowed down like any stranger
            _refuse_excess(self._rates.charge(address, Allowance(self._settings.public_rate_per_min), now_ns))
            raise
        verdict = self._rates.charge(caller.name, caller.allowance, now_ns)
        _refuse_excess(verdict)
        require(caller, operation.scope)
        return caller, verdict


def register(app: flask.Flask, settings: Settings, link: ApiLink, operations: Sequence[Operation]) -> None:
    """Serve operations below /api/v1, and answer every error with a problem document."""
    gate = Gate(settings.api, link.now_ns)
    for operation in operations:
        app.add_url_rule(
            f"{BASE_PATH}{operation.path}",
            f"api_{operation.name}",
            _view(operation, gate, settings, link),
            methods=[operation.method],
        )
    app.register_error_handler(ProblemError, _on_problem)
    app.register_error_handler(HTTPException, _on_http_error)


def _view(operation: Operation, gate: Gate, settings: Settings, link: ApiLink) -> Callable[[], Response]:
    def view() -> Response:
        caller, verdict = gate.admit(operation)
        if not gate.desks.take():
            raise ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE, "too many requests are being worked on; try again", {"Retry-After": "1"}
            )
        try:
            response = _answer(operation, settings, link, caller)
        finally:
            gate.desks.give_back()
        _tell_rates(response, caller.allowance, verdict)
        return response

    return view


def _answer(operation: Operation, settings: Settings, link: ApiLink, caller: Caller) -> Response:
    query = read_query(flask.request.args, operation.query)
    form = chosen_format(flask.request, operation, query)
    try:
        answer = operation.handle(Asking(settings, link, caller, query, _read_body(operation)))
    except StoreError as error:
        raise ProblemError(
            HTTPStatus.SERVICE_UNAVAILABLE, "the line's records cannot be read at the moment", {"Retry-After": "5"}
        ) from error
    return answer_response(flask.request, operation, answer, form)


def _read_body(operation: Operation) -> msgspec.Struct | None:
    if operation.body is None:
        return None
    if flask.request.mimetype != "application/json":
        raise ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "the body must be application/json")
    flask.request.max_content_length = _MAX_BODY_BYTES
    try:
        return msgspec.json.decode(flask.request.get_data(), type=operation.body)
    except msgspec.ValidationError as error:
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, f"the body is not understood: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "the body is not JSON") from error
    except RequestEntityTooLarge as error:
        raise ProblemError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body has {_MAX_BODY_BYTES} bytes at most"
        ) from error


def _refuse_excess(verdict: Verdict) -> None:
    if verdict.is_allowed:
        return
    what = "this day's quota" if verdict.is_quota else "the rate"
    raise ProblemError(
        HTTPStatus.TOO_MANY_REQUESTS,
        f"{what} is used up; come again in {verdict.retry_after_s} s",
        {"Retry-After": str(verdict.retry_after_s)},
    )


def _tell_rates(response: Response, allowance: Allowance, verdict: Verdict) -> None:
    """What is left, in the words of the IETF's draft on RateLimit headers."""
    policy = f'"rate";q={allowance.rate_per_min};w=60'
    if allowance.quota_per_day is not None:
        policy += f', "quota";q={allowance.quota_per_day};w=86400'
    response.headers["RateLimit-Policy"] = policy
    response.headers["RateLimit"] = f'"rate";r={verdict.remaining_count}'


def _on_problem(error: ProblemError) -> Response:
    return problem_response(error.status, error.detail, error.headers)


def _on_http_error(error: HTTPException) -> Response | HTTPException:
    """What Flask refuses itself, and a failure of ours, of which the log knows and the caller learns nothing."""
    if error.code is None or error.code < HTTPStatus.BAD_REQUEST:
        return error
    detail = _DETAILS.get(error.code, error.description or "")
    headers = {name: value for name, value in error.get_headers() if name.lower() in {"allow", "retry-after"}}
    return problem_response(error.code, detail, headers)
