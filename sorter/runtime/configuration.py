"""Reading the line's one TOML file strictly: every error names the key, the value and what is allowed."""

import re
import sys
from pathlib import Path
from typing import Any

import msgspec

from sorter.errors import ConfigurationError
from sorter.model.settings import Settings

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_PATH_PATTERN = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")


def load_settings(path: Path | None, overrides: dict[str, Any] | None = None) -> Settings:
    """Settings from a TOML file (or all defaults) with overrides laid over it.

    Args:
        path: the file; None for the defaults.
        overrides: nested tables in the file's own form, as from command-line options.

    Raises:
        ConfigurationError: if the file is missing or not TOML, for unknown keys, and for values out of range.
    """
    tables = _read_toml(path) if path is not None else {}
    return settings_from(merged_tables(tables, overrides or {}))


def settings_from(tables: dict[str, Any]) -> Settings:
    """Settings from nested tables, every key and value checked.

    Raises:
        ConfigurationError: for unknown keys and for values out of range.
    """
    try:
        settings = msgspec.convert(tables, Settings)
    except msgspec.ValidationError as error:
        raise ConfigurationError(_sentence(str(error), tables)) from error
    _check_across(settings)
    return settings


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"configuration {path} cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"configuration {path} is not TOML: {error}") from error


def merged_tables(tables: dict[str, Any], overrides: dict[str, Any]) -> dict[str, Any]:
    """Nested tables with others laid over them, key by key."""
    merged = dict(tables)
    for key, value in overrides.items():
        old = merged.get(key)
        merged[key] = merged_tables(old, value) if isinstance(value, dict) and isinstance(old, dict) else value
    return merged


def _sentence(message: str, tables: dict[str, Any]) -> str:
    match = _PATH_PATTERN.search(message)
    path = match["path"] if match else ""
    expectation = message[: match.start()] if match else message
    if "unknown field" in expectation:
        field = expectation.rpartition("unknown field ")[2].strip("`")
        return f"configuration: unknown key {'.'.join(filter(None, [path, field]))!r}; farz check-config lists the keys"
    return f"configuration: {path} = {_value_at(tables, path)!r}: {expectation}"


def _value_at(tables: Any, path: str) -> Any:
    try:
        for name, index in re.findall(r"([A-Za-z_]\w*)|\[(\d+)\]", path):
            tables = tables[name] if name else tables[int(index)]
    except (KeyError, IndexError, TypeError):
        return None
    return tables


def _check_across(settings: Settings) -> None:
    """What no single key can say: names that must exist, ids that must differ, an order that must hold."""
    recipe = settings.recipe
    station_ids = [station.id for station in recipe.stations]
    if len(set(station_ids)) < len(station_ids):
        raise ConfigurationError(f"configuration: recipe.stations = {station_ids}: ids must differ")
    for station in recipe.stations:
        unknown = sorted(set(station.targets) - set(recipe.classes))
        if unknown:
            raise ConfigurationError(
                f"configuration: recipe.stations {station.id!r}: targets = {unknown}: "
                f"must be among recipe.classes {list(recipe.classes)}"
            )
    _check_simulation(settings)


def _check_simulation(settings: Settings) -> None:
    unknown = sorted(set(settings.simulation.mix) - set(settings.recipe.classes))
    if unknown or (settings.simulation.mix and sum(settings.simulation.mix.values()) <= 0):
        raise ConfigurationError(
            f"configuration: simulation.mix = {settings.simulation.mix}: weights of recipe.classes, one or more above 0"
        )
    high_m_s = settings.belt.speed_high_m_s
    if high_m_s is not None and high_m_s <= settings.belt.speed_m_s:
        raise ConfigurationError(
            f"configuration: belt.speed_high_m_s = {high_m_s}: must be above belt.speed_m_s {settings.belt.speed_m_s}"
        )
    if settings.source.kind in {"strip", "video", "folder", "camera"} and not settings.source.location:
        raise ConfigurationError(
            f"configuration: source.location = '': needed for source.kind {settings.source.kind!r}"
        )
