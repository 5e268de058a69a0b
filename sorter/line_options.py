"""The options that commands about a line share, as people type them, turned into the configuration's own keys."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from sorter.errors import ConfigurationError
from sorter.model.settings import Settings
from sorter.runtime.configuration import load_settings, merged_tables

_Command = Callable[..., None]

_OPTIONS = (
    click.option("--config", type=click.Path(path_type=Path), help="Line configuration (TOML); else the defaults."),
    click.option(
        "--source",
        help="sprites | sprites:FOLDER of RGBA cut-outs | strip:FOLDER with images/ and labels/ | video:FILE | "
        "folder:FOLDER | camera:DEVICE, URL or GStreamer pipeline.",
    ),
    click.option("--model", help="Folder of a model bundle, or of a shelf; without one, the shipped model."),
    click.option("--allow-unsigned", is_flag=True, default=None, help="Use a model that nobody trusted has signed."),
    click.option(
        "--detector", type=click.Choice(["openvino", "onnxruntime", "tensorrt", "oracle"]), help="What runs the model."
    ),
    click.option(
        "--precision", type=click.Choice(["f32", "bf16", "f16", "int8", "auto"]), help="Arithmetic of the network."
    ),
    click.option("--speed", help="Simulated belt speed in m/s, such as 2.0; 0.5:4.0 ramps between the two."),
    click.option("--drop", type=float, help="Share of simulated camera frames lost at random, 0 to 1."),
    click.option("--seed", type=int, help="Seed of the simulated world; the same seed, the same belt."),
)
_KEYS = {
    "model": ("detector", "model"),
    "allow_unsigned": ("detector", "allow_unsigned"),
    "detector": ("detector", "runtime"),
    "precision": ("detector", "precision"),
    "drop": ("source", "drop_ratio"),
    "seed": ("simulation", "seed"),
    "port": ("ui", "port"),
}
_KINDS = ("sprites", "strip", "video", "folder", "camera")


def line_options(command: _Command) -> _Command:
    """Add the shared options to a click command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def settings_from_options(options: dict[str, Any]) -> Settings:
    """Settings of `--config` with the other options laid over them.

    Raises:
        ConfigurationError: as `load_settings`, and for malformed options.
    """
    given = {key: value for key, value in options.items() if value is not None}
    config = given.pop("config", None)
    tables: dict[str, Any] = {}
    if "source" in given:
        tables = merged_tables(tables, source_overrides(given.pop("source")))
    if "speed" in given:
        tables = merged_tables(tables, speed_overrides(given.pop("speed")))
    for option, value in given.items():
        section, key = _KEYS[option]
        tables = merged_tables(tables, {section: {key: value}})
    return load_settings(config, tables)


def source_overrides(text: str) -> dict[str, Any]:
    """The `source` table (and how travel is known) for a `KIND[:LOCATION]`.

    A video comes without an encoder, so its pictures tell the belt's travel.

    Raises:
        ConfigurationError: for an unknown kind, or a kind that needs a location and has none.
    """
    kind, _, location = text.partition(":")
    if kind not in _KINDS:
        raise ConfigurationError(f"--source {text!r}: unknown kind {kind!r}; allowed: {', '.join(_KINDS)}")
    if kind != "sprites" and not location:
        raise ConfigurationError(f"--source {text!r}: {kind} needs a place, as in {kind}:PLACE")
    tables: dict[str, Any] = {"source": {"kind": kind, "location": location}}
    if kind == "video":
        tables["belt"] = {"travel_from": "pictures"}
    return tables


def speed_overrides(text: str) -> dict[str, Any]:
    """The `belt` table for a speed "3.0", or "0.5:4.0" for a drive that ramps between the two, in m/s.

    Raises:
        ConfigurationError: for anything that is not a number or two.
    """
    parts = text.split(":")
    try:
        speeds_m_s = [float(part) for part in parts]
    except ValueError:
        speeds_m_s = []
    if not 1 <= len(speeds_m_s) <= 2:
        raise ConfigurationError(
            f"--speed {text!r}: a speed in m/s such as 2.0, or a range to ramp over such as 0.5:4.0"
        )
    table: dict[str, Any] = {"speed_m_s": speeds_m_s[0]}
    if len(speeds_m_s) == 2:
        table["speed_high_m_s"] = speeds_m_s[1]
    return {"belt": table}


def source_name(settings: Settings) -> str:
    """The source as it would be typed after `--source`."""
    return f"{settings.source.kind}:{settings.source.location}".rstrip(":")
