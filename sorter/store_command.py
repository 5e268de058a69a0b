"""`farz store`: look at a line's store, take figures from it, check it, copy it while the line runs."""

import json
import re
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import click
import msgspec

from sorter.bulletin_table import bulletin_table
from sorter.command_table import CommandTable
from sorter.errors import ConfigurationError
from sorter.figures.bulletin import all_figures
from sorter.model.rollups import Period, Resolution
from sorter.runtime.clock import wall_ms
from sorter.runtime.configuration import load_settings
from sorter.store.check import CheckReport, check_store
from sorter.store.place import store_path
from sorter.store.protocol import StoreSpan
from sorter.store.reading import period_record
from sorter.store.restoring import restore_store
from sorter.store.sqlite_reader import SqliteReader

COMMANDS: dict[str, tuple[str, str]] = {
    "info": ("sorter.store_command:info", "Where the store is, and what it holds."),
    "check": ("sorter.store_command:check", "Check that the file is whole and that sums are those of the events."),
    "figures": ("sorter.store_command:figures", "Figures of the last hours or days, with intervals and coverage."),
    "backup": ("sorter.store_command:backup", "Copy the store into a file, while the line runs."),
    "restore": ("sorter.store_command:restore", "Put a backup in the store's place, while the line does not run."),
}
_NOT_WHOLE_EXIT_CODE = 1
_MS_PER_UNIT = {"min": Resolution.MINUTE.value, "h": Resolution.HOUR.value, "d": Resolution.DAY.value}
_ALL_TIME = Period(0, 2**62)
_config_option = click.option(
    "--config", type=click.Path(path_type=Path), help="Line configuration (TOML) that says where the store is."
)
_file_option = click.option("--file", "path", type=click.Path(path_type=Path), help="The store's file itself.")


@click.group(cls=CommandTable, table=COMMANDS)
def store() -> None:
    r"""The line's store: what it holds, whether it is whole, and copies of it.

    All of it but restoring may be done while the line runs.

    \b
    farz store info
    farz store figures --last 8h
    farz store check --config line.toml
    farz store backup /media/stick/north.sqlite --config line.toml
    """


@click.command()
@_config_option
@_file_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def info(config: Path | None, path: Path | None, as_json: bool) -> None:
    """Say where the store is, since when it has data, and how much."""
    reader = _opened(config, path)
    span, totals = reader.span(), reader.totals(_ALL_TIME)
    report: dict[str, Any] = {
        "file": str(reader.path),
        "schema_version": span.schema_version,
        "size_mib": round(reader.path.stat().st_size / 2**20, 1),
        "devices": list(span.devices),
        **_times(span, reader.forgotten_before_ms()),
        "item_count": sum(sums.item_count for sums in totals.items.values()),
    }
    reader.close()
    click.echo(json.dumps(report, indent=2) if as_json else "\n".join(f"{key:<18}{report[key]}" for key in report))


@click.command()
@_config_option
@_file_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def check(config: Path | None, path: Path | None, as_json: bool) -> None:
    """Check the file's structure, and every sum against the events that are kept. Exit code 1: something is wrong."""
    reader = _opened(config, path)
    report = check_store(reader, _show_progress)
    reader.close()
    if as_json:
        found = {"is_whole": report.is_whole, "event_count": report.event_count, "faults": list(report.faults)}
        click.echo(json.dumps(found, indent=2))
    else:
        click.echo(_check_text(report))
    if not report.is_whole:
        sys.exit(_NOT_WHOLE_EXIT_CODE)


@click.command()
@click.option("--last", default="24h", show_default=True, help="Of so long before now: 8h, 30d, 90min.")
@_config_option
@_file_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def figures(last: str, config: Path | None, path: Path | None, as_json: bool) -> None:
    """Print the figures of a period that ends now: each with its interval, and the share of the period with data."""
    to_ms = wall_ms()
    period = Period(to_ms - _duration_ms(last), to_ms)
    reader = _opened(config, path)
    found = all_figures(period_record(reader, period), load_settings(config).figures)
    reader.close()
    if as_json:
        report = {"from_ms": period.from_ms, "to_ms": to_ms, "figures": msgspec.to_builtins(found)}
        click.echo(json.dumps(report, indent=2))
    else:
        click.echo(bulletin_table(found))


@click.command()
@click.argument("destination", metavar="FILE", type=click.Path(path_type=Path))
@_config_option
@_file_option
def backup(destination: Path, config: Path | None, path: Path | None) -> None:
    """Copy the store, as it is at one moment, into a new FILE, and check the copy."""
    reader = _opened(config, path)
    reader.copy_to(destination)
    reader.close()
    copy = SqliteReader(destination)
    report = check_store(copy, _show_progress)
    copy.close()
    click.echo(f"{destination}: {_check_text(report)}")
    if not report.is_whole:
        sys.exit(_NOT_WHOLE_EXIT_CODE)


@click.command()
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path))
@_config_option
@_file_option
def restore(source: Path, config: Path | None, path: Path | None) -> None:
    """Put a copy of the backup FILE in the store's place; what was there is kept beside it."""
    target = path or store_path(load_settings(config))
    replaced = restore_store(source, target)
    click.echo(f"{target} is the store of {source} now" + (f"; what was there is {replaced}" if replaced else ""))


def _opened(config: Path | None, path: Path | None) -> SqliteReader:
    return SqliteReader(path or store_path(load_settings(config)))


def _duration_ms(text: str) -> int:
    match = re.fullmatch(r"(\d{1,5})(min|h|d)", text)
    if match is None or int(match[1]) == 0:
        raise ConfigurationError(f"--last {text!r}: a duration above zero, such as 8h, 30d or 90min")
    return int(match[1]) * _MS_PER_UNIT[match[2]]


def _times(span: StoreSpan, forgotten_before_ms: int) -> dict[str, str | None]:
    return {
        "first": _utc(span.first_ms),
        "last": _utc(span.last_ms),
        "events_kept_from": _utc(max(forgotten_before_ms, span.first_ms or 0) or None),
    }


def _utc(at_ms: int | None) -> str | None:
    return None if at_ms is None else datetime.fromtimestamp(at_ms / 1000, timezone.utc).isoformat(timespec="seconds")


def _check_text(report: CheckReport) -> str:
    if report.is_whole:
        return f"whole: {report.event_count} events of {report.day_count} days, their sums are right"
    return "\n".join(("not whole:", *report.faults))


def _show_progress(share: float) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{share:.0%}\033[K" + ("\n" if share >= 1.0 else ""))
        sys.stderr.flush()
