"""When an item is decided: as late as the lead time allows, so that the decision rests on the most views."""

import msgspec

from sorter.model.tracks import BeltState
from sorter.model.units import NS_PER_S


class ViewPlan(msgspec.Struct, frozen=True):
    """What the schedule knows of the camera and the first valve.

    Attributes:
        downstream_edge_um: where the view ends, upstream of the reference line.
        view_step_um: belt travel between views.
        nearest_station_um: offset of the first station.
        lead_time_ns: what a command needs to travel and be checked, before the valve must act.
        response_ns: what a valve needs to open.
    """

    downstream_edge_um: int
    view_step_um: int
    nearest_station_um: int
    lead_time_ns: int
    response_ns: int


def time_left_ns(belt_low_um: int, belt: BeltState, plan: ViewPlan) -> int | None:
    """Time until the first station's valve must be told to open, None on a standing belt.

    Args:
        belt_low_um: belt coordinate of the item's downstream edge, which reaches the nozzles first.
        belt: where the belt is now.
        plan: the line's distances and times.
    """
    if belt.speed_um_s <= 0:
        return None
    remaining_um = belt_low_um + plan.nearest_station_um - belt.travel_um
    return round(remaining_um / belt.speed_um_s * NS_PER_S) - plan.response_ns


def is_due(belt_um: int, belt_low_um: int, belt: BeltState, last_view_um: int, plan: ViewPlan) -> bool:
    """Whether an item must be decided now: no further view will show its centre, or none will come in time.

    Args:
        belt_um: belt coordinate of the item's centre.
        belt_low_um: that of its downstream edge.
        belt: where the belt is now.
        last_view_um: belt travel of the newest view.
        plan: the line's distances and times.
    """
    next_view_um = max(last_view_um + plan.view_step_um, belt.travel_um)
    if belt_um - next_view_um < plan.downstream_edge_um:
        return True
    left_ns = time_left_ns(belt_low_um, belt, plan)
    if left_ns is None:
        return False
    next_view_ns = round((next_view_um - belt.travel_um) / belt.speed_um_s * NS_PER_S)
    return left_ns - next_view_ns < plan.lead_time_ns
