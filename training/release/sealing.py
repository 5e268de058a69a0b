"""Sealing a bundle: its manifest takes up the hash of every file, and the manifest is signed.

Nothing in the bundle can change afterwards without the line noticing; whoever changes it seals it again.
"""

from pathlib import Path

import msgspec

from sorter.errors import BundleError
from sorter.runtime.bundle import MANIFEST_NAME, Bundle, Manifest, check_files, file_sha256, read_manifest
from sorter.runtime.bundle_trust import signature_path
from sorter.runtime.model_shelf import is_on_shelf
from sorter.runtime.secret_key import SecretKey, sign
from sorter.runtime.signature import signature_file
from training.release.bundle_writer import manifest_bytes

_PART_SUFFIX = ".part"


def seal(folder: Path, key: SecretKey) -> Bundle:
    """Sign a bundle as it lies there.

    Raises:
        BundleError: if it cannot be read, its networks are not what its manifest says, or it lies on a shelf.
    """
    if is_on_shelf(folder):
        raise BundleError(f"bundle {folder}: bundles on a shelf never change; sign it before it is promoted")
    manifest = read_manifest(folder)
    sealed = msgspec.structs.replace(manifest, files=_further_files(folder, manifest))
    check_files(folder, sealed)
    bundle, data = Bundle(folder, sealed), manifest_bytes(sealed)
    signature = sign(data, key, f"farz bundle {bundle.model_id}")
    path = folder / MANIFEST_NAME
    # a manifest without a signature is refused; one with another's must not be left behind
    signature_path(path).unlink(missing_ok=True)
    _replace(path, data)
    _replace(signature_path(path), signature_file(signature, f"signature of farz bundle {bundle.model_id}").encode())
    return bundle


def _further_files(folder: Path, manifest: Manifest) -> dict[str, str]:
    """Hashes of all files that the manifest does not name elsewhere."""
    path = folder / MANIFEST_NAME
    named = {path.name, signature_path(path).name, *(one.file for one in manifest.network_files)}
    further = [file for file in sorted(folder.iterdir()) if file.is_file() and file.suffix != _PART_SUFFIX]
    return {file.name: file_sha256(file) for file in further if file.name not in named}


def _replace(path: Path, data: bytes) -> None:
    part = path.with_name(path.name + _PART_SUFFIX)
    part.write_bytes(data)
    part.replace(path)
