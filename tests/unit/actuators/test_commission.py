"""Commissioning: the walk's dead-man hold, the walking one, audit shots written with date and author."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from actuators.commission_command import commission
from actuators.drivers.outputs import OutputMap
from actuators.drivers.walking_one import walk_one
from actuators.errors import DriverError
from actuators.nozzle_walk import BACK_KEY, HOLD_KEY, HOLD_NS, NEXT_KEY, NozzleWalk, Place, places, run_walk
from sorter.errors import ConfigurationError
from sorter.model.settings import Settings, StationSettings
from sorter.model.units import NS_PER_MS
from sorter.runtime.clock import ManualClock
from sorter.runtime.configuration import load_settings

CONFIG = """# hall 2, built by the plant
start_by_itself = false  # an operator does

[[recipe.stations]]
id = "pet"
offset_mm = 700.0  # tape measure
targets = ["pet_clear"]
nozzle_count = 3
"""


class Valves:
    """What is open now."""

    def __init__(self) -> None:
        self.open_places: set[tuple[str, int]] = set()
        self.limits_ns: list[int] = []
        self.is_broken = False

    def open(self, station_id: str, first_nozzle: int, last_nozzle: int, _now_ns: int, limit_ns: int) -> None:
        assert first_nozzle == last_nozzle
        self.open_places.add((station_id, first_nozzle))
        self.limits_ns.append(limit_ns)
        if self.is_broken:
            raise DriverError("no answer")

    def close_all(self, _now_ns: int) -> None:
        self.open_places.clear()


def new_walk() -> tuple[NozzleWalk, Valves, ManualClock]:
    valves, clock = Valves(), ManualClock()
    stations = (StationSettings(id="pet", offset_mm=1.0, targets=("can",), nozzle_count=3),)
    return NozzleWalk(valves, places(stations), clock), valves, clock  # type: ignore[arg-type]


def test_a_nozzle_is_open_while_the_key_comes_and_no_longer() -> None:
    walk, valves, clock = new_walk()
    for _ in range(5):
        assert walk.press(HOLD_KEY)
        assert valves.open_places == {("pet", 0)}
        clock.wait_until_ns(clock.now_ns() + HOLD_NS - NS_PER_MS)
        walk.press(None)
        assert walk.is_open
    clock.wait_until_ns(clock.now_ns() + NS_PER_MS)
    walk.press(None)
    assert not walk.is_open
    assert not valves.open_places
    assert set(valves.limits_ns) == {HOLD_NS}


@pytest.mark.parametrize("key", [NEXT_KEY, BACK_KEY, "x", "q"])
def test_any_other_key_closes_at_once(key: str) -> None:
    walk, valves, _ = new_walk()
    walk.press(HOLD_KEY)
    assert walk.press(key) is (key != "q")
    assert not valves.open_places


def test_there_and_back_again() -> None:
    walk, _, _ = new_walk()
    seen = []
    for key in (BACK_KEY, NEXT_KEY, NEXT_KEY, NEXT_KEY, BACK_KEY):
        walk.press(key)
        seen.append(walk.place.nozzle)
    assert seen == [0, 1, 2, 2, 1]
    assert walk.place == Place("pet", 1)


@pytest.mark.parametrize("is_broken", [False, True])
def test_nothing_is_open_however_the_walk_ends(is_broken: bool) -> None:
    walk, valves, _ = new_walk()
    valves.is_broken = is_broken
    if is_broken:
        with pytest.raises(DriverError):
            run_walk(walk, iter([HOLD_KEY]), lambda _walk: None)
    else:
        run_walk(walk, iter([HOLD_KEY, HOLD_KEY]), lambda _walk: None)
    assert not valves.open_places


class WiredWrong:
    """A PLC whose coil 2 switches coil 3 as well, and whose coil 5 does nothing."""

    def __init__(self) -> None:
        self.coils = [False] * 8

    def write_coils(self, first: int, states: list[bool]) -> None:
        for coil, is_on in enumerate(states, first):
            self.coils[coil] = is_on and coil != 5
            if coil == 2:
                self.coils[3] = is_on

    def read_coils(self, first: int, count: int) -> list[bool]:
        return self.coils[first : first + count]


def test_a_walking_one_finds_what_is_shared_and_what_is_dead() -> None:
    plc = WiredWrong()
    findings = list(walk_one(plc, OutputMap({"pet": 1}, {"pet": 6})))  # type: ignore[arg-type]
    assert [finding.coil for finding in findings] == [1, 2, 3, 4, 5, 6]
    assert {finding.coil: finding.read_on for finding in findings if not finding.is_right} == {2: (2, 3), 5: ()}
    assert not any(plc.coils)


def farz(*words: str) -> Result:
    return CliRunner().invoke(commission, list(words))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "line.toml"
    path.write_text(CONFIG)
    return path


def test_audit_shots_are_written_with_date_and_author_and_comments_stay(config: Path) -> None:
    shots = ["--shot", "1.0:7.0", "--shot", "2.0:9.0", "--shot", "3.0:11.0"]
    words = ["audit", "--config", str(config), "--station", "pet", *shots]
    assert farz(*words).exit_code == 0
    assert config.read_text() == CONFIG
    said = farz(*words, "--write", "--author", "A. Engineer")
    assert said.exit_code == 0, said.output
    settings = load_settings(config)
    assert settings.recipe.stations[0].offset_mm == 695.0
    assert settings.valves.own_response_ms == {"pet": 10.0}
    text = config.read_text()
    assert text.startswith("# hall 2, built by the plant\nstart_by_itself = false  # an operator does")
    assert text.count("from 3 audit shots, ") == 2
    assert text.count(", A. Engineer") == 2


@pytest.mark.parametrize("shot", ["fast:3", "2.0", "0:3", "20:3", "nan:1", "1:nan"])
def test_a_shot_is_a_speed_and_a_miss(config: Path, shot: str) -> None:
    said = farz("audit", "--config", str(config), "--station", "pet", "--shot", shot)
    assert isinstance(said.exception, ConfigurationError)
    assert "--shot" in str(said.exception)


@pytest.mark.parametrize("command", ["walk", "coils"])
def test_valves_are_moved_by_hand_in_maintenance_alone(config: Path, command: str) -> None:
    said = farz(command, "--config", str(config))
    assert isinstance(said.exception, ConfigurationError)
    assert "maintenance" in str(said.exception)


def test_a_walk_needs_somebody_at_a_terminal(config: Path) -> None:
    config.write_text(f"maintenance = true\n{CONFIG}")
    said = farz("walk", "--config", str(config))
    assert isinstance(said.exception, ConfigurationError)
    assert "terminal" in str(said.exception)


def test_the_geometry_of_the_defaults_is_told() -> None:
    said = farz("geometry")
    assert said.exit_code == 0
    assert "motion blur" in said.output
    assert all(station.id in said.output for station in Settings().recipe.stations)
