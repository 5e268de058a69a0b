"""`farz harvest`: the pictures that a line kept, listed, given to labellers, and taken back with their labels."""

from pathlib import Path

import click
import msgspec

from sorter.command_table import CommandTable
from training.data.formats import FORMATS as LABEL_FORMATS
from training.harvest.export import FORMATS, ExportReport, ExportRequest, export
from training.harvest.harvest_folder import HarvestSummary, read_harvest, summarise
from training.harvest.import_back import BackReport, BackRequest, import_back
from training.harvest.label_studio_tasks import LOCAL_FILES
from vision.harvest.choice import Reason

COMMANDS: dict[str, tuple[str, str]] = {
    "list": ("training.harvest.harvest_command:list_kept", "What was kept: by day and reason, and by class."),
    "export": ("training.harvest.harvest_command:export_kept", "Pictures with pre-labels for a labelling tool."),
    "import": ("training.harvest.harvest_command:import_labels", "What labellers made of them: a labelled folder."),
}
_PATH = click.Path(path_type=Path)
_NEXT_STEPS = {
    "label-studio": (
        "In Label Studio: new project, labelling_interface.xml as its code; start it with\n"
        "LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT={out}\n"
        "add {out}/images as local storage (without importing its files), then import tasks.json.\n"
        "When labelled, export as JSON and: farz harvest import {out} EXPORT.json --out FOLDER"
    ),
    "cvat": (
        "In CVAT: new task with labels.json as raw labels and the pictures of images/, then upload annotations.xml\n"
        "as 'CVAT 1.1'. When labelled, export as 'CVAT for images 1.1' and:\n"
        "farz harvest import {out} EXPORT.zip --out FOLDER"
    ),
    "yolo": "When labelled: farz harvest import {out} FOLDER_OF_LABELS --format yolo --out FOLDER",
}


@click.group(cls=CommandTable, table=COMMANDS)
def harvest() -> None:
    r"""Pictures that a line kept because they are worth a label.

    A line keeps pictures when its configuration says where:

    \b
    [harvest]
    folder = "/data/harvest"

    It keeps what the network is uncertain of, items whose views disagree, what an operator flags on the page, and a
    random share; never more than `harvest.max_per_shift` and `harvest.max_folder_mib` allow. Only the random share
    estimates how good a model is on the site: export and label it apart (--reason random) to judge a model with.
    """


_reasons = click.option(
    "--reason",
    "reason_names",
    multiple=True,
    type=click.Choice([reason.value for reason in Reason]),
    help="Only what was kept for this reason; may be given more than once.",
)
_since = click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    callback=lambda _context, _option, day: day.date().isoformat() if day else "",
    metavar="DATE",
    help="Only what was kept on this day and later, as 2026-03-04.",
)
_min_probability = click.option(
    "--min-probability",
    type=click.FloatRange(0, 1),
    default=0.3,
    show_default=True,
    help="Least of a pre-label; what a picture was kept for stays.",
)
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.command(name="list")
@click.argument("folder", type=_PATH)
@_reasons
@_since
@_min_probability
@_json
def list_kept(folder: Path, reason_names: tuple[str, ...], since: str, min_probability: float, as_json: bool) -> None:
    """Count what FOLDER holds: pictures by day and reason, pre-labels by class."""
    pictures = read_harvest(folder, [Reason(name) for name in reason_names], since)
    summary = summarise(folder, pictures, min_probability)
    click.echo(msgspec.json.encode(summary).decode() if as_json else summary_table(summary))


