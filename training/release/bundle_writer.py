"""Writing model bundles: network, manifest and card in one folder that `sorter.runtime.bundle` accepts."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from sorter.model.materials import class_list_sha256
from sorter.runtime.bundle import (
    MANIFEST_NAME,
    Bundle,
    ClassCalibration,
    Fit,
    Manifest,
    Network,
    OperatingPoint,
    SecondLook,
    file_sha256,
    load_bundle,
)
from sorter.runtime.bundle_trust import signature_path
from training.input_size import InputSize

CARD_NAME = "MODEL_CARD.md"


class Identity(msgspec.Struct, frozen=True):
    """What a bundle is called and may be used for."""

    name: str
    version: str
    licence: str


def write_bundle(
    folder: Path,
    onnx_path: Path,
    identity: Identity,
    class_names: Sequence[str],
    size_px: int | InputSize,
    *,
    mirrored_view: bool = False,
) -> Bundle:
    """Write a bundle without calibration or figures; `with_measurements` adds them.

    Args:
        folder: where; made if missing.
        onnx_path: the network, copied in as <name>.onnx.
        identity: name, version, licence.
        class_names: ordered classes of the network's output.
        size_px: size of its input, or the side of a square one.
        mirrored_view: whether it was exported so.
    """
    folder.mkdir(parents=True, exist_ok=True)
    network_path = folder / f"{identity.name}.onnx"
    if onnx_path.resolve() != network_path.resolve():
        shutil.copyfile(onnx_path, network_path)
    # training stretches every picture to its input, see training.data.datasets
    network = exported_network(network_path, InputSize.of(size_px), "stretch", mirrored_view=mirrored_view)
    manifest = Manifest(
        identity.name, identity.version, identity.licence, tuple(class_names), class_list_sha256(class_names), network
    )
    write_manifest(folder, manifest)
    return load_bundle(folder)


def exported_network(path: Path, size: InputSize, fit: Fit, *, mirrored_view: bool) -> Network:
    """What the manifest says of a network that `training.release.export` wrote."""
    return Network(
        path.name, file_sha256(path), size.width_px, size.height_px, "raw", fit=fit, mirrored_view=mirrored_view
    )


def with_measurements(
    bundle: Bundle,
    calibration: Mapping[str, ClassCalibration],
    curve: Mapping[str, list[OperatingPoint]],
    metrics: Mapping[str, float],
    data_sheet: Sequence[str],
) -> Bundle:
    """The same bundle with what was measured on held-out pictures, written back."""
    manifest = msgspec.structs.replace(
        bundle.manifest,
        calibration=dict(calibration),
        operating_curve=dict(curve),
        metrics=dict(metrics),
        data_sheet=list(data_sheet),
    )
    write_manifest(bundle.folder, manifest)
    return load_bundle(bundle.folder)


def with_second_look(bundle: Bundle, onnx_path: Path, second_look: SecondLook, name: str, version: str) -> Bundle:
    """The same bundle under another name or version, and with a second look, written back.

    Its forms, and what they lose, are the first network's alone: they stay as they are.

    Args:
        bundle: to write into.
        onnx_path: the second network, copied in.
        second_look: what it is; takes the place of another.
        name: of the new bundle.
        version: of the new bundle.
    """
    before = bundle.manifest.second_look
    if before is not None and before.file != second_look.file:
        (bundle.folder / before.file).unlink(missing_ok=True)
    shutil.copyfile(onnx_path, bundle.folder / second_look.file)
    manifest = msgspec.structs.replace(bundle.manifest, name=name, version=version, second_look=second_look)
    write_manifest(bundle.folder, manifest)
    return load_bundle(bundle.folder)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write manifest.json; what was signed before is not signed any more."""
    path = folder / MANIFEST_NAME
    signature_path(path).unlink(missing_ok=True)
    path.write_bytes(manifest_bytes(msgspec.structs.replace(manifest, files={})))


def manifest_bytes(manifest: Manifest) -> bytes:
    """The text of manifest.json, indented for people and for version control."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"
