"""The options that commands share: what people type becomes the configuration's own keys, or a sentence."""

from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from sorter.errors import ConfigurationError
from sorter.line_options import (
    line_options,
    settings_from_options,
    source_name,
    source_overrides,
    speed_overrides,
)
from sorter.model.settings import Settings


@pytest.mark.parametrize(
    ("text", "kind", "location"),
    [
        ("sprites", "sprites", ""),
        ("sprites:cutouts", "sprites", "cutouts"),
        ("strip:some/folder", "strip", "some/folder"),
        ("folder:C:/pictures", "folder", "C:/pictures"),
        ("camera:0", "camera", "0"),
        ("camera:rtsp://host:554/live", "camera", "rtsp://host:554/live"),
    ],
)
def test_a_source_is_a_kind_and_a_place(text: str, kind: str, location: str) -> None:
    assert source_overrides(text) == {"source": {"kind": kind, "location": location}}
    assert source_name(settings_from_options({"source": text})) == text


def test_a_video_tells_the_belt_s_travel_by_its_pictures() -> None:
    settings = settings_from_options({"source": "video:belt.mp4", "speed": "2.5"})
    assert settings.belt.travel_from == "pictures"
    assert settings.belt.speed_m_s == 2.5
    assert settings_from_options({"source": "folder:x"}).belt.travel_from == "simulated"


@pytest.mark.parametrize("text", ["film:x", "", ":x", "Strip:x", "strip", "strip:", "video", "camera:"])
def test_an_unknown_kind_or_a_missing_place_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        source_overrides(text)
    assert f"--source {text!r}" in str(caught.value)
    assert any(word in str(caught.value) for word in ("allowed: sprites", ":PLACE"))


def test_a_speed_is_one_number_or_two_to_ramp_between() -> None:
    assert speed_overrides("3") == {"belt": {"speed_m_s": 3.0}}
    assert speed_overrides("0.5:4.0") == {"belt": {"speed_m_s": 0.5, "speed_high_m_s": 4.0}}


@pytest.mark.parametrize("text", ["", "fast", "1:2:3", "1:", ":", "2 m/s", "1,5"])
def test_what_is_no_speed_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="--speed") as caught:
        speed_overrides(text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize("text", ["nan", "0", "-1", "inf", "4.0:0.5", "1:nan"])
def test_a_speed_that_no_belt_has_is_refused_by_its_key(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"belt\.speed"):
        settings_from_options({"speed": text})


@pytest.mark.parametrize(
    ("option", "value", "place"),
    [
        ("model", "somewhere", ("detector", "model")),
        ("detector", "oracle", ("detector", "runtime")),
        ("precision", "bf16", ("detector", "precision")),
        ("drop", 0.25, ("source", "drop_ratio")),
        ("seed", 7, ("simulation", "seed")),
        ("port", 9000, ("ui", "port")),
    ],
)
def test_each_option_sets_its_key_and_no_other(option: str, value: Any, place: tuple[str, str]) -> None:
    settings = settings_from_options({option: value})
    assert getattr(getattr(settings, place[0]), place[1]) == value
    assert settings != Settings()
    assert settings_from_options({option: getattr(getattr(Settings(), place[0]), place[1])}) == Settings()


def test_options_lie_over_the_file_and_what_was_not_given_stays(tmp_path: Path) -> None:
    config = tmp_path / "line.toml"
    config.write_text("[simulation]\nseed = 3\n[source]\ndrop_ratio = 0.5\n")
    settings = settings_from_options({"config": config, "seed": 9, "drop": None, "source": None, "speed": None})
    assert settings.simulation.seed == 9
    assert settings.source.drop_ratio == 0.5


def test_nought_and_empty_are_values_too() -> None:
    assert settings_from_options({"seed": 0}).simulation.seed == 0
    with pytest.raises(ConfigurationError, match="--source"):
        settings_from_options({"source": ""})


def test_every_shared_option_reaches_the_settings() -> None:
    taken: dict[str, Any] = {}

    @click.command()
    @line_options
    def command(**options: Any) -> None:
        taken.update(options)

    typed = ["--source", "strip:x", "--model", "m", "--detector", "oracle", "--precision", "bf16", "--speed", "1:2"]
    result = CliRunner().invoke(
        command, [*typed, "--drop", "0.5", "--seed", "4", "--allow-unsigned"], catch_exceptions=False
    )
    assert result.exit_code == 0
    settings = settings_from_options(taken)
    assert (settings.source.kind, settings.source.drop_ratio, settings.simulation.seed) == ("strip", 0.5, 4)
    assert settings.detector.allow_unsigned
    assert (settings.detector.model, settings.detector.runtime, settings.detector.precision) == ("m", "oracle", "bf16")
    assert (settings.belt.speed_m_s, settings.belt.speed_high_m_s) == (1.0, 2.0)
