"""`farz train split`: one labelled folder into parts that have no capture session in common."""

from pathlib import Path

import click
import msgspec

from sorter.errors import DataFolderError
from training.data.class_option import classes_option
from training.data.splitting import SplitReport, SplitRequest, split_folder

_PATH = click.Path(path_type=Path)
_FAR_OFF_RATIO = 0.05


def _shares(_context: click.Context, _option: click.Parameter, text: str) -> dict[str, float]:
    shares: dict[str, float] = {}
    for part in text.split(","):
        name, _, share = part.strip().partition("=")
        try:
            shares[name] = float(share)
        except ValueError as error:
            raise DataFolderError(f"--shares: {part!r} is not as in train=0.7") from error
    return shares


@click.command(name="split")
@click.argument("folder", type=_PATH)
@click.option("--out", required=True, type=_PATH, help="Folder to write the parts into; must not be there yet.")
@click.option("--shares", default="train=0.7,val=0.15,test=0.15", show_default=True, callback=_shares)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--link", is_flag=True, help="Hard-link pictures instead of copying them, where the file system can.")
@click.option(
    "--session-pattern", help="Regular expression on a picture's path; its first group is the capture session."
)
@classes_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def split(
    folder: Path, out: Path, shares: dict[str, float], seed: int, link: bool, session_pattern: str | None,
    class_names: tuple[str, ...], as_json: bool,
) -> None:  # fmt: skip
    """Part a labelled FOLDER by capture session, with pictures and classes as balanced as the sessions allow.

    A session is never in two parts, nor are pictures that look the same: they pull their sessions together. What
    tells a session: --session-pattern, the manifest, the time in the name, the camera's time stamp; where nothing
    does, ten neighbours by name count as one. Labels are never changed, broken pictures are left out and reported.
    """
    report = split_folder(SplitRequest(folder, out, shares, seed, link, session_pattern, class_names))
    click.echo(msgspec.json.encode(report).decode() if as_json else as_table(report))


def as_table(report: SplitReport) -> str:
    """The report for people."""
    total = sum(part.picture_count for part in report.parts.values())
    names = dict.fromkeys(name for part in report.parts.values() for name in part.label_counts)
    parts = report.parts.values()
    rows = [
        _row("", list(report.parts)),
        _row("pictures", [f"{part.picture_count}" for part in parts]),
        _row("share", [f"{part.picture_count / total:.1%}" for part in parts]),
        _row("share wanted", [f"{part.wanted_ratio:.1%}" for part in parts]),
        _row("sessions", [f"{part.session_count}" for part in parts]),
        *(_row(f"{name} labels", [f"{part.label_counts.get(name, 0)}" for part in parts]) for name in names),
    ]
    return "\n".join([*rows, *_remarks(report)])


def _row(title: str, cells: list[str]) -> str:
    return f"{title:24s}" + "".join(f"{cell:>10s}" for cell in cells)


def _remarks(report: SplitReport) -> list[str]:
    total = sum(part.picture_count for part in report.parts.values())
    remarks = [f"{report.group_count} groups stay together; {report.near_pair_count} pairs of pictures look the same"]
    if report.neighbour_session_count:
        remarks.append(
            f"{report.neighbour_session_count} sessions are ten neighbours by name each, for want of a time: "
            "sessions may touch; --session-pattern can tell more, and '.*' makes each picture its own session"
        )
    if any(abs(part.picture_count / total - part.wanted_ratio) > _FAR_OFF_RATIO for part in report.parts.values()):
        remarks.append(f"shares are far off: the largest group alone is {report.largest_group_count} pictures")
    remarks += [f"left out {one.place}: {one.why}" for one in report.skipped]
    return remarks
