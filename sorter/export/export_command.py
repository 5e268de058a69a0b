"""`farz export`: a line's records for researchers, as partitioned Parquet with a data dictionary."""

import json
import sys
from datetime import datetime, timezone
from pathlib import Path

import click
import msgspec

from sorter.errors import BadInputError
from sorter.export.writing import export_period
from sorter.extras import need_extra
from sorter.model.rollups import Period
from sorter.runtime.configuration import load_settings
from sorter.store.place import store_path
from sorter.store.protocol import StoreReader

_STEPS = 1000
_DATE = click.DateTime(["%Y-%m-%d"])


@click.command("export")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--config", type=click.Path(path_type=Path), help="Line configuration (TOML) that says where the store is."
)
@click.option("--store", type=click.Path(path_type=Path), help="The store's file itself.")
@click.option("--hub", "is_hub", is_flag=True, help="Export what a fleet's hub holds of all its lines: hub.database.")
@click.option("--from", "begin", type=_DATE, help="First day, UTC; left out, from the beginning.")
@click.option("--to", "end", type=_DATE, help="Day after the last one, UTC; left out, to the end.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: rows by table.")
def export(
    folder: Path,
    config: Path | None,
    store: Path | None,
    is_hub: bool,
    begin: datetime | None,
    end: datetime | None,
    as_json: bool,
) -> None:
    r"""Write what a line remembers to FOLDER as Parquet, with a dictionary of every column; a line may run meanwhile.

    Tables: items, mode_changes, faults, energy, audits, hours, partitioned by line and UTC day; materials with their
    reporting codes. No names of people, no pictures. Needs pip install 'farz[export]'.

    \b
    farz export records --config line.toml --from 2026-03-01 --to 2026-04-01
    duckdb -c "SELECT class_name, sum(mass_g) FROM read_parquet('records/items/**/*.parquet') GROUP BY 1"
    """
    if is_hub and store is not None:
        raise click.UsageError("--hub and --store: one of them.")
    name, reader = _opened(config, store, is_hub=is_hub)
    try:
        span = reader.span()
        first_ms, last_ms = span.first_ms or 0, span.last_ms or 0
        period = Period(_ms(begin) if begin else first_ms, _ms(end) if end else last_ms)
        if period.from_ms >= period.to_ms:
            raise BadInputError(f"{name} holds nothing of the period asked for")
        is_hidden = not sys.stderr.isatty()
        with click.progressbar(length=_STEPS, label="export", file=sys.stderr, hidden=is_hidden) as bar:
            exported = export_period(reader, period, folder, lambda share: bar.update(round(share * _STEPS) - bar.pos))
    finally:
        reader.close()
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(exported)))
        return
    for table, count in exported.row_counts.items():
        click.echo(f"{table:<14}{count:>12,}")


def _opened(config: Path | None, store: Path | None, *, is_hub: bool) -> tuple[str, StoreReader]:
    """What to call the store, and its reader; each database's library is loaded only where it is asked for."""
    if is_hub:
        need_extra("fleet", "psycopg", "--hub")
        from sorter.store.postgres_reader import PostgresReader

        return "the hub's store", PostgresReader(load_settings(config).hub.database)
    from sorter.store.sqlite_reader import SqliteReader

    path = store or store_path(load_settings(config))
    return f"store {path}", SqliteReader(path)


def _ms(day: datetime) -> int:
    return int(day.replace(tzinfo=timezone.utc).timestamp() * 1000)
