"""The door to gpiod for encoders: which lines are asked for and how, played by chips in memory."""

from pathlib import Path
from types import SimpleNamespace

import gpiod
import pytest
from gpio_fakes import PlayedChip
from gpiod.line import Clock, Direction
from gpiod.line import Edge as Edges

from actuators.drivers.gpio_edges import open_edge_lines
from actuators.edge_order import Edge
from sorter.errors import ConfigurationError
from sorter.model.settings import GpioEncoderSettings


class PlayedRequest:
    def __init__(self, path: str, config: dict[int, gpiod.LineSettings], event_buffer_size: int) -> None:
        self.path, self.config, self.buffered_count = path, config, event_buffer_size
        self.events: list[SimpleNamespace] = []
        self.is_released = False

    def wait_edge_events(self, timeout_s: float) -> bool:
        assert timeout_s == 0, "the loop never waits for the belt"
        return bool(self.events)

    def read_edge_events(self, max_events: int) -> list[SimpleNamespace]:
        read, self.events = self.events[:max_events], self.events[max_events:]
        return read

    def release(self) -> None:
        self.is_released = True


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[PlayedRequest]:
    made: list[PlayedRequest] = []
    for number in range(2):
        (tmp_path / f"gpiochip{number}").touch()

    def request_lines(
        path: str, *, consumer: str, config: dict[int, gpiod.LineSettings], event_buffer_size: int
    ) -> PlayedRequest:
        assert consumer == "farz"
        made.append(PlayedRequest(path, config, event_buffer_size))
        return made[-1]

    monkeypatch.setattr(gpiod, "Chip", PlayedChip)
    monkeypatch.setattr(gpiod, "request_lines", request_lines)
    return made


def test_both_edges_of_two_channels_are_asked_for_in_one_request(requests: list[PlayedRequest], tmp_path: Path) -> None:
    gpio = GpioEncoderSettings(board="jetson-orin-nano", a=29, b=31, debounce_us=50)
    lines = open_edge_lines(gpio, tmp_path)
    (request,) = requests
    offsets = [sum(b"PQ.05"), sum(b"PQ.06")]
    assert list(request.config) == offsets
    for line in request.config.values():
        assert (line.direction, line.edge_detection, line.event_clock) == (Direction.INPUT, Edges.BOTH, Clock.MONOTONIC)
        assert line.debounce_period.microseconds == 50
    assert request.buffered_count == 1024
    assert lines.read() == []
    rising, falling = gpiod.EdgeEvent.Type.RISING_EDGE, gpiod.EdgeEvent.Type.FALLING_EDGE
    for number, (offset, kind) in enumerate(zip(offsets, (rising, falling), strict=True), 1):
        request.events.append(
            SimpleNamespace(event_type=kind, timestamp_ns=70 + number, line_offset=offset, global_seqno=number)
        )
    assert lines.read() == [Edge(71, 0, True, 1), Edge(72, 1, False, 2)]
    lines.release()
    assert request.is_released


def test_a_channel_that_is_alone_gives_its_rising_edges(requests: list[PlayedRequest], tmp_path: Path) -> None:
    open_edge_lines(GpioEncoderSettings(chip=str(tmp_path / "gpiochip0"), a="PQ.05"), tmp_path)
    assert [line.edge_detection for line in requests[0].config.values()] == [Edges.RISING]


@pytest.mark.parametrize(
    ("gpio", "said"),
    [
        # header pins 7 and 29 of an AGX Orin are lines of two chips
        (GpioEncoderSettings(board="jetson-agx-orin", a=7, b=29), "one chip"),
        (GpioEncoderSettings(board="jetson-agx-orin", a=7, b=6), "b = 6: must be a GPIO pin"),
        (GpioEncoderSettings(chip="tegra234-gpio", a="nowhere"), "cannot be had"),
        (GpioEncoderSettings(chip="other-gpio", a="PQ.05"), "belt.gpio: no GPIO chip"),
    ],
)
@pytest.mark.usefixtures("requests")
def test_lines_that_cannot_be_had_are_named(gpio: GpioEncoderSettings, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=said):
        open_edge_lines(gpio, tmp_path)
