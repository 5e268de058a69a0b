"""The door to gpiod for encoders: lines whose edges the kernel stamps, numbers and keeps until they are read."""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import gpiod
from gpiod.line import Direction
from gpiod.line import Edge as Edges

from actuators.drivers.gpio_lines import CONSUMER, DEVICES, find_chip, line_of
from actuators.edge_order import Edge
from sorter.errors import ConfigurationError
from sorter.model.settings import GpioEncoderSettings

_TABLE = "belt.gpio"
# as many as the kernel keeps for a request at most: a tenth of a second at ten thousand edges a second
_BUFFERED_COUNT = 1024


class GpiodEdgeLines:
    """The lines of one encoder, in one request, so that the kernel numbers their edges together."""

    def __init__(self, request: "gpiod.LineRequest", offsets: list[int]) -> None:
        self._request = request
        self._channels = {offset: channel for channel, offset in enumerate(offsets)}

    def read(self) -> list[Edge]:
        """The edges since the last time, stamped by the monotonic clock."""
        if not self._request.wait_edge_events(0):
            return []
        return [
            Edge(
                event.timestamp_ns,
                self._channels[event.line_offset],
                event.event_type is gpiod.EdgeEvent.Type.RISING_EDGE,
                event.global_seqno,
            )
            for event in self._request.read_edge_events(_BUFFERED_COUNT)
        ]

    def release(self) -> None:
        """Give the lines back."""
        self._request.release()


def open_edge_lines(settings: GpioEncoderSettings, devices: Path = DEVICES) -> GpiodEdgeLines:
    """Request the encoder's lines: both edges of A and B, the rising ones of a channel that is alone.

    Raises:
        ConfigurationError: if a chip or line is not there, somebody else holds it, or A and B are on two chips.
    """
    pins = {name: pin for name, pin in (("a", settings.a), ("b", settings.b)) if pin is not None}
    places = [line_of(settings, _TABLE, name, pin) for name, pin in pins.items()]
    chips = {chip for chip, _ in places}
    if len(chips) != 1:
        raise ConfigurationError(
            f"configuration: belt.gpio: a = {settings.a!r}, b = {settings.b!r}: must be lines of one chip, since edges "
            "of two have no common order"
        )
    try:
        path = find_chip(chips.pop(), devices, _TABLE)
        with gpiod.Chip(path) as chip:
            offsets = [chip.line_offset_from_id(line) for _, line in places]
        return GpiodEdgeLines(_request(path, offsets, settings), offsets)
    except OSError as error:
        raise ConfigurationError(f"configuration: belt.gpio: lines cannot be had: {error}") from error


def _request(path: str, offsets: list[int], settings: GpioEncoderSettings) -> "gpiod.LineRequest":
    line = gpiod.LineSettings(
        direction=Direction.INPUT,
        edge_detection=Edges.RISING if settings.b is None else Edges.BOTH,
        debounce_period=timedelta(microseconds=settings.debounce_us),
    )
    config: dict[Iterable[int | str] | int | str, gpiod.LineSettings | None] = dict.fromkeys(offsets, line)
    return gpiod.request_lines(path, consumer=CONSUMER, config=config, event_buffer_size=_BUFFERED_COUNT)
