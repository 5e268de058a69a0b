"""The keys of who reads figures over the network: made, kept as hashes in one file, revoked; asking is the page's work.

A key is 256 bits from the system's random source, so one round of SHA-256 keeps it: there is no dictionary to try, and
a hash made slow on purpose would cost the line more than a thief.
"""

import enum
import fcntl
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from sorter.errors import ConfigurationError
from sorter.runtime.clock import utc_text
from sorter.runtime.whole_file import write_whole_file

_TOKEN = re.compile(r"farz_(?P<key_id>[0-9a-f]{12})_(?P<secret>[A-Za-z0-9_-]{43})")
_OWNER_ONLY = 0o600
DEFAULT_RATE_PER_MIN = 240
DEFAULT_QUOTA_PER_DAY = 100_000


class Scope(enum.Enum):
    """What a key may do.

    FIGURES: statistics by period, lines, materials, indicators. EVENTS: single items, mode changes and faults. AUDITS:
    read what operators found in samples. AUDIT: enter it. HEALTH: how the line's processes are. FLEET: send a line's
    records to a hub.
    """

    FIGURES = "figures:read"
    EVENTS = "events:read"
    AUDITS = "audits:read"
    AUDIT = "audits:write"
    HEALTH = "health:read"
    FLEET = "fleet:write"


class ApiKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key as it is kept: everything but the key itself.

    Attributes:
        key_id: names the key in lists, logs and the key's own text.
        name: whose it is, for people.
        secret_sha256: hash of the secret half, hexadecimal.
        scopes: what it may do.
        rate_per_min: requests a minute, on average.
        quota_per_day: requests in 24 hours.
        made_at: wall time, UTC.
    """

    key_id: Annotated[str, Meta(pattern="^[0-9a-f]{12}$")]
    name: Annotated[str, Meta(min_length=1, max_length=64)]
    secret_sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    scopes: tuple[Scope, ...]
    rate_per_min: Annotated[int, Meta(ge=1, le=1_000_000)] = DEFAULT_RATE_PER_MIN
    quota_per_day: Annotated[int, Meta(ge=1, le=1_000_000_000)] = DEFAULT_QUOTA_PER_DAY
    made_at: str = ""


def read_api_keys(path: Path) -> tuple[ApiKey, ...]:
    """The keys in a file; none if there is no such file yet.

    Raises:
        ConfigurationError: if it cannot be read, or holds something else.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=tuple[ApiKey, ...])
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigurationError(f"API keys {path} cannot be read: {error}") from error


def make_api_key(
    path: Path,
    name: str,
    scopes: Sequence[Scope],
    rate_per_min: int = DEFAULT_RATE_PER_MIN,
    quota_per_day: int = DEFAULT_QUOTA_PER_DAY,
) -> tuple[ApiKey, str]:
    """Add a key to a file, which is made where there is none.

    Returns:
        The key as it is kept, and its text, which is kept nowhere.

    Raises:
        ConfigurationError: if the file cannot be read or written.
    """
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    key = ApiKey(key_id, name, _sha256(secret), tuple(scopes), rate_per_min, quota_per_day, utc_text())
    with _changing(path):
        _write(path, (*read_api_keys(path), key))
    return key, f"farz_{key_id}_{secret}"


def revoke_api_key(path: Path, key_id: str) -> ApiKey:
    """Take a key out of a file.

    Raises:
        ConfigurationError: if there is no such key, or the file cannot be read or written.
    """
    with _changing(path):
        keys = {key.key_id: key for key in read_api_keys(path)}
        if key_id not in keys:
            raise ConfigurationError(f"KEY_ID = {key_id!r} is not in {path}; farz keys api list {path} shows all")
        revoked = keys.pop(key_id)
        _write(path, tuple(keys.values()))
    return revoked


def key_of(token: str, keys: Sequence[ApiKey]) -> ApiKey | None:
    """The key that a text is the secret of; None if it is nobody's."""
    match = _TOKEN.fullmatch(token)
    if match is None:
        return None
    for key in keys:
        if key.key_id == match["key_id"]:
            return key if hmac.compare_digest(key.secret_sha256, _sha256(match["secret"])) else None
    return None


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _write(path: Path, keys: tuple[ApiKey, ...]) -> None:
    try:
        write_whole_file(path, msgspec.json.format(msgspec.json.encode(keys), indent=2) + b"\n")
    except OSError as error:
        raise ConfigurationError(f"API keys {path} cannot be written: {error}") from error


@contextmanager
def _changing(path: Path) -> Iterator[None]:
    """Two who change the file at once take turns."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(path.with_name(f"{path.name}.lock"), os.O_WRONLY | os.O_CREAT, _OWNER_ONLY)
    except OSError as error:
        raise ConfigurationError(f"API keys {path} cannot be written: {error}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
