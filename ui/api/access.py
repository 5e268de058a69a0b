"""Who asks and what they may: a key in the Authorization header, or what the configuration makes public."""

import logging
import threading
from http import HTTPStatus
from pathlib import Path

import msgspec
from werkzeug.wrappers import Request

from sorter.errors import ConfigurationError
from sorter.model.settings import ApiSettings
from sorter.runtime.api_keys import ApiKey, Scope, key_of, read_api_keys
from ui.api.problem import ProblemError
from ui.api.rates import Allowance

_REREAD_NS = 1_000_000_000
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="farz"'}


class Caller(msgspec.Struct, frozen=True):
    """Who asks: a name for counting, what they may do, and how much."""

    name: str
    scopes: frozenset[Scope]
    allowance: Allowance


class KeyRing:
    """The keys of a file, read again when the file changes; a file that cannot be read opens nothing."""

    def __init__(self, keys_file: str) -> None:
        self._path = Path(keys_file) if keys_file else None
        self._turn = threading.Lock()
        self._due_ns: int | None = None
        self._stamp: tuple[int, int, int] | None = None
        self._keys: tuple[ApiKey, ...] = ()
        self._is_told = False

    def keys(self, now_ns: int) -> tuple[ApiKey, ...]:
        """All keys, at most a second old."""
        with self._turn:
            if self._path is not None and (self._due_ns is None or now_ns >= self._due_ns):
                self._due_ns = now_ns + _REREAD_NS
                self._read(self._path)
            return self._keys

    def _read(self, path: Path) -> None:
        try:
            stamp = _stamp(path)
            if stamp != self._stamp:
                self._keys = read_api_keys(path)
                self._stamp = stamp
        except FileNotFoundError:
            self._keys, self._stamp = (), None
        except (OSError, ConfigurationError) as error:
            self._keys, self._stamp = (), None
            if not self._is_told:
                logging.getLogger("ui").warning("nobody's API key is taken: %s", error)
            self._is_told = True
        else:
            self._is_told = False


def caller_of(request: Request, ring: KeyRing, settings: ApiSettings, now_ns: int) -> Caller:
    """Who a request comes from.

    Raises:
        ProblemError: 401 if it shows something that is no key.
    """
    shown = request.headers.get("Authorization")
    if shown is None:
        public = frozenset(Scope(scope) for scope in settings.public_scopes)
        return Caller(f"address {request.remote_addr}", public, Allowance(settings.public_rate_per_min))
    scheme, _, token = shown.partition(" ")
    key = key_of(token.strip(), ring.keys(now_ns)) if scheme.lower() == "bearer" else None
    if key is None:
        raise ProblemError(HTTPStatus.UNAUTHORIZED, "the key is not known here, or was revoked", _CHALLENGE)
    return Caller(f"key {key.key_id}", frozenset(key.scopes), Allowance(key.rate_per_min, key.quota_per_day))


def institution_count(settings: ApiSettings) -> int:
    """Who holds a key to read figures: different names of keys that may; a file that cannot be read names nobody."""
    try:
        keys = read_api_keys(Path(settings.keys_file)) if settings.keys_file else ()
    except ConfigurationError:
        return 0
    return len({key.name for key in keys if Scope.FIGURES in key.scopes})


def require(caller: Caller, scope: Scope | None) -> None:
    """Let a caller pass who has a scope; None is for everybody.

    Raises:
        ProblemError: 401 for who showed no key, 403 for who showed one without the scope.
    """
    if scope is None or scope in caller.scopes:
        return
    if caller.name.startswith("key "):
        raise ProblemError(HTTPStatus.FORBIDDEN, f"this key lacks the scope {scope.value}")
    raise ProblemError(
        HTTPStatus.UNAUTHORIZED,
        f"this needs a key with the scope {scope.value} as 'Authorization: Bearer …'; farz keys api makes one",
        _CHALLENGE,
    )


def _stamp(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_ino, status.st_mtime_ns, status.st_size
