"""The door to gpiod: which chips and lines are asked for, played by chips in memory."""

from pathlib import Path

import gpiod
import pytest
from gpio_fakes import LABELS, PlayedChip
from gpiod.line import Direction, Value

from actuators.drivers.gpio_lines import line_of, open_lines
from actuators.drivers.jetson_pins import JETSON_PINS
from sorter.errors import ConfigurationError
from sorter.model.settings import GpioSettings


class PlayedRequest:
    def __init__(self, path: str, config: dict[int, gpiod.LineSettings]) -> None:
        self.path, self.config = path, config
        self.values: dict[int, Value] = {}
        self.is_released = False

    def set_values(self, values: dict[int, Value]) -> None:
        self.values |= values

    def get_value(self, offset: int) -> Value:
        return self.values.get(offset, Value.ACTIVE)

    def release(self) -> None:
        self.is_released = True


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[PlayedRequest]:
    made: list[PlayedRequest] = []
    for name in LABELS:
        (tmp_path / name).touch()

    def request_lines(path: str, *, consumer: str, config: dict[int, gpiod.LineSettings]) -> PlayedRequest:
        assert consumer == "farz"
        made.append(PlayedRequest(path, config))
        return made[-1]

    monkeypatch.setattr(gpiod, "Chip", PlayedChip)
    monkeypatch.setattr(gpiod, "request_lines", request_lines)
    return made


def test_pins_are_found_on_both_chips_of_a_board_and_driven_together(
    requests: list[PlayedRequest], tmp_path: Path
) -> None:
    settings = GpioSettings(
        board="jetson-agx-orin",
        lines={"pet:0": 7, "pet:1": 11, "pet:2": 29},
        inputs={"air_present": 31},
        is_active_low=True,
    )
    lines = open_lines(settings, tmp_path)
    assert [Path(request.path).name for request in requests] == ["gpiochip0", "gpiochip1"]
    main, aon = requests
    directions = [(each.direction, each.output_value, each.active_low) for each in main.config.values()]
    assert directions == [(Direction.OUTPUT, Value.INACTIVE, True)] * 2
    assert {each.direction for each in aon.config.values()} == {Direction.OUTPUT, Direction.INPUT}
    lines.write(["pet:0", "pet:2"], is_active=True)
    assert main.values == {sum(b"PQ.06"): Value.ACTIVE}
    assert aon.values == {sum(b"PAA.01"): Value.ACTIVE}
    lines.write(["pet:0"], is_active=False)
    assert main.values == {sum(b"PQ.06"): Value.INACTIVE}
    assert lines.read("air_present")
    lines.release()
    assert main.is_released
    assert aon.is_released


def test_a_line_may_be_named_and_must_be_there(requests: list[PlayedRequest], tmp_path: Path) -> None:
    open_lines(GpioSettings(chip=str(tmp_path / "gpiochip0"), lines={"pet:0": "PQ.05"}), tmp_path)
    assert list(requests[0].config) == [sum(b"PQ.05")]
    with pytest.raises(ConfigurationError, match="cannot be had"):
        open_lines(GpioSettings(chip=str(tmp_path / "gpiochip0"), lines={"pet:0": "nowhere"}), tmp_path)
    with pytest.raises(ConfigurationError, match="no GPIO chip"):
        open_lines(GpioSettings(chip="other-gpio", lines={"pet:0": "PQ.05"}), tmp_path)


@pytest.mark.parametrize(("board", "pin"), [("", 7), ("jetson-orin-nano", 6), ("jetson-orin-nx", 1)])
def test_a_pin_that_is_no_gpio_is_named(board: str, pin: int) -> None:
    with pytest.raises(ConfigurationError, match=f"pet:0 = {pin}"):
        line_of(GpioSettings(board=board, lines={"pet:0": pin}), "valves.gpio", "pet:0", pin)  # type: ignore[arg-type]


def test_each_board_has_22_pins_and_no_line_twice() -> None:
    for pins in JETSON_PINS.values():
        assert len(pins) == len(set(pins.values())) == 22
