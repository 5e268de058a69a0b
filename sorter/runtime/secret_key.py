"""The secret half of a signing key: made, kept in minisign's key file, open or under a password, and signing with it.

Needed where bundles are released, never on the line; checking is in `signature`.
"""

import base64
import hashlib
import secrets
from typing import NoReturn

import msgspec

from sorter.errors import SignatureError
from sorter.runtime.signature import KEY_ALGORITHM, KEY_ID_LENGTH, POINT_LENGTH, PublicKey, Signature, unpacked

_CHECKSUM_ALGORITHM, _SCRYPT, _OPEN = b"B2", b"Sc", b"\0\0"
_SALT_LENGTH, _CHECKSUM_LENGTH = 32, 32
_BODY_LENGTH = KEY_ID_LENGTH + 2 * POINT_LENGTH + _CHECKSUM_LENGTH
_HEAD_LENGTH = 6 + _SALT_LENGTH + 16
# libsodium's "sensitive" limits, which the minisign tool uses: a gigabyte and a few seconds for each guess
SENSITIVE_OPERATIONS, SENSITIVE_MEMORY_BYTES = 2**25, 2**30
_COMMENT = "untrusted comment: minisign encrypted secret key"


class SecretKey(msgspec.Struct, frozen=True):
    """Identifier (8 bytes), seed (32 bytes) and public point (32 bytes) of an Ed25519 key."""

    key_id: bytes
    seed: bytes
    point: bytes

    @property
    def public(self) -> PublicKey:
        """What others check signatures with."""
        return PublicKey(self.key_id, self.point)

    def __repr__(self) -> str:
        """Without the secret, so that it cannot slip into a log."""
        return f"SecretKey({self.public.name})"


class _ScryptLimits(msgspec.Struct, frozen=True):
    """What a password guess costs, as libsodium states it."""

    operations: int
    memory_bytes: int


def new_secret_key() -> SecretKey:
    """A fresh key from the system's random source."""
    seed = secrets.token_bytes(POINT_LENGTH)
    return SecretKey(secrets.token_bytes(KEY_ID_LENGTH), seed, _point(seed))


def sign(data: bytes, key: SecretKey, trusted_comment: str) -> Signature:
    """Sign the hash of data, and then signature and comment together.

    Args:
        data: what is signed.
        key: whose signature it is.
        trusted_comment: one line that the signature covers.
    """
    signed = _signed(key, hashlib.blake2b(data).digest())
    return Signature(key.key_id, signed, trusted_comment, _signed(key, signed + trusted_comment.encode()))


def secret_key_file(
    key: SecretKey,
    password: str | None = None,
    operations: int = SENSITIVE_OPERATIONS,
    memory_bytes: int = SENSITIVE_MEMORY_BYTES,
) -> str:
    """The text of a minisign.key file; without a password its secret is open to whoever reads the file."""
    body = key.key_id + key.seed + key.point
    if password is None:
        head = KEY_ALGORITHM + _OPEN + _CHECKSUM_ALGORITHM + bytes(_SALT_LENGTH + 16)
        return _file(head + body + bytes(_CHECKSUM_LENGTH))
    salt, limits = secrets.token_bytes(_SALT_LENGTH), _ScryptLimits(operations, memory_bytes)
    head = KEY_ALGORITHM + _SCRYPT + _CHECKSUM_ALGORITHM + salt + _little(operations) + _little(memory_bytes)
    return _file(head + _masked(body + _checksum(body), password, salt, limits))


def is_under_password(text: str) -> bool:
    """Whether a minisign.key file needs a password to be read."""
    return _content(text)[2:4] == _SCRYPT


def read_secret_key(text: str, password: str | None = None) -> SecretKey:
    """A minisign.key file.

    Raises:
        SignatureError: if it is none, or the password is missing or wrong.
    """
    content = _content(text)
    head, body = content[:_HEAD_LENGTH], content[_HEAD_LENGTH:]
    if head[2:4] == _SCRYPT:
        body = _unlocked(head, body, password)
    key = SecretKey(body[:8], body[8:40], body[40:72])
    if _point(key.seed) != key.point:
        _refuse("its two halves do not belong together")
    return key


def _content(text: str) -> bytes:
    lines = [line for line in text.splitlines() if line.strip()]
    content = unpacked(lines[1], _HEAD_LENGTH + _BODY_LENGTH) if len(lines) == 2 else None
    if content is None or content[:2] != KEY_ALGORITHM or content[2:4] not in {_OPEN, _SCRYPT}:
        _refuse("it is no minisign secret key")
    return content


def _unlocked(head: bytes, body: bytes, password: str | None) -> bytes:
    if password is None:
        _refuse("it needs its password")
    salt, numbers = head[6 : 6 + _SALT_LENGTH], head[6 + _SALT_LENGTH :]
    limits = _ScryptLimits(int.from_bytes(numbers[:8], "little"), int.from_bytes(numbers[8:], "little"))
    opened = _masked(body, password, salt, limits)
    if _checksum(opened[:-_CHECKSUM_LENGTH]) != opened[-_CHECKSUM_LENGTH:]:
        _refuse("the password is wrong")
    return opened


def _masked(body: bytes, password: str, salt: bytes, limits: _ScryptLimits) -> bytes:
    """Exclusive or with the scrypt stream of a password: locks and unlocks alike."""
    n, r, p = _scrypt_parameters(limits)
    stream = hashlib.scrypt(
        password.encode(), salt=salt, n=n, r=r, p=p, maxmem=128 * r * (n + p + 2) + 2**20, dklen=len(body)
    )
    return bytes(left ^ right for left, right in zip(body, stream, strict=True))


def _scrypt_parameters(limits: _ScryptLimits) -> tuple[int, int, int]:
    """N, r, p as libsodium derives them from its limits (crypto_pwhash_scryptsalsa208sha256)."""
    if limits.memory_bytes > 2 * SENSITIVE_MEMORY_BYTES:
        _refuse("its password would take more than two gigabytes of memory to check")
    operations, r = max(limits.operations, 2**15), 8
    is_short_of_operations = operations < limits.memory_bytes // 32
    most_n = operations // (4 * r) if is_short_of_operations else limits.memory_bytes // (128 * r)
    n = 2
    while n <= most_n // 2:
        n *= 2
    return n, r, 1 if is_short_of_operations else max(1, min(operations // 4 // n, 2**30 - 1) // r)


def _checksum(body: bytes) -> bytes:
    return hashlib.blake2b(KEY_ALGORITHM + body, digest_size=_CHECKSUM_LENGTH).digest()


def _little(number: int) -> bytes:
    return number.to_bytes(8, "little")


def _file(content: bytes) -> str:
    return f"{_COMMENT}\n{base64.b64encode(content).decode()}\n"


def _refuse(reason: str) -> NoReturn:
    raise SignatureError(f"the key file cannot be used: {reason}")


def _point(seed: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def _signed(key: SecretKey, message: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(key.seed).sign(message)
