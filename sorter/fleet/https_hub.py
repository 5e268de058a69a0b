"""The one door to urllib3: a hub behind HTTPS, one connection kept open, every answer checked before it is believed."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import NoReturn

import msgspec
import urllib3
from urllib3.exceptions import HTTPError

from sorter.errors import ConfigurationError
from sorter.fleet.hub_protocol import Failure, Trouble
from sorter.model.settings import FleetSettings
from sorter.store.batch import (
    BATCHES_PATH,
    CONTENT_TYPE,
    LIVES_PATH,
    MAX_PACKED_BYTES,
    PROBLEM_TYPE,
    Batch,
    HeldLife,
    Receipt,
    pack_batch,
)

_CONNECT_S = 10.0
# a list of lives is what is longest; a page from something between us and the hub is not worth reading
_MAX_ANSWER_BYTES = 4 * 2**20
_DETAIL_LENGTH = 200
_MS_PER_S = 1000.0
_TROUBLES = {
    401: Trouble.REFUSED_KEY,
    403: Trouble.REFUSED_KEY,
    409: Trouble.BEHIND,
    413: Trouble.TOO_LARGE,
    422: Trouble.REFUSED_BATCH,
    429: Trouble.BUSY,
    503: Trouble.BUSY,
}

_RECEIPT = msgspec.json.Decoder(Receipt)
_LIVES = msgspec.json.Decoder(list[HeldLife])


class HttpsHub:
    """A hub as its URL and key name it; used by one thread at a time."""

    def __init__(self, settings: FleetSettings) -> None:
        self._settings = settings
        self._url = settings.hub_url.rstrip("/")
        # no redirects: the key is for this address alone; no retries: when to try again is the outbox's decision
        self._pool = urllib3.PoolManager(
            num_pools=1,
            maxsize=1,
            timeout=urllib3.Timeout(connect=_CONNECT_S, read=settings.timeout_s),
            retries=False,
            ca_certs=settings.ca_file or None,
            cert_reqs="CERT_REQUIRED",
        )

    def held_lives(self) -> Sequence[HeldLife] | Failure:
        """As `Hub.held_lives`."""
        answer = self._ask("GET", LIVES_PATH)
        if isinstance(answer, Failure):
            return answer
        try:
            return _LIVES.decode(answer)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return _no_hub("an answer that is no list of lives")

    def send(self, batch: Batch) -> int | Failure:
        """As `Hub.send`."""
        packed = pack_batch(batch)
        if len(packed) > MAX_PACKED_BYTES:
            return Failure(Trouble.REFUSED_BATCH, f"a batch of {len(packed)} bytes is too large")
        answer = self._ask("POST", BATCHES_PATH, packed)
        if isinstance(answer, Failure):
            return answer
        try:
            receipt = _RECEIPT.decode(answer)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return _no_hub("an answer that is no receipt")
        if receipt.boot_id != batch.boot_id or receipt.last_seq < batch.events[-1].seq:
            return _no_hub("a receipt for something else")
        return receipt.last_seq

    def close(self) -> None:
        """As `Hub.close`."""
        self._pool.clear()

    def _ask(self, method: str, path: str, body: bytes | None = None) -> bytes | Failure:
        """The body of an answer with status 200, or what went wrong."""
        try:
            # read anew each time, so that a key that was changed counts at once
            headers = {"Authorization": f"Bearer {_key(self._settings.key_file)}", "User-Agent": "farz-outbox"}
        except ConfigurationError as error:
            return Failure(Trouble.REFUSED_KEY, str(error))
        if body is not None:
            headers["Content-Type"] = CONTENT_TYPE
        try:
            response = self._pool.request(
                method, f"{self._url}{path}", body=body, headers=headers, redirect=False, preload_content=False
            )
            content = response.read(_MAX_ANSWER_BYTES)
            response.release_conn() if response.length_remaining == 0 else response.close()
        except (HTTPError, OSError) as error:
            return Failure(Trouble.UNREACHABLE, f"{self._url}: {error}"[:_DETAIL_LENGTH])
        if response.status == HTTPStatus.OK:
            return content
        return _failure(response.status, content, response.headers)


def check_files(settings: FleetSettings) -> None:
    """Look whether key and certificates can be read, before a line begins.

    Raises:
        ConfigurationError: if one cannot.
    """
    _key(settings.key_file)
    if settings.ca_file and not Path(settings.ca_file).is_file():
        _refuse("ca_file", settings.ca_file, "no such file")


def _failure(status: int, content: bytes, headers: Mapping[str, str]) -> Failure:
    trouble = _TROUBLES.get(status, Trouble.UNREACHABLE)
    # what is refused for good is passed over, so that must be the hub's own word
    if trouble is Trouble.REFUSED_BATCH and headers.get("Content-Type") != PROBLEM_TYPE:
        trouble = Trouble.UNREACHABLE
    retry_after = headers.get("Retry-After", "")
    wished_ms = float(retry_after) * _MS_PER_S if retry_after.isdecimal() else None
    return Failure(trouble, f"status {status}: {content[:_DETAIL_LENGTH].decode(errors='replace')}", wished_ms)


def _no_hub(what: str) -> Failure:
    return Failure(Trouble.UNREACHABLE, f"{what}: something between here and the hub answers in its place")


def _key(path: str) -> str:
    try:
        lines = Path(path).read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        _refuse("key_file", path, str(error))
    if not lines or not lines[0].strip():
        _refuse("key_file", path, "its first line holds no key")
    return lines[0].strip()


def _refuse(key: str, path: str, why: str) -> NoReturn:
    raise ConfigurationError(f"configuration: fleet.{key} = {path!r}: cannot be used: {why}")
