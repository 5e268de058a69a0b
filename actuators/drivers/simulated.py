"""Simulated bars of nozzles over the simulated world: when valves really move, and which items that takes off the belt.

It stands for hardware and item physics alike; nothing of it knows commands or modes.
"""

from typing import Protocol

import msgspec
from numpy.random import PCG64, Generator

from actuators.drivers.driver import Actuation
from actuators.errors import DriverError
from sorter.model.condition import WiredInputs
from sorter.model.ejection import ItemOutcome, Outcomes, ShotOutcome
from sorter.model.settings import Settings, StationSettings
from sorter.model.units import NS_PER_MS, mm_to_um, ms_to_ns
from sorter.model.world import World, WorldItem
from sorter.policy.blast import nozzle_over

# Past the last nozzle by this much, no valve that moves some milliseconds late can touch an item any more.
_OUT_OF_REACH_UM = mm_to_um(200.0)


class Travel(Protocol):
    """The belt's true motion, such as `sorter.model.drive.BeltDrive`."""

    def travel_um_at(self, elapsed_ns: int) -> int:
        """Travel in micrometres so long after the epoch."""
        ...


class _Shot(msgspec.Struct):
    """One opening: `closed_at_um` has an entry for each nozzle that has closed again; travel is the belt's."""

    station: StationSettings
    first_nozzle: int
    last_nozzle: int
    opened_at_ns: int
    opened_at_um: int
    ends_at_ns: int
    rng: Generator
    # nozzles that open later than the rest, by how much belt
    late_um: dict[int, int] = {}
    closed_at_um: dict[int, int] = {}
    hit_count: int = 0

    @property
    def is_over(self) -> bool:
        return len(self.closed_at_um) == self.last_nozzle - self.first_nozzle + 1

    @property
    def last_closed_at_um(self) -> int:
        return max(self.closed_at_um.values())

    def shares_nozzles_with(self, other: "_Shot") -> bool:
        """Whether two shots of one bar have a nozzle in common."""
        return self.first_nozzle <= other.last_nozzle and other.first_nozzle <= self.last_nozzle

    def blows(self, nozzle: int, travel_um: int) -> bool:
        """Whether this shot holds a nozzle open when the belt is at a travel."""
        if not self.first_nozzle <= nozzle <= self.last_nozzle:
            return False
        if travel_um < self.opened_at_um + self.late_um.get(nozzle, 0):
            return False
        closed_at_um = self.closed_at_um.get(nozzle)
        return closed_at_um is None or travel_um <= closed_at_um


