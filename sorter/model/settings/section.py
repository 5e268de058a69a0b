"""What every part of the configuration is made of: ranges of numbers, and tables that know their keys."""

import ipaddress
from typing import Annotated

import msgspec
from msgspec import Meta

Ratio = Annotated[float, Meta(ge=0.0, le=1.0)]
OpenRatio = Annotated[float, Meta(gt=0.0, lt=1.0)]
PositiveMm = Annotated[float, Meta(gt=0.0, le=100_000.0)]
PixelCount = Annotated[int, Meta(ge=32, le=8192)]
Count = Annotated[int, Meta(ge=0, le=1_000_000)]
PositiveCount = Annotated[int, Meta(ge=1, le=1_000_000)]
SpeedMS = Annotated[float, Meta(gt=0.0, le=10.0)]
EdgeMm = Annotated[float, Meta(ge=-100_000.0, le=100_000.0)]
DurationMs = Annotated[float, Meta(ge=0.0, le=60_000.0)]
Homography = Annotated[tuple[float, ...], Meta(min_length=9, max_length=9)]


def is_loopback(host: str) -> bool:
    """Whether a name or address can only be this machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the configuration; unknown keys are refused."""
