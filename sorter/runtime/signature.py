"""Signatures in minisign's file format: Ed25519 over the BLAKE2b-512 hash of a file, with a signed comment.

Keys and signatures are exchanged with the `minisign` tool in both directions. Which keys are trusted is for
`bundle_trust` to say; `cryptography` is imported when a signature is made or checked, and no earlier.
Format: https://jedisct1.github.io/minisign/ ("Signature format", "Public key format").
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable

import msgspec

from sorter.errors import SignatureError

PREHASHED = b"ED"
KEY_ALGORITHM = b"Ed"
KEY_ID_LENGTH, POINT_LENGTH, SIGNED_LENGTH = 8, 32, 64
_COMMENT, _TRUSTED_COMMENT = "untrusted comment: ", "trusted comment: "


class PublicKey(msgspec.Struct, frozen=True):
    """The public half of a key: the identifier (8 bytes) that signatures name, and the Ed25519 point (32 bytes)."""

    key_id: bytes
    point: bytes

    @property
    def text(self) -> str:
        """The base64 line that configurations and `minisign -P` take."""
        return _packed(KEY_ALGORITHM, self.key_id, self.point)

    @property
    def name(self) -> str:
        """The identifier as the minisign tool prints it."""
        return key_name(self.key_id)


class Signature(msgspec.Struct, frozen=True):
    """A signature file that has been read: who signed, both signatures (64 bytes each), and the comment they cover."""

    key_id: bytes
    signed: bytes
    trusted_comment: str
    comment_signed: bytes


def key_name(key_id: bytes) -> str:
    """A key's identifier as the minisign tool prints it: a little-endian number in hexadecimal, no zeros before it."""
    return f"{int.from_bytes(key_id, 'little'):X}"


def read_public_key(text: str) -> PublicKey:
    """A public key from its base64 line, or from a minisign.pub file with its comment.

    Raises:
        SignatureError: if it is none.
    """
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith(_COMMENT)]
    packed = unpacked(lines[0] if len(lines) == 1 else "", 2 + KEY_ID_LENGTH + POINT_LENGTH)
    if packed is None or packed[:2] != KEY_ALGORITHM:
        raise SignatureError(f"{text.strip()[:80]!r} is no minisign public key (56 characters that begin with RW)")
    return PublicKey(packed[2 : 2 + KEY_ID_LENGTH], packed[2 + KEY_ID_LENGTH :])


def public_key_file(key: PublicKey) -> str:
    """The text of a minisign.pub file."""
    return f"{_COMMENT}minisign public key {key.name}\n{key.text}\n"


def read_signature(text: str) -> Signature:
    """A .minisig file.

    Raises:
        SignatureError: if it is malformed, or of minisign's old form that does not hash first.
    """
    lines = text.splitlines()
    if len(lines) != 4 or not lines[0].startswith(_COMMENT) or not lines[2].startswith(_TRUSTED_COMMENT):
        raise SignatureError("the signature file is malformed: minisign's has four lines, two of them comments")
    first, second = unpacked(lines[1], 2 + KEY_ID_LENGTH + SIGNED_LENGTH), unpacked(lines[3], SIGNED_LENGTH)
    if first is None or second is None:
        raise SignatureError("the signature file is malformed: its second and fourth line must be base64 signatures")
    if first[:2] != PREHASHED:
        raise SignatureError(
            "the signature is of an unknown form; sign with minisign 0.10 or later, or farz bundle sign"
        )
    key_id, signed = first[2 : 2 + KEY_ID_LENGTH], first[2 + KEY_ID_LENGTH :]
    return Signature(key_id, signed, lines[2].removeprefix(_TRUSTED_COMMENT), second)


def signature_file(signature: Signature, comment: str) -> str:
    """The text of a .minisig file; the first comment is not signed."""
    return "\n".join(
        [
            f"{_COMMENT}{comment}",
            _packed(PREHASHED, signature.key_id, signature.signed),
            f"{_TRUSTED_COMMENT}{signature.trusted_comment}",
            _packed(signature.comment_signed),
            "",
        ]
    )


def verify(data: bytes, signature: Signature, keys: Iterable[PublicKey]) -> PublicKey:
    """Check a signature over data and over its trusted comment; which of the keys made it.

    Raises:
        SignatureError: if none of the keys is the signer's, or data or comment are not what was signed.
    """
    key = next((key for key in keys if key.key_id == signature.key_id), None)
    if key is None:
        raise SignatureError(f"it is signed with the key {key_name(signature.key_id)}, which is not trusted")
    if not _is_signed(key, signature.signed, hashlib.blake2b(data).digest()):
        raise SignatureError("the signature does not fit: what was signed has been changed since")
    if not _is_signed(key, signature.comment_signed, signature.signed + signature.trusted_comment.encode()):
        raise SignatureError("the signature's trusted comment has been changed since it was signed")
    return key


def _is_signed(key: PublicKey, signed: bytes, message: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(key.point).verify(signed, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def unpacked(line: str, length: int) -> bytes | None:
    """The bytes of a base64 line, None unless they are so many and it is their one spelling."""
    try:
        data = base64.b64decode(line.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if len(data) == length and _packed(data) == line.strip() else None


def _packed(*parts: bytes) -> str:
    return base64.b64encode(b"".join(parts)).decode()
