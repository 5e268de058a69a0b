"""`farz bundle lighten`: a lighter model laid into a bundle, for lines where the bundle's own does not keep up."""

import shutil
from pathlib import Path

import click
import msgspec

from sorter.errors import BundleError
from sorter.runtime.bundle import (
    LIGHTER_FOLDER,
    MANIFEST_NAME,
    Bundle,
    check_files,
    file_sha256,
    load_bundle,
    read_manifest,
)
from sorter.runtime.model_shelf import is_on_shelf
from training.release.bundle_writer import write_manifest

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("bundle", type=_PATH)
@click.argument("lighter", type=_PATH)
def lighten(bundle: Path, lighter: Path) -> None:
    r"""Lay the bundle LIGHTER into the bundle BUNDLE, as the model for lines that BUNDLE is too much for.

    A line with detector.lighter = "auto" times the full model when it starts. If a view takes longer, by a quarter,
    than the belt does to the next one, it runs the lighter model; health, statistics and records say which. Both must
    be for the same classes. The copy in BUNDLE is held by its hash, so one signature covers both: sign BUNDLE again.
    After a change in BUNDLE/lighter itself give that as LIGHTER.

    \b
    farz train export site --size-px 736x416 --one-view --like site --out site-one-view
    farz bundle lighten site site-one-view
    farz bundle sign site --key ~/farz-keys/farz-signing.key
    """
    both = with_lighter(bundle, load_bundle(lighter))
    click.echo(f"{bundle}: {both.model_id} has a lighter model now; it is not signed yet: farz bundle sign")


def with_lighter(folder: Path, lighter: Bundle) -> Bundle:
    """The bundle in a folder with a copy of another laid into it, written back; it takes the place of one before.

    What lies in it already is taken as it is now.

    Raises:
        BundleError: if either cannot be used for that, or the bundle lies on a shelf.
    """
    if is_on_shelf(folder):
        raise BundleError(f"bundle {folder}: bundles on a shelf never change; do it before it is promoted")
    # what lay there before is replaced, so it need not be whole
    manifest = msgspec.structs.replace(read_manifest(folder), lighter_sha256=None)
    check_files(folder, manifest)
    if lighter.manifest.classes != manifest.classes:
        raise BundleError(f"bundle {lighter.folder}: it was made for other classes than {folder}, or in another order")
    if lighter.manifest.lighter_sha256 is not None:
        raise BundleError(f"bundle {lighter.folder}: it has a lighter model itself; give that one")
    if lighter.folder.resolve() == folder.resolve():
        raise BundleError(f"bundle {lighter.folder}: it is the bundle itself; give another")
    place = folder / LIGHTER_FOLDER
    if lighter.folder.resolve() != place.resolve():
        _lay_copy(lighter.folder, place)
    write_manifest(folder, msgspec.structs.replace(manifest, lighter_sha256=file_sha256(place / MANIFEST_NAME)))
    return load_bundle(folder)


def _lay_copy(source: Path, place: Path) -> None:
    part = place.with_name(f"{place.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    for path in source.iterdir():
        if path.is_file():
            shutil.copyfile(path, part / path.name)
    shutil.rmtree(place, ignore_errors=True)
    part.rename(place)
