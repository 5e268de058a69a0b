"""Unit conversions, so that every factor of a thousand has a name."""

UM_PER_MM = 1_000
UM_PER_M = 1_000_000
MM_PER_M = 1_000
UL_PER_L = 1_000_000
MJ_PER_J = 1_000  # millijoules
BYTES_PER_MIB = 1 << 20
NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000


def mm_to_um(length_mm: float) -> int:
    """Millimetres as whole micrometres, rounded to the nearest."""
    return round(length_mm * UM_PER_MM)


def ms_to_ns(duration_ms: float) -> int:
    """Milliseconds as whole nanoseconds, rounded to the nearest."""
    return round(duration_ms * NS_PER_MS)


def s_to_ns(duration_s: float) -> int:
    """Seconds as whole nanoseconds, rounded to the nearest."""
    return round(duration_s * NS_PER_S)


def travel_after_um(speed_um_s: float, duration_ns: int) -> int:
    """Belt travel in micrometres at a constant speed over a duration."""
    return round(speed_um_s * duration_ns / NS_PER_S)
