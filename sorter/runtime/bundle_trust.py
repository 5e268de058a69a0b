"""Whether a bundle may be used: somebody the line trusts has signed its manifest, which holds the hash of every file.

The format of keys and signatures is in `signature`; that the files fit their hashes is for `bundle` to check.
"""

from collections.abc import Iterable
from pathlib import Path

from sorter.errors import BundleError, ConfigurationError, SignatureError
from sorter.model.settings import DetectorSettings
from sorter.runtime.signature import PublicKey, Signature, read_public_key, read_signature, verify

SIGNATURE_SUFFIX = ".minisig"


def require_trusted(manifest_path: Path, settings: DetectorSettings) -> None:
    """Refuse a bundle that no trusted key has signed, unless the settings allow unsigned ones.

    Raises:
        BundleError: saying what is wrong, and the ways out.
        ConfigurationError: if a trusted key is malformed.
    """
    if settings.allow_unsigned:
        return
    try:
        signer_of(manifest_path, trusted_keys(settings))
    except SignatureError as error:
        raise BundleError(
            f"bundle {manifest_path.parent}: {error}; sign it (farz bundle sign) and add its public key to "
            "detector.trusted_keys, or set detector.allow_unsigned = true (--allow-unsigned)"
        ) from error


def trusted_keys(settings: DetectorSettings) -> list[PublicKey]:
    """The keys that the settings trust.

    Raises:
        ConfigurationError: if one is malformed.
    """
    return [_trusted_key(index, text) for index, text in enumerate(settings.trusted_keys)]


def signer_of(manifest_path: Path, keys: Iterable[PublicKey]) -> tuple[PublicKey, Signature]:
    """Which of the keys signed a manifest, and the signature.

    Raises:
        SignatureError: if there is no signature, or none of these keys made it, or the manifest was changed since.
    """
    path = signature_path(manifest_path)
    try:
        text, data = path.read_text(), manifest_path.read_bytes()
    except FileNotFoundError as error:
        raise SignatureError(f"it is not signed: there is no {path.name}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SignatureError(f"its signature cannot be read: {error}") from error
    signature = read_signature(text)
    return verify(data, signature, keys), signature


def signature_path(manifest_path: Path) -> Path:
    """Where the signature of a manifest lies."""
    return manifest_path.with_name(manifest_path.name + SIGNATURE_SUFFIX)


def _trusted_key(index: int, text: str) -> PublicKey:
    try:
        return read_public_key(text)
    except SignatureError as error:
        raise ConfigurationError(f"configuration: detector.trusted_keys[{index}]: {error}") from error
