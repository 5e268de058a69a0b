"""From travel to time: when the belt will be where a command wants it, if it keeps its speed.

Readings come from `actuators.encoder`; what is done at that instant is the controller's.
"""

from sorter.model.tracks import BeltState
from sorter.model.units import NS_PER_MS, NS_PER_S, travel_after_um

# One pulse to and fro of a 0.1 mm encoder on a standing but shaking belt looks like 5 mm/s.
_STANDING_BELOW_UM_S = 10_000
# As long as the table of topics lets a belt state live: extrapolating further would be guessing.
_STALE_AFTER_NS = 300 * NS_PER_MS


def is_followed(belt: BeltState | None, now_ns: int) -> bool:
    """Whether the belt is known to move forward, so that travel can be turned into time."""
    if belt is None or belt.speed_um_s < _STANDING_BELOW_UM_S:
        return False
    return now_ns - belt.measured_at_ns <= _STALE_AFTER_NS


def instant_of_travel_ns(belt: BeltState, travel_um: int) -> int:
    """When a moving belt reaches a travel at its present speed; lies in the past for travel already behind."""
    ahead_um = travel_um - belt.travel_um
    return belt.measured_at_ns - (-ahead_um * NS_PER_S // belt.speed_um_s)


def travel_at_um(belt: BeltState, instant_ns: int) -> int:
    """Travel at an instant, extrapolated at the present speed."""
    return belt.travel_um + travel_after_um(belt.speed_um_s, instant_ns - belt.measured_at_ns)
