"""`farz train export`: a trained network as ONNX at any size, alone or as a whole bundle."""

import shutil
from pathlib import Path
from typing import Any

import click
import msgspec

from sorter.errors import BadInputError
from sorter.runtime.bundle import MANIFEST_NAME, Bundle, file_sha256, load_bundle
from training.input_size import InputSize, read_size
from training.release.bundle_writer import CARD_NAME, exported_network, write_manifest
from training.release.model_card import write_card

_PATH = click.Path(path_type=Path)


@click.command(name="export")
@click.argument("trained", metavar="RUN|CHECKPOINT|BUNDLE", type=_PATH)
@click.option("--size-px", required=True, help="Input: a side (512), or width and height (640x384); multiples of 32.")
@click.option(
    "--out", type=_PATH, help="ONNX file to write, or with --like the bundle folder; beside the run if left out."
)
@click.option("--like", type=_PATH, help="Bundle whose name, classes and calibration the new bundle takes over.")
@click.option(
    "--mirrored-view/--one-view",
    "mirrored_view",
    default=False,
    show_default=True,
    help="Whether the network sees each picture mirrored too and gives the mean: surer, for twice the work.",
)
@click.option(
    "--architecture",
    default="yolov5n.yaml",
    show_default=True,
    help="Ultralytics' configuration of a bundle's network; a run knows its own.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def export(
    trained: Path, size_px: str, out: Path | None, like: Path | None, mirrored_view: bool, architecture: str,
    as_json: bool,
) -> None:  # fmt: skip
    r"""Write the network of a training run, or of a bundle, as ONNX for pictures of one size.

    The graph takes the camera's own uint8 BGR pixels and does the scaling itself. Before the file gets its name, ONNX
    Runtime and OpenVINO, both in true float32, must give what torch gives. A belt that is wider than long is read
    faster at its own aspect: 640x384 has three quarters of the pixels of 576x576.

    With --like a whole bundle is written, ready for a line. Its figures are left out: measure it, farz eval. What the
    card of a bundle says of its training goes with the network.

    \b
    farz train export runs/site --size-px 512
    farz train export runs/site/checkpoint.pt --size-px 640x384 --out wide.onnx
    farz train export runs/site --size-px 640x384 --like models/site --out models/site-wide
    farz train export models/site --size-px 640x384 --mirrored-view --like models/site --out models/site-mirrored
    """
    # torch takes seconds to load; the help does not need it.
    from training.release.export import class_count_of, export_onnx

    size = read_size(size_px)
    pattern = None if like is None else load_bundle(like)
    network = _trained_network(trained, architecture)
    if pattern is not None and class_count_of(network) != len(pattern.manifest.classes):
        raise BadInputError(
            f"--like {like}: that bundle has {len(pattern.manifest.classes)} classes, the network of "
            f"{trained} has {class_count_of(network)}"
        )
    path = _target(trained, out, size, pattern)
    differences = export_onnx(network, path, size, mirrored_view=mirrored_view)
    if pattern is not None:
        written = write_like(pattern, path, size, mirrored_view=mirrored_view)
        _take_card_over(trained, written)
    report: dict[str, Any] = {
        "file": str(path),
        "sha256": file_sha256(path),
        "input_width_px": size.width_px,
        "input_height_px": size.height_px,
        "mirrored_view": mirrored_view,
        "byte_count": path.stat().st_size,
        "largest_difference_from_torch": differences,
    }
    click.echo(msgspec.json.encode(report).decode() if as_json else _sentence(report))


def write_like(pattern: Bundle, network_path: Path, size: InputSize, *, mirrored_view: bool = False) -> Bundle:
    """Make the folder of an exported network a bundle with the classes, calibration, fit and second look of another.

    Figures, further forms and a lighter model belong to the other network and are left out.
    """
    fit = pattern.manifest.network.fit
    network = exported_network(network_path, size, fit, mirrored_view=mirrored_view)
    folder = network_path.parent
    manifest = msgspec.structs.replace(
        pattern.manifest,
        name=folder.name,
        network=network,
        metrics={},
        operating_curve={},
        forms={},
        lighter_sha256=None,
    )
    if manifest.second_look is not None:
        shutil.copyfile(pattern.folder / manifest.second_look.file, folder / manifest.second_look.file)
    write_manifest(folder, manifest)
    return load_bundle(folder)


def _trained_network(trained: Path, architecture: str) -> Any:
    from training.fitting.bundle_weights import network_of
    from training.release.export import trained_network

    if (trained / MANIFEST_NAME).is_file():
        return network_of(load_bundle(trained), architecture)
    return trained_network(trained)


def _take_card_over(trained: Path, bundle: Bundle) -> None:
    card = trained / CARD_NAME
    if card.is_file():
        shutil.copyfile(card, bundle.folder / CARD_NAME)
        write_card(bundle, None)


def _target(trained: Path, out: Path | None, size: InputSize, pattern: Bundle | None) -> Path:
    folder = trained if trained.is_dir() else trained.parent
    if pattern is None:
        return out or folder / f"network-{size.width_px}x{size.height_px}.onnx"
    if out is None or out.resolve() == pattern.folder.resolve():
        raise BadInputError("--like: give the new bundle a folder of its own with --out")
    return out / f"{out.name}.onnx"


def _sentence(report: dict[str, Any]) -> str:
    differences = report["largest_difference_from_torch"]
    return (
        f"{report['file']}: {report['input_width_px']}x{report['input_height_px']} px, "
        f"{report['byte_count'] / 1e6:.1f} MB; ONNX Runtime and OpenVINO (f32) differ from torch by at most "
        f"{differences['box_px']:.4f} px and {differences['score']:.6f} in score"
    )
