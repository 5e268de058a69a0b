"""What somebody asks of the valves by hand, while the line stands."""

import msgspec


class NozzleHold(msgspec.Struct, frozen=True):
    """Somebody holds the button of a nozzle down just now; the next one must come before this one is old."""

    station_id: str
    nozzle: int
    requested_at_ns: int
    who: str
