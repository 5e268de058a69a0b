"""Writing further forms of a network into its bundle, all at once: until the manifest changes, nothing has changed."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from sorter.runtime.bundle import (
    MANIFEST_NAME,
    Bundle,
    FormFile,
    Manifest,
    NetworkForm,
    file_sha256,
    load_bundle,
)


class MadeForm(msgspec.Struct, frozen=True):
    """A form that is ready: its files, the one to open first in front, and its figures."""

    files: tuple[Path, ...]
    metrics: dict[str, float]


def with_forms(bundle: Bundle, made: Mapping[str, MadeForm], metrics: Mapping[str, float]) -> Bundle:
    """The same bundle with further forms and figures written into it; those of the same name are replaced.

    Files carry the hash of the form in their names, so that new ones never overwrite what the old manifest names.
    """
    network = bundle.manifest.network
    forms = {
        name: NetworkForm(
            network.sha256,
            _copied(bundle, name, one.files),
            network.input_width_px,
            network.input_height_px,
            _rounded(one.metrics),
        )
        for name, one in made.items()
    }
    manifest = msgspec.structs.replace(
        bundle.manifest,
        forms={**bundle.manifest.forms, **forms},
        metrics={**bundle.manifest.metrics, **_rounded(metrics)},
    )
    _replace_manifest(bundle.folder, manifest)
    _remove_unnamed(bundle, manifest)
    return load_bundle(bundle.folder)


def _rounded(metrics: Mapping[str, float]) -> dict[str, float]:
    return {key: round(value, 4) for key, value in metrics.items()}


def _copied(bundle: Bundle, name: str, files: Sequence[Path]) -> tuple[FormFile, ...]:
    # OpenVINO finds the weights by the stem of the graph's file, so all files of a form share one.
    hashes = [file_sha256(path) for path in files]
    stem = f"{bundle.manifest.name}-{name}-{hashes[-1][:8]}"
    for path in files:
        unfinished = bundle.folder / f"{stem}{path.suffix}.part"
        shutil.copyfile(path, unfinished)
        unfinished.replace(bundle.folder / f"{stem}{path.suffix}")
    return tuple(FormFile(f"{stem}{path.suffix}", sha256) for path, sha256 in zip(files, hashes, strict=True))


def _replace_manifest(folder: Path, manifest: Manifest) -> None:
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    unfinished = folder / f"{MANIFEST_NAME}.part"
    unfinished.write_bytes(text + b"\n")
    unfinished.replace(folder / MANIFEST_NAME)


def _remove_unnamed(before: Bundle, manifest: Manifest) -> None:
    """Remove the files of forms that the new manifest no longer names."""
    named = {one.file for one in manifest.network_files}
    for form in before.manifest.forms.values():
        for one in form.files:
            if one.file not in named:
                (before.folder / one.file).unlink(missing_ok=True)
