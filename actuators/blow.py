"""Where nozzles blew, and whether an item came by there; how they were told to is the controller's."""

import msgspec

from sorter.model.ejection import EjectionCommand, ItemOutcome
from sorter.model.settings import StationSettings
from sorter.model.units import mm_to_um
from sorter.policy.blast import nozzle_over


class Blow(msgspec.Struct, frozen=True):
    """Nozzles that were open on purpose, and from where to where; travel is the belt's."""

    station_id: str
    first_nozzle: int
    last_nozzle: int
    from_um: int
    to_um: int

    def was_near(self, item: ItemOutcome, station: StationSettings, beside_um: int = 0) -> bool:
        """Whether an item passed within so much of it; `station` is the blow's own."""
        low, high = (nozzle_over(item.x_um + aside_um, station) for aside_um in (-beside_um, beside_um))
        first = 0 if low is None else low
        last = station.nozzle_count - 1 if high is None else high
        travel_um = item.belt_um + mm_to_um(station.offset_mm)
        is_across = self.first_nozzle <= last and self.last_nozzle >= first
        return is_across and self.from_um - beside_um <= travel_um <= self.to_um + beside_um


def blow_of(command: EjectionCommand, opened_at_travel_um: int) -> Blow:
    """What a command that fired has blown."""
    end_um = opened_at_travel_um + command.close_at_travel_um - command.open_at_travel_um
    return Blow(command.station_id, command.first_nozzle, command.last_nozzle, opened_at_travel_um, end_um)
