"""`farz bundle`: the table of commands about model bundles, and those that only look at them."""

import json
from pathlib import Path
from typing import Any

import click
import msgspec

from sorter.command_table import CommandTable
from sorter.errors import BundleError, SignatureError
from sorter.runtime.bundle import MANIFEST_NAME, Bundle, default_bundle_folder, lighter_of, load_bundle
from sorter.runtime.bundle_trust import signer_of, trusted_keys
from sorter.runtime.configuration import load_settings
from sorter.runtime.signature import PublicKey, read_public_key

COMMANDS: dict[str, tuple[str, str]] = {
    "show": ("sorter.bundle_command:show", "What a bundle holds, and who signed it."),
    "verify": ("sorter.bundle_command:verify", "Check that a bundle is whole and that somebody trusted signed it."),
    "key": ("training.release.sign_command:make_key", "Make a key pair for signing bundles."),
    "sign": ("training.release.sign_command:sign_bundle", "Sign a bundle."),
    "lighten": (
        "training.release.lighten_command:lighten",
        "Lay a lighter model into a bundle, for lines that it is too much for.",
    ),
    "promote": (
        "training.release.promote_command:promote",
        "Make a bundle the champion of a shelf, if it is no worse than the champion there.",
    ),
    "rollback": ("sorter.shelf_command:rollback", "Go back to the champion before this one."),
    "list": ("sorter.shelf_command:list_shelf", "The bundles of a shelf, and which is in use."),
}


@click.group(cls=CommandTable, table=COMMANDS)
def bundle() -> None:
    r"""Model bundles: look at them, sign them, promote them to a line, and take them back.

    A line refuses a bundle that nobody it trusts has signed. A line whose detector.model names a shelf takes up the
    shelf's champion by itself, while it runs.

    \b
    farz bundle key --out ~/farz-keys
    farz bundle sign my-model --key ~/farz-keys/farz-signing.key
    farz bundle promote my-model --shelf /var/lib/farz/models --data site-set --config line.toml
    farz bundle rollback --shelf /var/lib/farz/models
    """


@click.command()
@click.argument("folder", metavar="BUNDLE", required=False, type=click.Path(path_type=Path))
@click.option("--config", type=click.Path(path_type=Path), help="Line configuration whose trusted keys count.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show(folder: Path | None, config: Path | None, as_json: bool) -> None:
    """Say what the bundle in a folder holds, and who signed it; without one, the shipped bundle."""
    opened = load_bundle(folder or default_bundle_folder())
    known = trusted_keys(load_settings(config).detector)
    report = bundle_report(opened, known)
    click.echo(json.dumps(report, indent=2) if as_json else _table(report))


@click.command()
@click.argument("folder", metavar="BUNDLE", type=click.Path(path_type=Path))
@click.option("--key", type=click.Path(path_type=Path), help="Public key file; without one, the line's trusted keys.")
@click.option("--config", type=click.Path(path_type=Path), help="Line configuration whose trusted keys count.")
def verify(folder: Path, key: Path | None, config: Path | None) -> None:
    """Check that every file of a bundle is as it was signed, by a trusted key. Exit code 0: it is; 2: it is not."""
    opened = load_bundle(folder)
    keys = trusted_keys(load_settings(config).detector) if key is None else [_read_public_key_file(key)]
    try:
        signer, signature = signer_of(opened.folder / MANIFEST_NAME, keys)
    except SignatureError as error:
        raise BundleError(f"bundle {folder}: {error}") from error
    click.echo(f"{folder}: {opened.model_id} is whole, signed with the key {signer.name} ({signature.trusted_comment})")


def bundle_report(opened: Bundle, known: list[PublicKey]) -> dict[str, Any]:
    """What a bundle is, as plain values for JSON."""
    manifest, lighter = opened.manifest, lighter_of(opened)
    return {
        "model_id": opened.model_id,
        "lighter_model_id": None if lighter is None else lighter.model_id,
        "folder": str(opened.folder),
        "licence": manifest.licence,
        "classes": list(manifest.classes),
        "classes_sha256": manifest.classes_sha256,
        "input_px": [manifest.network.input_width_px, manifest.network.input_height_px],
        "fit": manifest.network.fit,
        "mirrored_view": manifest.network.mirrored_view,
        "forms": list(manifest.forms),
        "second_look": msgspec.to_builtins(manifest.second_look),
        "calibrated_classes": list(manifest.calibration),
        "metrics": msgspec.to_builtins(manifest.metrics),
        "data_sheet": list(manifest.data_sheet),
        **_signed_by(opened, known),
    }


def _signed_by(opened: Bundle, known: list[PublicKey]) -> dict[str, Any]:
    try:
        signer, signature = signer_of(opened.folder / MANIFEST_NAME, known)
    except SignatureError as error:
        return {"is_trusted": False, "signature": str(error)}
    return {"is_trusted": True, "signature": f"signed with the trusted key {signer.name} ({signature.trusted_comment})"}


def _views_shown(mirrored_view: bool) -> str:
    return "seen as it is and mirrored" if mirrored_view else "seen once"


def _table(report: dict[str, Any]) -> str:
    shown = {
        "model": report["model_id"],
        **({} if report["lighter_model_id"] is None else {"lighter model": report["lighter_model_id"]}),
        "folder": report["folder"],
        "signature": report["signature"],
        "licence": report["licence"],
        "classes": ", ".join(report["classes"]) + f" ({report['classes_sha256'][:8]})",
        "input": "×".join(str(side) for side in report["input_px"]) + f" px, {_views_shown(report['mirrored_view'])}",
        "forms": ", ".join(["float32", *report["forms"]]),
        **_second_look_shown(report["second_look"]),
        "calibrated": f"{len(report['calibrated_classes'])} of {len(report['classes'])} classes",
        **{name: f"{value:g}" for name, value in report["metrics"].items()},
    }
    width = max(len(name) for name in shown) + 2
    return "\n".join(f"{name:<{width}}{value}" for name, value in shown.items())


def _second_look_shown(second_look: dict[str, Any] | None) -> dict[str, str]:
    if second_look is None:
        return {}
    side_px, ratios = second_look["side_px"], [name for name in second_look if name.endswith("_ratio")]
    words = [f"{name.removesuffix('_ratio').replace('_', ' ')} {second_look[name]:g}" for name in ratios]
    return {"second look": ", ".join([f"{side_px}×{side_px} px", *words])}


def _read_public_key_file(path: Path) -> PublicKey:
    try:
        return read_public_key(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise SignatureError(f"key file {path} cannot be read: {error}") from error
