"""Sums of events over minutes, hours and days: what statistics are made of, long after single events are gone.

All values are whole numbers, so that sums are the same in whichever order they are made: on the line, on the hub, and
from the raw events.
"""

import enum
from collections.abc import Iterable, Iterator

import msgspec

from sorter.model.ejection import AckStatus
from sorter.model.events import AnyEvent, EnergyUsed, Event, FaultNoted, ItemDecided, ModeTime
from sorter.model.scorecard import MISSED_WINDOW_UM

PPM = 1_000_000
_UM2_PER_MM2 = 1_000_000
_MG_PER_G = 1000


class Resolution(enum.Enum):
    """Lengths that events are summed over; the value is in milliseconds. Days are those of UTC."""

    MINUTE = 60_000
    HOUR = 3_600_000
    DAY = 86_400_000


class Period(msgspec.Struct, frozen=True):
    """A stretch of wall time, milliseconds since 1970 UTC; `to_ms` is not in it."""

    from_ms: int
    to_ms: int

    @property
    def duration_ms(self) -> int:
        """How long it is."""
        return max(0, self.to_ms - self.from_ms)


class ItemsKey(msgspec.Struct, frozen=True, order=True):
    """What items are told apart by; `station_id` is whose valves fired at them, empty for what stayed on the belt."""

    start_ms: int
    device_id: str
    model_id: str
    recipe_hash: str
    station_id: str
    class_name: str


class ItemsSum(msgspec.Struct):
    """Sums over items.

    All but `expected_ppm` are over items decided to be of the class; `expected_ppm` is the sum of the probabilities,
    in millionths, that items decided to be whatever are of it.
    """

    item_count: int = 0
    expected_ppm: int = 0
    area_mm2: int = 0
    mass_mg: int = 0
    mass_variance_mg2: int = 0
    overlap_ppm: int = 0

    def add(self, other: "ItemsSum") -> None:
        """Add another sum to this one."""
        self.item_count += other.item_count
        self.expected_ppm += other.expected_ppm
        self.area_mm2 += other.area_mm2
        self.mass_mg += other.mass_mg
        self.mass_variance_mg2 += other.mass_variance_mg2
        self.overlap_ppm += other.overlap_ppm


class CountKey(msgspec.Struct, frozen=True, order=True):
    """What is counted: a `name` of the list in `CountName`, and a label within it."""

    start_ms: int
    device_id: str
    name: str
    label: str


class CountName:
    """Names of counts, and what their labels are."""

    MODE_MS = "mode_ms"  # mode: time in it
    ACK = "ack"  # "station/status": commands by how they were answered
    REFUSAL = "refusal"  # "station/reason": commands that did not fire, finer
    MISPLACED = "misplaced"  # station: shots that opened too far from where they were to
    DECISION = "decision"  # reason: decided tracks, what was no item included
    FAULT = "fault"  # "process/code": faults raised
    ENERGY_MJ = "energy_mj"  # source
    ENERGY_MS = "energy_ms"  # source: time for which energy is known
    AIR_UL = "air_ul"  # empty
    SHOTS = "shots"  # empty: how often a nozzle opened
    UNSTORED = "unstored"  # kind: events that are in the sums but not kept singly, since the disk was full


class RollUp(msgspec.Struct):
    """Sums by key."""

    items: dict[ItemsKey, ItemsSum] = {}
    counts: dict[CountKey, int] = {}

    def add(self, other: "RollUp") -> None:
        """Add other sums to these."""
        for key, sums in other.items.items():
            self.items.setdefault(key, ItemsSum()).add(sums)
        for count_key, value in other.counts.items():
            self.counts[count_key] = self.counts.get(count_key, 0) + value

    def count(self, name: str, value: int, *, start_ms: int, device_id: str, label: str = "") -> None:
        """Add to one count."""
        key = CountKey(start_ms, device_id, name, label)
        self.counts[key] = self.counts.get(key, 0) + value

    def to(self, resolution: Resolution) -> "RollUp":
        """The same sums over longer stretches."""
        longer = RollUp()
        for key, sums in self.items.items():
            at = msgspec.structs.replace(key, start_ms=start_of(key.start_ms, resolution))
            longer.items.setdefault(at, ItemsSum()).add(sums)
        for count_key, value in self.counts.items():
            label, name, device_id = count_key.label, count_key.name, count_key.device_id
            start_ms = start_of(count_key.start_ms, resolution)
            longer.count(name, value, start_ms=start_ms, device_id=device_id, label=label)
        return longer


