"""`farz check-config`: says whether a configuration can be used, before anything moves."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

from sorter.calibration import open_calibration
from sorter.model.recipe import recipe_hash
from sorter.model.settings import Settings
from sorter.runtime.configuration import load_settings
from sorter.runtime.simulated_world import open_world


@click.command("check-config")
@click.argument("config", required=False, type=click.Path(path_type=Path))
@click.option("--keys", is_flag=True, help="List every key with its value, as the configuration leaves it.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole configuration, defaults filled in, as JSON.")
def check_config(config: Path | None, keys: bool, as_json: bool) -> None:
    r"""Check a line's configuration (TOML): keys, ranges, model bundle, class list, and the strip's folder.

    Without a file the defaults are checked. Exit code 0: usable; 2: the sentence on standard error says why not.

    \b
    farz check-config line.toml
    farz check-config --keys          every key, and what it is unless you say otherwise
    """
    settings = load_settings(config)
    open_calibration(settings)
    open_world(settings)
    tables: dict[str, Any] = msgspec.to_builtins(settings)
    if as_json:
        click.echo(json.dumps(tables, indent=2))
    elif keys:
        click.echo("\n".join(f"{key} = {json.dumps(value)}" for key, value in _flat(tables)))
    else:
        click.echo(_summary(settings, config))
    sys.stdout.flush()


def _flat(tables: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tables.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _summary(settings: Settings, config: Path | None) -> str:
    stations = ", ".join(f"{station.id} ({', '.join(station.targets)})" for station in settings.recipe.stations)
    return (
        f"{config or 'the default configuration'} is usable: line {settings.line_name!r}, "
        f"source {settings.source.kind}, detector {settings.detector.runtime} {settings.detector.precision}, "
        f"stations {stations}; recipe {recipe_hash(settings.recipe)}"
    )