class SimulatedBar:
    """Valves with response time, jitter and dead nozzles, and the truth of what they ejected."""

    name = "simulated valves"
    lead_ns = 0
    ends_pulses_itself = True

    def __init__(
        self,
        settings: Settings,
        drive: Travel,
        epoch_ns: int,
        world: World | None,
        started_at_ns: int | None = None,
    ) -> None:
        """Set the bar up.

        Args:
            settings: the line's configuration.
            drive: the belt's true motion.
            epoch_ns: when the drive started.
            world: what lies on the belt; None where the truth is unknown, then shots hit nothing known.
            started_at_ns: when this bar came to life: items already past the first station are not its own.
        """
        self._valves = settings.valves
        self._seed = settings.simulation.seed
        self._stations = sorted(settings.recipe.stations, key=lambda station: station.offset_mm)
        self._drive = drive
        self._epoch_ns = epoch_ns
        self._world = world
        self._dead = frozenset(settings.valves.dead_nozzles)
        self._stuck_open = frozenset(settings.valves.stuck_open_nozzles)
        self._stuck_from_um: dict[str, int] = {}
        self._slow = frozenset(settings.valves.slow_nozzles)
        self._shot_count = 0
        self._shots: list[_Shot] = []
        start_um = self._travel_um(epoch_ns if started_at_ns is None else started_at_ns)
        self._passed_until_um = max(0, start_um - mm_to_um(self._stations[0].offset_mm))

    def open(self, station_id: str, first_nozzle: int, last_nozzle: int, now_ns: int, limit_ns: int) -> Actuation:
        """Energise: the jet stands one response, give or take the jitter, later; it ends by itself after the limit."""
        self._end_pulses(now_ns)
        station = self._station(station_id)
        rng = Generator(PCG64([self._seed, self._shot_count]))
        self._shot_count += 1
        nozzles = range(first_nozzle, last_nozzle + 1)
        at_ns = self._moved_at_ns(now_ns, station_id, nozzles, rng)
        opened_at_um = self._travel_um(at_ns)
        shot = _Shot(station, first_nozzle, last_nozzle, at_ns, opened_at_um, now_ns + limit_ns, rng)
        self._break_some(shot)
        self._shots.append(shot)
        self._extend(shot)
        return Actuation(at_ns, shot.opened_at_um)

    def close(self, station_id: str, first_nozzle: int, last_nozzle: int, now_ns: int) -> Actuation:
        """De-energise: the jet ends one response, give or take the jitter, later; never before it began."""
        self._end_pulses(now_ns)
        nozzles = range(first_nozzle, last_nozzle + 1)
        shots = [shot for shot in self._shots if shot.station.id == station_id]
        return self._last([self._close_nozzles(shot, nozzles, now_ns) for shot in shots], now_ns)

    def close_all(self, now_ns: int) -> Actuation:
        """De-energise every nozzle of every bar."""
        self._end_pulses(now_ns)
        ends_ns = [
            self._close_nozzles(shot, range(shot.first_nozzle, shot.last_nozzle + 1), now_ns) for shot in self._shots
        ]
        return self._last(ends_ns, now_ns)

    def read_inputs(self) -> WiredInputs:
        """Nothing is wired."""
        return WiredInputs()

    def shut_down(self) -> None:
        """There is nothing to let go of."""

    def outcomes(self, now_ns: int) -> Outcomes:
        """What became of items and shots since the last call.

        Items are told once no shot can reach them any more; a shot once all items are told that it could have hit.
        A shot's travel is that of its actual opening.
        """
        self._end_pulses(now_ns)
        last_um = mm_to_um(self._stations[-1].offset_mm) + _OUT_OF_REACH_UM
        passed_until_um = max(self._passed_until_um, self._travel_um(now_ns) - last_um)
        items = self._items_until(passed_until_um)
        outcomes = tuple(self._outcome(item) for item in items)
        self._passed_until_um = passed_until_um
        return Outcomes(passed_until_um, outcomes, self._take_told_shots())

    def _travel_um(self, instant_ns: int) -> int:
        return self._drive.travel_um_at(instant_ns - self._epoch_ns)

    def _moved_at_ns(self, now_ns: int, station_id: str, nozzles: range, rng: Generator) -> int:
        """When the slowest of the nozzles has moved."""
        response_ms = max(self._response_ms(station_id, nozzle) for nozzle in nozzles)
        delay_ms = max(0.0, rng.normal(response_ms, self._valves.jitter_ms))
        return now_ns + round(delay_ms * NS_PER_MS)

    def _response_ms(self, station_id: str, nozzle: int) -> float:
        name = f"{station_id}:{nozzle}"
        own_ms = self._valves.own_response_ms
        return own_ms.get(name, own_ms.get(station_id, self._valves.response_ms))

    def _station(self, station_id: str) -> StationSettings:
        station = next((station for station in self._stations if station.id == station_id), None)
        if station is None:
            raise DriverError(f"station {station_id!r} is not simulated")
        return station

    def _break_some(self, shot: _Shot) -> None:
        """Let the nozzles that are slow open late, and those that stick stay open from now on."""
        for nozzle in range(shot.first_nozzle, shot.last_nozzle + 1):
            name = f"{shot.station.id}:{nozzle}"
            if name in self._slow:
                late_ns = shot.opened_at_ns + ms_to_ns(self._valves.slow_by_ms)
                shot.late_um[nozzle] = self._travel_um(late_ns) - shot.opened_at_um
            if name in self._stuck_open:
                self._stuck_from_um.setdefault(name, shot.opened_at_um)

    def _end_pulses(self, now_ns: int) -> None:
        """Pulses that nobody ended in time have ended by themselves."""
        for shot in self._shots:
            if not shot.is_over and now_ns > shot.ends_at_ns:
                self._close_nozzles(shot, range(shot.first_nozzle, shot.last_nozzle + 1), shot.ends_at_ns)

    def _extend(self, newest: _Shot) -> None:
        """A nozzle opened anew has its limit anew, also for the shot that opened it before."""
        for shot in self._shots:
            if shot.station.id == newest.station.id and not shot.is_over and shot.shares_nozzles_with(newest):
                shot.ends_at_ns = max(shot.ends_at_ns, newest.ends_at_ns)

    def _close_nozzles(self, shot: _Shot, nozzles: range, now_ns: int) -> int | None:
        """Close those of a shot's nozzles that are open; returns when, None when none was."""
        low, high = max(nozzles.start, shot.first_nozzle), min(nozzles.stop - 1, shot.last_nozzle)
        still_open = [nozzle for nozzle in range(low, high + 1) if nozzle not in shot.closed_at_um]
        if not still_open:
            return None
        at_ns = max(shot.opened_at_ns, self._moved_at_ns(now_ns, shot.station.id, range(low, high + 1), shot.rng))
        shot.closed_at_um |= dict.fromkeys(still_open, self._travel_um(at_ns))
        return at_ns

    def _last(self, ends_ns: list[int | None], now_ns: int) -> Actuation:
        at_ns = max((end_ns for end_ns in ends_ns if end_ns is not None), default=now_ns)
        return Actuation(at_ns, self._travel_um(at_ns))

    def _items_until(self, belt_um: int) -> list[WorldItem]:
        if self._world is None or belt_um <= self._passed_until_um:
            return []
        return self._world.items_between(self._passed_until_um, belt_um)

    def _outcome(self, item: WorldItem) -> ItemOutcome:
        return ItemOutcome(
            item_id=item.item_id,
            class_id=item.class_id,
            belt_um=item.belt_um,
            mass_g=item.mass_g,
            is_scored=item.is_scored,
            station_id=self._ejected_at(item),
            x_um=item.x_um,
        )

    def _ejected_at(self, item: WorldItem) -> str | None:
        """The first station one of whose jets meets the item's centre; counts the hit for the shots that blow it."""
        for station in self._stations:
            hits = self._shots_on(item, station)
            for shot in hits:
                shot.hit_count += 1
            if hits or self._is_blown_by_stuck_nozzle(item, station):
                return station.id
        return None

    def _is_blown_by_stuck_nozzle(self, item: WorldItem, station: StationSettings) -> bool:
        stuck_from_um = self._stuck_from_um.get(f"{station.id}:{nozzle_over(item.x_um, station)}")
        return stuck_from_um is not None and item.belt_um + mm_to_um(station.offset_mm) >= stuck_from_um

    def _shots_on(self, item: WorldItem, station: StationSettings) -> list[_Shot]:
        nozzle = nozzle_over(item.x_um, station)
        if nozzle is None or f"{station.id}:{nozzle}" in self._dead:
            return []
        travel_um = item.belt_um + mm_to_um(station.offset_mm)
        return [shot for shot in self._shots if shot.station.id == station.id and shot.blows(nozzle, travel_um)]

    def _take_told_shots(self) -> tuple[ShotOutcome, ...]:
        told = [shot for shot in self._shots if self._is_told(shot)]
        self._shots = [shot for shot in self._shots if not self._is_told(shot)]
        return tuple(ShotOutcome(shot.station.id, shot.opened_at_um, shot.hit_count) for shot in told)

    def _is_told(self, shot: _Shot) -> bool:
        if not shot.is_over:
            return False
        return shot.last_closed_at_um - mm_to_um(shot.station.offset_mm) < self._passed_until_um
