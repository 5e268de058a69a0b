"""Items that leave the belt though no shot was near them, as they do under a nozzle that does not close any more.

Where items ended comes from whatever sees them behind the bars. The simulated world does; a real line needs a sensor
there, and without one nothing is suspected.
"""

from collections import deque
from collections.abc import Set as AbstractSet

from actuators.blow import Blow
from actuators.nozzle_odds import NozzleOdds
from actuators.nozzle_use import Nozzle
from sorter.model.ejection import ItemOutcome, Outcomes
from sorter.model.settings import Settings, StationSettings
from sorter.model.units import mm_to_um
from sorter.policy.blast import nozzle_over

# An item so near to a shot may have gone with it, or been pushed by its neighbour: its end says nothing.
_BESIDE_UM = mm_to_um(100.0)
# Items leave a belt by themselves, too: they roll, and others drag them along.
_BY_ITSELF_RATIO = 0.01
_KEPT_COUNT = 1000


class StrayItems:
    """Counts, for every nozzle, the items that passed under it with no shot near, and those of them that left there."""

    def __init__(self, settings: Settings) -> None:
        self._stations = sorted(settings.recipe.stations, key=lambda station: station.offset_mm)
        # an item may be told before the shot that took it along is over
        self._wait_um = mm_to_um(settings.safety.max_blast_mm) + _BESIDE_UM
        self._blows: deque[Blow] = deque(maxlen=_KEPT_COUNT)
        self._waiting: list[ItemOutcome] = []
        self._departures = NozzleOdds()

    def note_shot(self, blow: Blow) -> None:
        """Remember where a shot blew."""
        self._blows.append(blow)

    def note_by_hand(self, nozzle: Nozzle, travel_um: int) -> None:
        """Remember that somebody holds a nozzle open just now; called again and again meanwhile."""
        station_id, number = nozzle
        start_um = travel_um
        if self._blows:
            last = self._blows[-1]
            is_same = (last.station_id, last.first_nozzle, last.last_nozzle) == (station_id, number, number)
            if is_same and travel_um - last.to_um <= _BESIDE_UM:
                start_um = self._blows.pop().from_um
        self._blows.append(Blow(station_id, number, number, start_um, travel_um))

    def note_outcomes(self, outcomes: Outcomes) -> None:
        """Count the items for which every shot that could have met them is known."""
        until_um = outcomes.passed_until_um - self._wait_um
        self._waiting += outcomes.items
        due = [item for item in self._waiting if item.belt_um < until_um]
        self._waiting = [item for item in self._waiting if item.belt_um >= until_um]
        for item in due:
            self._count(item)
        self._forget_blows_before(until_um)

    def stuck_open_nozzles(self) -> AbstractSet[Nozzle]:
        """Nozzles under which items leave too often for chance, by what they do under the others."""
        return {nozzle for nozzle in self._departures.nozzles if self._departures.frequent_at(nozzle, _BY_ITSELF_RATIO)}

    def _count(self, item: ItemOutcome) -> None:
        """Every station that the item came past is a case, up to the one where it left."""
        for station in self._stations:
            has_left = item.station_id == station.id
            nozzle = nozzle_over(item.x_um, station)
            if nozzle is not None and not self._was_near_a_shot(item, station):
                self._departures.note((station.id, nozzle), has_happened=has_left)
            if has_left:
                return

    def _was_near_a_shot(self, item: ItemOutcome, station: StationSettings) -> bool:
        return any(blow.station_id == station.id and blow.was_near(item, station, _BESIDE_UM) for blow in self._blows)

    def _forget_blows_before(self, belt_um: int) -> None:
        """Drop what no item still to be counted was near."""
        offsets_um = {station.id: mm_to_um(station.offset_mm) for station in self._stations}
        near = [blow for blow in self._blows if blow.to_um + _BESIDE_UM >= belt_um + offsets_um.get(blow.station_id, 0)]
        self._blows = deque(near, maxlen=_KEPT_COUNT)
