"""When something was written down, by both clocks, so that its instants can be read in a later life of the machine.

CLOCK_MONOTONIC goes on while a process is restarted and begins anew when the machine is; wall time goes on always, and
may jump. So the first is believed as long as the machine has not been restarted, and the second afterwards.
"""

from pathlib import Path
from typing import Annotated

import msgspec

from sorter.model.units import NS_PER_MS, NS_PER_S
from sorter.runtime.clock import wall_ms

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# what a file may say and still be reckoned with in 64 bits: 36 years since a boot, and any date
_Instant = Annotated[int, msgspec.Meta(ge=0, le=2**60)]
_WallTime = Annotated[int, msgspec.Meta(ge=0, le=2**60)]
# a clock that had no battery wakes up in 1970, and jumps to the present once it hears of it
_LONGEST_PASSED_NS = 10 * 365 * 24 * 3600 * NS_PER_S


class Stamp(msgspec.Struct, frozen=True):
    """One moment.

    Attributes:
        at_ns: by the line's clock.
        wall_ms: by the clock on the wall, since 1970 UTC.
        machine_boot_id: names the time since the machine was switched on; empty where the system has no name for it.
    """

    at_ns: _Instant
    wall_ms: _WallTime
    machine_boot_id: str


def stamp(now_ns: int) -> Stamp:
    """This moment, whose instant by the line's clock is given."""
    return Stamp(now_ns, wall_ms(), _machine_boot_id())


def passed_ns(since: Stamp, now: Stamp) -> int | None:
    """How much time has passed between two moments; None if the wall clock alone could tell, and has clearly jumped."""
    is_same_boot = since.machine_boot_id == now.machine_boot_id != ""
    if is_same_boot and now.at_ns >= since.at_ns:
        return now.at_ns - since.at_ns
    passed = (now.wall_ms - since.wall_ms) * NS_PER_MS
    return passed if 0 <= passed <= _LONGEST_PASSED_NS else None


def _machine_boot_id() -> str:
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""
