"""Reading the configuration: what is wrong is named by key, value and what is allowed."""

import json
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from sorter.check_command import check_config
from sorter.errors import ConfigurationError
from sorter.model.settings import Section, Settings, camera_settings
from sorter.runtime.configuration import load_settings, merged_tables, settings_from

STATION = {"id": "one", "offset_mm": 700.0, "targets": ["can"]}


def sections(kind: type[Section] = Settings, path: str = "") -> Iterator[tuple[str, type[Section]]]:
    """All tables of the configuration with their dotted names, "" for the top."""
    yield path, kind
    for field in msgspec.structs.fields(kind):
        if isinstance(field.type, type) and issubclass(field.type, Section):
            yield from sections(field.type, f"{path}.{field.name}".strip("."))


SECTIONS = dict(sections())
KEYS = [
    (f"{path}.{field.name}".strip("."), field.type)
    for path, kind in SECTIONS.items()
    for field in msgspec.structs.fields(kind)
    if not (isinstance(field.type, type) and issubclass(field.type, Section))
]


def tables(path: str, value: Any) -> dict[str, Any]:
    for name in reversed(path.split(".")):
        value = {name: value}
    return value


def refusal(given: dict[str, Any]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        settings_from(given)
    return str(caught.value)


def test_without_a_file_the_defaults_hold() -> None:
    assert load_settings(None) == Settings()


def test_a_file_is_laid_over_the_defaults_and_overrides_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "line.toml"
    path.write_text('line_name = "hall 2"\n[belt]\nspeed_m_s = 3\nwidth_mm = 1000.0\n[simulation.mix]\ncan = 1\n')
    settings = load_settings(path, {"belt": {"speed_m_s": 1.5}, "source": {"drop_ratio": 0.25}})
    assert settings.line_name == "hall 2"
    assert (settings.belt.speed_m_s, settings.belt.width_mm) == (1.5, 1000.0)
    assert settings.source.drop_ratio == 0.25
    assert settings.simulation.mix == {"can": 1.0}
    assert settings.camera == Settings().camera


def test_merging_goes_key_by_key_and_leaves_what_it_was_given_alone() -> None:
    base = {"a": {"x": 1, "y": {"p": 1}}, "b": 2}
    over = {"a": {"y": {"q": 2}}, "b": {"z": 3}, "c": 4}
    assert merged_tables(base, over) == {"a": {"x": 1, "y": {"p": 1, "q": 2}}, "b": {"z": 3}, "c": 4}
    assert base == {"a": {"x": 1, "y": {"p": 1}}, "b": 2}


@pytest.mark.parametrize("content", [None, b"belt = [", b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "line.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"line\.toml"):
        load_settings(path)


@pytest.mark.parametrize("path", [*SECTIONS])
def test_unknown_keys_are_refused_at_every_level(path: str) -> None:
    key = f"{path}.colour_of_belt".strip(".")
    assert refusal(tables(key, 1)) == f"configuration: unknown key {key!r}; farz check-config --keys lists them all"


def test_unknown_keys_of_a_station_are_refused_too() -> None:
    message = refusal({"recipe": {"stations": [STATION, {**STATION, "id": "two", "colour_of_belt": 1}]}})
    assert (
        message
        == "configuration: unknown key 'recipe.stations[1].colour_of_belt'; farz check-config --keys lists them all"
    )


def bounds_of(kind: Any) -> list[tuple[Any, str]]:
    """Values just outside what a type allows, with what its error must say."""
    node = msgspec.inspect.type_info(kind)
    parts = node.types if isinstance(node, msgspec.inspect.UnionType) else (node,)
    outside: list[tuple[Any, str]] = []
    for part in parts:
        if isinstance(part, msgspec.inspect.FloatType | msgspec.inspect.IntType):
            if part.ge is not None:
                outside.append((part.ge - 1, f">= {part.ge}"))
            if part.gt is not None:
                outside.append((part.gt, f"> {part.gt}"))
            if part.le is not None:
                outside.append((part.le + 1, f"<= {part.le}"))
            if part.lt is not None:
                outside.append((part.lt, f"< {part.lt}"))
    return outside


OUTSIDE = [(path, value, allowed) for path, kind in KEYS for value, allowed in bounds_of(kind)]


def test_most_numbers_have_bounds() -> None:
    assert len({path for path, _, _ in OUTSIDE}) > 30


@pytest.mark.parametrize(("path", "value", "allowed"), OUTSIDE)
def test_a_number_out_of_range_is_refused_with_key_value_and_range(path: str, value: Any, allowed: str) -> None:
    message = refusal(tables(path, value))
    assert message.startswith(f"configuration: {path} = {value!r}: ")
    assert allowed in message


@pytest.mark.parametrize("path", [path for path, _ in KEYS if path not in {"recipe.stations", "cameras", "heat.steps"}])
def test_a_value_of_the_wrong_kind_is_refused_with_key_value_and_kind(path: str) -> None:
    message = refusal(tables(path, [{"wrong": 1}]))
    assert message.startswith(f"configuration: {path}")
    assert "wrong" in message
    assert "Expected" in message


@pytest.mark.parametrize("path", [path for path, kind in KEYS if typing.get_origin(kind) is typing.Literal])
def test_a_word_that_is_no_choice_is_refused(path: str) -> None:
    message = refusal(tables(path, "neither"))
    assert message.startswith(f"configuration: {path} = 'neither': ")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_speed_that_is_no_number_is_refused(value: float) -> None:
    assert "belt.speed_m_s" in refusal({"belt": {"speed_m_s": value}})


def test_an_error_in_a_list_names_its_place_and_value() -> None:
    message = refusal({"recipe": {"stations": [STATION, {**STATION, "offset_mm": -5}]}})
    assert message == "configuration: recipe.stations[1].offset_mm = -5: Expected `float` > 0.0"


def test_a_missing_key_is_named_with_the_table_that_lacks_it() -> None:
    message = refusal({"recipe": {"stations": [{"id": "one", "offset_mm": 700.0}]}})
    assert "recipe.stations[0]" in message
    assert "`targets`" in message


@pytest.mark.parametrize(
    ("given", "needles"),
    [
        ({"recipe": {"stations": [STATION, STATION]}}, ["recipe.stations", "['one', 'one']", "differ"]),
        ({"recipe": {"stations": [{**STATION, "targets": ["tin"]}]}}, ["'one'", "['tin']", "'can'"]),
        ({"recipe": {"stations": [{**STATION, "targets": ["can", "can"]}]}}, ["targets", "['can', 'can']", "differ"]),
        ({"recipe": {"classes": ["can", "can"], "stations": [STATION]}}, ["recipe.classes", "differ"]),
        ({"simulation": {"mix": {"tin": 1.0}}}, ["simulation.mix", "tin"]),
        ({"simulation": {"mix": {"can": 0.0}}}, ["simulation.mix", "above 0"]),
        ({"belt": {"speed_m_s": 2.0, "speed_high_m_s": 2.0}}, ["belt.speed_high_m_s = 2.0", "above", "2.0"]),
        ({"source": {"kind": "strip"}}, ["source.location", "strip"]),
        ({"source": {"kind": "camera"}}, ["source.location", "camera"]),
        ({"camera": {"homography": [0.0] * 9}}, ["camera.homography", "inverted"]),
        ({"camera": {"homography": [1.0, 2.0, 3.0, 2.0, 4.0, 6.0, 0.0, 0.0, 1.0]}}, ["camera.homography"]),
        ({"camera": {"homography": [float("nan")] * 9}}, ["camera.homography", "finite"]),
        ({"cameras": [{"id": "left"}, {"id": "left"}]}, ["cameras", "['left', 'left']", "differ"]),
        ({"cameras": [{"id": "left"}], "source": {"kind": "camera"}}, ["cameras 'left'", "location = ''"]),
        ({"cameras": [{"id": "left", "homography": [0.0] * 9}]}, ["cameras 'left': homography", "inverted"]),
        ({"cameras": [{"id": "left", "location": "a"}], "source": {"kind": "strip"}}, ["cameras", "'strip'"]),
        ({"valves": {"dead_nozzles": ["pet"]}}, ["valves.dead_nozzles", "'pet'", "pet:0..111"]),
        ({"valves": {"dead_nozzles": ["pet:112"]}}, ["valves.dead_nozzles", "'pet:112'"]),
        ({"valves": {"dead_nozzles": ["tin:1"]}}, ["valves.dead_nozzles", "'tin:1'"]),
    ],
)
def test_what_no_single_key_can_say_is_checked_across_keys(given: dict[str, Any], needles: list[str]) -> None:
    message = refusal(given)
    assert message.startswith("configuration: ")
    assert all(needle in message for needle in needles)


def test_what_is_right_across_keys_is_let_through() -> None:
    settings = settings_from(
        {
            "belt": {"speed_m_s": 0.5, "speed_high_m_s": 4.0},
            "camera": {"homography": [1.0, 0.0, 0.0, 0.0, -1.0, 800.0, 0.0, 1e-5, 1.0]},
            "valves": {"dead_nozzles": ["pet:0", "can:111"]},
            "source": {"kind": "strip", "location": "somewhere"},
        }
    )
    assert settings.valves.dead_nozzles == ("pet:0", "can:111")


def test_several_cameras_say_what_is_theirs_and_share_the_rest() -> None:
    cameras = [{"id": "left", "location": "0"}, {"id": "right", "location": "1", "left_edge_mm": 700.0}]
    settings = settings_from({"source": {"kind": "camera"}, "camera": {"view_width_mm": 700.0}, "cameras": cameras})
    (left_name, left), (right_name, right) = camera_settings(settings)
    assert (left_name, right_name) == ("left", "right")
    assert (left.source.location, right.source.location) == ("0", "1")
    assert (left.camera.left_edge_mm, right.camera.left_edge_mm) == (0.0, 700.0)
    assert left.camera.view_width_mm == right.camera.view_width_mm == 700.0
    assert right.detector == settings.detector


def test_a_line_with_one_camera_needs_no_list() -> None:
    settings = Settings()
    assert camera_settings(settings) == (("", settings),)


def test_settings_survive_their_own_table_form() -> None:
    assert settings_from(msgspec.to_builtins(Settings())) == Settings()


@pytest.fixture
def oracle_file(tmp_path: Path) -> str:
    """A configuration that needs no model bundle."""
    path = tmp_path / "line.toml"
    path.write_text('[detector]\nruntime = "oracle"\n')
    return str(path)


def test_check_config_lists_every_key_with_its_value(oracle_file: str) -> None:
    result = CliRunner().invoke(check_config, [oracle_file, "--keys"], catch_exceptions=False)
    listed = {key: json.loads(value) for key, value in (line.split(" = ", 1) for line in result.output.splitlines())}
    assert set(listed) == {path for path, _ in KEYS}
    assert listed["belt.width_mm"] == Settings().belt.width_mm
    assert listed["detector.runtime"] == "oracle"


def test_check_config_gives_the_whole_configuration_as_json(oracle_file: str) -> None:
    result = CliRunner().invoke(check_config, [oracle_file, "--json"], catch_exceptions=False)
    assert settings_from(json.loads(result.output)) == load_settings(Path(oracle_file))


def test_check_config_says_in_a_sentence_that_a_configuration_can_be_used(oracle_file: str) -> None:
    result = CliRunner().invoke(check_config, [oracle_file], catch_exceptions=False)
    assert result.exit_code == 0
    assert "is usable" in result.output
    assert oracle_file in result.output


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"valves": {"driver": "modbus"}}, "start_by_itself"),
        ({"start_by_itself": False, "valves": {"driver": "modbus"}}, "modbus.first_coils"),
        ({"start_by_itself": False, "valves": {"driver": "gpio"}}, "gpio.lines"),
        ({"start_by_itself": False, "valves": {"driver": "serial"}}, "serial.first_outputs"),
        ({"belt": {"travel_from": "valves"}}, "travel_from"),
        ({"valves": {"own_response_ms": {"pet:500": 3.0}}}, "own_response_ms"),
        ({"valves": {"stuck_open_nozzles": ["pet"]}}, "stuck_open_nozzles"),
        ({"recipe": {"stations": [{**STATION, "actuator": "pusher"}]}}, "nozzle_count"),
    ],
)
def test_valves_must_be_wired_as_the_recipe_has_them(given: dict[str, Any], said: str) -> None:
    assert said in refusal(given)


def test_a_wired_line_is_taken() -> None:
    stations = [{**STATION, "actuator": "pusher", "nozzle_count": 1, "min_rest_ms": 200.0}]
    wired = {"driver": "serial", "serial": {"first_outputs": {"one": 0}}}
    settings = settings_from({"start_by_itself": False, "recipe": {"stations": stations}, "valves": wired})
    assert settings.valves.serial.first_outputs == {"one": 0}
