"""`farz train import`: labels of other tools and sets into a labelled folder."""

from pathlib import Path

import click
import msgspec

from sorter.errors import DataFolderError
from training.data.class_option import classes_option
from training.data.formats import FORMATS
from training.data.importing import ImportReport, ImportRequest, import_source

_PATH = click.Path(path_type=Path)
_MOST_SHOWN = 10


@click.command(name="import")
@click.argument("source", type=_PATH)
@click.option("--class-map", type=_PATH, help="TOML: source class → material class; SOURCE/class_map.toml if left out.")
@click.option("--source", "source_name", required=True, help="Name of the source, for manifest and data sheet.")
@click.option("--licence", required=True, help="Licence as the source states it, or 'none stated'.")
@click.option("--out", required=True, type=_PATH, help="Labelled folder to write; must not be there yet.")
@click.option("--format", "format_name", type=click.Choice(list(FORMATS)), help="Label format; found out if left out.")
@click.option("--pictures", type=_PATH, help="Folder of the pictures, if they are not beside the labels.")
@click.option("--link", is_flag=True, help="Hard-link pictures instead of copying them, where the file system can.")
@click.option(
    "--session-pattern", help="Regular expression on a picture's path; its first group is the capture session."
)
@classes_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def import_labels(
    source: Path, class_map: Path | None, source_name: str, licence: str, out: Path, format_name: str | None,
    pictures: Path | None, link: bool, session_pattern: str | None, class_names: tuple[str, ...], as_json: bool,
) -> None:  # fmt: skip
    """Import SOURCE, a folder or a label file, into a labelled folder.

    \b
    Formats:
      coco          JSON with images, categories, annotations; outlines kept where an item has one
      yolo          text files, boxes or outlines; names in data.yaml, classes.txt or obj.names
      voc           an XML file a picture
      label-studio  the JSON export (not JSON-MIN), rectangles and polygons

    \b
    The class map says what each source class is made of, and what the labels name exhaustively:
      complete_for = ["can", "hdpe"]
      [map]
      "tin"   = "can"
      "jug"   = "hdpe"
      "hand"  = "ignore"       # neither an item nor background
      "stain" = "background"   # no item

    Broken pictures and labels that cannot be used are reported and left out; after any other fault nothing is written.
    """  # noqa: D301 - click's mark for lines to leave as they are
    request = ImportRequest(
        source,
        class_map or _map_in(source),
        source_name,
        licence,
        out,
        format_name,
        pictures,
        link,
        session_pattern,
        class_names,
    )
    report = import_source(request)
    click.echo(msgspec.json.encode(report).decode() if as_json else as_text(report))


def as_text(report: ImportReport) -> str:
    """The report for people."""
    head = (
        f"{report.out}: {report.picture_count} pictures, {report.label_count} labels, "
        f"{report.session_count} capture sessions, read as {report.format_name}"
    )
    if not report.skipped:
        return head
    shown = [f"  {one.place}: {one.why}" for one in report.skipped[:_MOST_SHOWN]]
    rest = ["  and others, see manifest.json"] if len(report.skipped) > _MOST_SHOWN else []
    return "\n".join([head, f"left out: {len(report.skipped)} pictures", *shown, *rest])


def _map_in(source: Path) -> Path:
    for folder in (source, source.resolve().parent):
        if (folder / "class_map.toml").is_file():
            return folder / "class_map.toml"
    raise DataFolderError(f"{source}: no class_map.toml in it or in its parent; name one with --class-map")
