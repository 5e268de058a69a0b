"""Where lines hand in their events: authenticated, bounded, idempotent, and answered once they are on the disk."""

import logging
from http import HTTPStatus

import flask
import msgspec
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response

from sorter.errors import ConfigurationError, StoreError, StoreRefusedError
from sorter.runtime.api_keys import Scope
from sorter.store.batch import (
    BATCHES_PATH,
    LIVES_PATH,
    MAX_PACKED_BYTES,
    Batch,
    BatchError,
    BatchTooLargeError,
    HeldLife,
    Receipt,
    unpack_batch,
)
from sorter.store.postgres_writer import PostgresWriter
from ui.api.problem import ProblemError, problem_response
from ui.hub.line_keys import LineKeys
from ui.hub.writers import HubBusyError, Writers

_RETRY_AFTER_S = "5"


def ingest_blueprint(writers: Writers, keys: LineKeys) -> flask.Blueprint:
    """The two operations of a line's outbox: what does the hub hold, and here is more."""
    blueprint = flask.Blueprint("ingest", __name__)

    @blueprint.get(LIVES_PATH)
    def lives() -> Response:
        device_id = _device(keys)
        with writers.one() as writer:
            held = [HeldLife(boot_id, last_seq) for boot_id, last_seq in writer.held(device_id).items()]
        return _json(held)

    @blueprint.post(BATCHES_PATH)
    def batches() -> Response:
        device_id = _device(keys)
        flask.request.max_content_length = MAX_PACKED_BYTES
        packed = flask.request.get_data()
        # unpacked with a place to write it, so that no more are in memory than are written
        with writers.one() as writer:
            batch = unpack_batch(packed)
            if batch.device_id != device_id:
                raise ProblemError(HTTPStatus.FORBIDDEN, f"this key is not that of line {batch.device_id!r}")
            return _json(_take(batch, writer))

    _answer_errors(blueprint)
    return blueprint


def _device(keys: LineKeys) -> str:
    """The line that a request's key lets in."""
    try:
        key = keys.key_of(flask.request.headers.get("Authorization"))
    except ConfigurationError as error:
        logging.getLogger("hub").error("%s", error)  # noqa: TRY400 - the sentence says it all
        raise ProblemError(
            HTTPStatus.SERVICE_UNAVAILABLE, "keys cannot be read", {"Retry-After": _RETRY_AFTER_S}
        ) from error
    if key is None:
        challenge = {"WWW-Authenticate": 'Bearer realm="farz"'}
        raise ProblemError(HTTPStatus.UNAUTHORIZED, "the key is not known here, or was revoked", challenge)
    if Scope.FLEET not in key.scopes:
        raise ProblemError(HTTPStatus.FORBIDDEN, f"this key has not the scope {Scope.FLEET.value}")
    return key.name


def _take(batch: Batch, writer: PostgresWriter) -> Receipt:
    held_seq = writer.newest_seq(batch.device_id, batch.boot_id)
    if held_seq < batch.after_seq:
        raise ProblemError(HTTPStatus.CONFLICT, f"of life {batch.boot_id} events up to {held_seq} are held here")
    recorded = writer.record(batch.events)
    last_seq = max(held_seq, batch.events[-1].seq)
    return Receipt(batch.boot_id, last_seq, recorded.stored_count, recorded.known_count)


def _answer_errors(blueprint: flask.Blueprint) -> None:
    """Each error as a problem document; what the database said stays in the hub's own log."""

    @blueprint.errorhandler(ProblemError)
    def refused(error: ProblemError) -> Response:
        return problem_response(error.status, error.detail, error.headers)

    @blueprint.errorhandler(BatchTooLargeError)
    @blueprint.errorhandler(RequestEntityTooLarge)
    def too_large(_error: Exception) -> Response:
        return problem_response(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "larger than a batch may be")

    @blueprint.errorhandler(BatchError)
    def no_batch(error: BatchError) -> Response:
        return problem_response(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))

    @blueprint.errorhandler(StoreRefusedError)
    def unstorable(error: StoreRefusedError) -> Response:
        logging.getLogger("hub").warning("%s", error)
        return problem_response(HTTPStatus.UNPROCESSABLE_ENTITY, "a value in it cannot be stored")

    @blueprint.errorhandler(StoreError)
    def not_stored(error: StoreError) -> Response:
        logging.getLogger("hub").error("%s", error)
        return _busy("the batch could not be stored; send it again")

    @blueprint.errorhandler(HubBusyError)
    def busy(_error: HubBusyError) -> Response:
        return _busy("too many batches at once; send it again")


def _busy(detail: str) -> Response:
    return problem_response(HTTPStatus.SERVICE_UNAVAILABLE, detail, {"Retry-After": _RETRY_AFTER_S})


def _json(body: object) -> Response:
    return flask.Response(msgspec.json.encode(body), content_type="application/json")
