"""Reading the line's one TOML file strictly: every error names the key, the value and what is allowed."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from sorter.errors import ConfigurationError
from sorter.model.settings import Settings
from sorter.runtime.encoder_wiring import check_encoder

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
        key = ".".join(filter(None, [path, field]))
        return f"configuration: unknown key {key!r}; farz check-config --keys lists them all"
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
    _check_distinct("recipe.stations", [station.id for station in recipe.stations])
    _check_distinct("recipe.classes", recipe.classes)
    for station in recipe.stations:
        _check_distinct(f"recipe.stations {station.id!r}: targets", station.targets)
        unknown = sorted(set(station.targets) - set(recipe.classes))
        if unknown:
            raise ConfigurationError(
                f"configuration: recipe.stations {station.id!r}: targets = {unknown}: "
                f"must be among recipe.classes {list(recipe.classes)}"
            )
        if station.actuator != "jets" and station.nozzle_count != 1:
            raise ConfigurationError(
                f"configuration: recipe.stations {station.id!r}: nozzle_count = {station.nozzle_count}: "
                f"a {station.actuator} is one actuator, so 1"
            )
    _check_simulation(settings)
    _check_homography("camera.homography", settings.camera.homography)
    _check_cameras(settings)
    _check_nozzle_names(settings)
    _check_wiring(settings)
    check_encoder(settings)
    if settings.fleet.hub_url and not settings.store.enabled:
        raise ConfigurationError(
            "configuration: store.enabled = false: must be true with fleet.hub_url, which sends what the store holds"
        )


def _check_distinct(key: str, names: Sequence[str]) -> None:
    if len(set(names)) < len(names):
        raise ConfigurationError(f"configuration: {key} = {list(names)}: names must differ")


def _check_cameras(settings: Settings) -> None:
    """Several cameras: known apart, each somewhere, and none asked for what one alone can do."""
    if not settings.cameras:
        return
    _check_distinct("cameras", [one.id for one in settings.cameras])
    for one in settings.cameras:
        _check_homography(f"cameras {one.id!r}: homography", one.homography)
        if settings.source.kind != "sprites" and not one.location:
            raise ConfigurationError(f"configuration: cameras {one.id!r}: location = '': where its pictures come from")
    if settings.source.kind == "strip" or settings.belt.travel_from == "pictures":
        raise ConfigurationError(
            f"configuration: cameras = {[one.id for one in settings.cameras]}: more than one camera cannot be had with "
            "source.kind 'strip' or belt.travel_from 'pictures'"
        )


def _check_homography(key: str, homography: tuple[float, ...] | None) -> None:
    if homography is None:
        return
    matrix = np.array(homography, np.float64).reshape(3, 3)
    if not np.isfinite(matrix).all() or np.linalg.matrix_rank(matrix) < 3:
        raise ConfigurationError(
            f"configuration: {key} = {list(homography)}: must be nine finite numbers of a matrix that can be inverted"
        )


def _check_nozzle_names(settings: Settings) -> None:
    counts = {station.id: station.nozzle_count for station in settings.recipe.stations}
    nozzles = {f"{station_id}:{number}" for station_id, count in counts.items() for number in range(count)}
    bars = ", ".join(f"{station}:0..{count - 1}" for station, count in counts.items())
    valves = settings.valves
    for key, names, allowed in (
        ("dead_nozzles", valves.dead_nozzles, nozzles),
        ("stuck_open_nozzles", valves.stuck_open_nozzles, nozzles),
        ("slow_nozzles", valves.slow_nozzles, nozzles),
        ("own_response_ms", valves.own_response_ms, nozzles | counts.keys()),
    ):
        for name in names:
            if name not in allowed:
                raise ConfigurationError(f"configuration: valves.{key} = {name!r}: must be one of {bars}")


def _check_wiring(settings: Settings) -> None:
    """Every nozzle of a real bar must be wired, and no real line starts by itself."""
    valves = settings.valves
    if valves.driver == "simulated":
        return
    if settings.start_by_itself:
        raise ConfigurationError(
            f"configuration: start_by_itself = true: must be false with valves.driver {valves.driver!r}"
        )
    counts = {station.id: station.nozzle_count for station in settings.recipe.stations}
    nozzles = {f"{station_id}:{number}" for station_id, count in counts.items() for number in range(count)}
    key, given, wanted = {
        "gpio": ("gpio.lines", set(valves.gpio.lines), nozzles),
        "modbus": ("modbus.first_coils", set(valves.modbus.first_coils), set(counts)),
        "serial": ("serial.first_outputs", set(valves.serial.first_outputs), set(counts)),
    }[valves.driver]
    if given != wanted:
        wrong = sorted(given ^ wanted)
        raise ConfigurationError(
            f"configuration: valves.{key}: must name every {'nozzle' if wanted is nozzles else 'station'} of the "
            f"recipe and nothing else; missing or unknown: {', '.join(wrong[:5])}"
        )


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
    needs_location = settings.source.kind != "sprites" and not settings.cameras
    if needs_location and not settings.source.location:
        raise ConfigurationError(
            f"configuration: source.location = '': needed for source.kind {settings.source.kind!r}"
        )