def start_of(at_ms: int, resolution: Resolution) -> int:
    """When the minute, hour or day began that an instant lies in."""
    return at_ms - at_ms % resolution.value


def rolled_up(events: Iterable[AnyEvent]) -> RollUp:
    """Sums of events by the minute."""
    sums = RollUp()
    for event in events:
        match event:
            case ItemDecided():
                _add_item(sums, event)
            case ModeTime():
                _count(sums, event, CountName.MODE_MS, event.duration_ms, event.mode.value)
            case FaultNoted(is_cleared=False):
                _count(sums, event, CountName.FAULT, 1, f"{event.process}/{event.code}")
            case EnergyUsed():
                _add_energy(sums, event)
    return sums


def summed_only(events: Iterable[AnyEvent]) -> RollUp:
    """Sums of events that will not be kept singly, and how many there were of each kind."""
    kept = tuple(events)
    sums = rolled_up(kept)
    for event in kept:
        _count(sums, event, CountName.UNSTORED, 1, str(type(event).__struct_config__.tag))
    return sums


def stretches(period: Period) -> Iterator[tuple[Resolution, Period]]:
    """The fewest whole days, hours and minutes that make up a period, its ends moved outwards to whole minutes."""
    minute = Resolution.MINUTE
    from_ms, to_ms = start_of(period.from_ms, minute), -start_of(-period.to_ms, minute)
    yield from _stretches(from_ms, to_ms, (Resolution.DAY, Resolution.HOUR, minute))


def _stretches(from_ms: int, to_ms: int, resolutions: tuple[Resolution, ...]) -> Iterator[tuple[Resolution, Period]]:
    if from_ms >= to_ms:
        return
    longest, *shorter = resolutions
    first_ms, last_ms = -start_of(-from_ms, longest), start_of(to_ms, longest)
    if first_ms >= last_ms:
        yield from _stretches(from_ms, to_ms, tuple(shorter))
        return
    yield from _stretches(from_ms, first_ms, tuple(shorter))
    yield longest, Period(first_ms, last_ms)
    yield from _stretches(last_ms, to_ms, tuple(shorter))


def _add_item(sums: RollUp, event: ItemDecided) -> None:
    _count(sums, event, CountName.DECISION, 1, event.reason.value)
    if event.ack_status is not None:
        _count(sums, event, CountName.ACK, 1, f"{event.station_id}/{event.ack_status.value}")
    if abs(event.placement_error_um or 0) > MISSED_WINDOW_UM:
        _count(sums, event, CountName.MISPLACED, 1, str(event.station_id))
    if event.refusal is not None:
        _count(sums, event, CountName.REFUSAL, 1, f"{event.station_id}/{event.refusal.value}")
    if not event.is_item:
        return
    start_ms = start_of(event.at_ms, Resolution.MINUTE)
    station_id = event.station_id if event.ack_status is AckStatus.FIRED and event.station_id else ""
    place = (start_ms, event.device_id, event.model_id, event.recipe_hash, station_id)
    for class_name, probability in event.class_probabilities.items():
        _sum_at(sums, ItemsKey(*place, class_name)).expected_ppm += round(probability * PPM)
    _sum_at(sums, ItemsKey(*place, event.class_name)).add(
        ItemsSum(
            item_count=1,
            area_mm2=round(event.width_um * event.length_um / _UM2_PER_MM2),
            mass_mg=round(event.mass_g * _MG_PER_G),
            mass_variance_mg2=round((event.mass_sd_g * _MG_PER_G) ** 2),
            overlap_ppm=round(event.overlap_ratio * PPM),
        )
    )


def _add_energy(sums: RollUp, event: EnergyUsed) -> None:
    _count(sums, event, CountName.ENERGY_MJ, event.energy_mj, event.source)
    _count(sums, event, CountName.ENERGY_MS, event.duration_ms, event.source)
    _count(sums, event, CountName.AIR_UL, event.air_ul)
    _count(sums, event, CountName.SHOTS, event.shot_count)


def _sum_at(sums: RollUp, key: ItemsKey) -> ItemsSum:
    found = sums.items.get(key)
    if found is None:
        found = sums.items[key] = ItemsSum()
    return found


def _count(sums: RollUp, event: Event, name: str, value: int, label: str = "") -> None:
    # a stretch of time belongs to the minute it lies in, not to the one that begins with its end
    at_ms = event.at_ms - 1 if isinstance(event, ModeTime) else event.at_ms
    sums.count(name, value, start_ms=start_of(at_ms, Resolution.MINUTE), device_id=event.device_id, label=label)