@click.command(name="export")
@click.argument("folder", type=_PATH)
@click.option("--format", "format_name", type=click.Choice(list(FORMATS)), required=True, help="For which tool.")
@click.option("--out", type=_PATH, required=True, help="Folder to write; must not be there yet.")
@_reasons
@_since
@_min_probability
@click.option("--address", default=LOCAL_FILES, show_default=True, help="Before each picture's name in tasks.json.")
@click.option("--link", is_flag=True, help="Hard-link pictures instead of copying them, where the file system can.")
@_json
def export_kept(
    folder: Path, format_name: str, out: Path, reason_names: tuple[str, ...], since: str, min_probability: float,
    address: str, link: bool, as_json: bool,
) -> None:  # fmt: skip
    r"""Write the pictures of FOLDER with their pre-labels for a labelling tool, and say what to do there.

    \b
    label-studio  tasks.json (pre-labels as predictions), labelling_interface.xml, images/
    cvat          annotations.xml (CVAT for images 1.1), labels.json, images/
    yolo          images/, labels/, data.yaml

    \b
    farz harvest export /data/harvest --format label-studio --reason random --out /data/to-label
    """
    pictures = read_harvest(folder, [Reason(name) for name in reason_names], since)
    report = export(ExportRequest(pictures, format_name, out, min_probability, address, link))
    click.echo(msgspec.json.encode(report).decode() if as_json else export_text(report))


@click.command(name="import")
@click.argument("exported", type=_PATH)
@click.argument("labels", type=_PATH)
@click.option("--out", type=_PATH, required=True, help="Labelled folder to write; must not be there yet.")
@click.option("--format", "format_name", type=click.Choice(list(LABEL_FORMATS)), help="Found out if left out.")
@click.option("--complete-for", default="", help="Classes labelled exhaustively, by comma; all if left out.")
@click.option("--licence", default="the site's own", show_default=True, help="Of the pictures, for the data sheet.")
@_json
def import_labels(
    exported: Path, labels: Path, out: Path, format_name: str | None, complete_for: str, licence: str, as_json: bool
) -> None:
    r"""Join LABELS from a labelling tool with the pictures in EXPORTED, the folder that the export wrote.

    The labelled folder keeps why each picture was kept (harvest.json) and its capture session (manifest.json), so that
    splits stay free of leaks. Pictures whose labelling is not finished are left out.

    \b
    farz harvest import /data/to-label project-1.json --out /data/site-march
    farz train run --data /data/site-march ...
    """
    names = tuple(name.strip() for name in complete_for.split(",") if name.strip())
    report = import_back(BackRequest(exported, labels, out, format_name, names, licence))
    click.echo(msgspec.json.encode(report).decode() if as_json else import_text(report))


def summary_table(summary: HarvestSummary) -> str:
    """The summary for people."""
    reasons = [reason.value for reason in Reason]
    head = f"{summary.folder}: {summary.picture_count} pictures, {summary.byte_count / 2**20:.1f} MiB"
    columns = f"{'day':12s}" + "".join(f"{reason:>13s}" for reason in reasons) + f"{'all':>8s}"
    days = [
        f"{day:12s}" + "".join(f"{counts.get(reason, 0):13d}" for reason in reasons) + f"{sum(counts.values()):8d}"
        for day, counts in summary.by_day.items()
    ]
    classes = [f"{name:20s}{count:8d}" for name, count in summary.by_class.items()]
    foot = f"{len(summary.sessions)} capture sessions; pre-labels of {', '.join(summary.model_ids)}"
    return "\n".join([head, columns, *days, f"{'class':20s}{'labels':>8s}", *classes, foot])


def export_text(report: ExportReport) -> str:
    """The report for people, and what to do next."""
    reasons = ", ".join(f"{count} {reason}" for reason, count in report.by_reason.items())
    head = f"{report.out}: {report.picture_count} pictures ({reasons}) with {report.pre_label_count} pre-labels"
    return f"{head}\n{_NEXT_STEPS[report.format_name].format(out=Path(report.out).resolve())}"


def import_text(report: BackReport) -> str:
    """The report for people."""
    done = report.imported
    reasons = ", ".join(f"{count} {reason}" for reason, count in report.by_reason.items())
    head = (
        f"{done.out}: {done.picture_count} pictures ({reasons}), {done.label_count} labels, "
        f"{done.session_count} capture sessions, read as {done.format_name}"
    )
    return "\n".join([head, *(f"  left out: {one.place}: {one.why}" for one in done.skipped[:10])])
