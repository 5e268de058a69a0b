"""The simulated bar's physics: when valves move, what the jet takes along, and what is told of it."""

import statistics

import msgspec
import pytest

from actuators.drivers.simulated import SimulatedBar
from sorter.model.drive import BeltDrive
from sorter.model.ejection import Outcomes, ShotOutcome
from sorter.model.settings import BeltSettings, RecipeSettings, Settings, StationSettings, ValveSettings
from sorter.model.units import NS_PER_MS, NS_PER_S
from sorter.model.world import WorldItem

EPOCH_NS = 1_000_000_000
LIMIT_NS = 600 * NS_PER_MS
# two bars of 100 nozzles, 10 mm each; belt at 1 m/s, so 1 ms is 1 mm
PET = StationSettings(id="pet", offset_mm=700.0, targets=("pet_clear",), nozzle_count=100, nozzle_pitch_mm=10.0)
CAN = msgspec.structs.replace(PET, id="can", offset_mm=1500.0, targets=("can",))
EXACT = Settings(
    belt=BeltSettings(speed_m_s=1.0),
    recipe=RecipeSettings(stations=(CAN, PET)),
    valves=ValveSettings(response_ms=8.0, jitter_ms=0.0),
)


def item(item_id: int, x_mm: float, belt_mm: float, *, is_scored: bool = True) -> WorldItem:
    return WorldItem(
        item_id=item_id,
        class_id=0,
        x_um=round(x_mm * 1000),
        belt_um=round(belt_mm * 1000),
        width_um=100_000,
        length_um=100_000,
        rotation_rad=0.0,
        appearance_seed=0,
        mass_g=20.0,
        is_scored=is_scored,
    )


class ListedWorld:
    """A world of given items."""

    def __init__(self, items: list[WorldItem]) -> None:
        self._items = sorted(items, key=lambda item: item.belt_um)

    def items_between(self, start_um: int, end_um: int) -> list[WorldItem]:
        return [item for item in self._items if start_um <= item.belt_um < end_um]


def bar_over(*items: WorldItem, settings: Settings = EXACT) -> SimulatedBar:
    return SimulatedBar(settings, BeltDrive(settings.belt), EPOCH_NS, ListedWorld(list(items)))


def at_travel_mm(travel_mm: float) -> int:
    """The instant at which the exact belt has moved so far."""
    return EPOCH_NS + round(travel_mm * NS_PER_MS)


def shoot(bar: SimulatedBar, station_id: str, nozzles: tuple[int, int], open_mm: float, close_mm: float) -> None:
    """Open so that the jet stands between two travels, the response of 8 ms taken into account."""
    bar.open(station_id, *nozzles, at_travel_mm(open_mm - 8), LIMIT_NS)
    bar.close(station_id, *nozzles, at_travel_mm(close_mm - 8))


def fates(outcomes: Outcomes) -> dict[int, str | None]:
    return {item.item_id: item.station_id for item in outcomes.items}


def test_a_valve_moves_one_response_after_the_command() -> None:
    bar = bar_over()
    opening = bar.open("pet", 0, 9, at_travel_mm(1000), LIMIT_NS)
    closing = bar.close("pet", 0, 9, at_travel_mm(1100))
    assert (opening.at_ns, opening.travel_um) == (at_travel_mm(1008), 1_008_000)
    assert (closing.at_ns, closing.travel_um) == (at_travel_mm(1108), 1_108_000)


def test_jitter_is_normal_seeded_and_never_lets_a_valve_close_before_it_opened() -> None:
    settings = msgspec.structs.replace(EXACT, valves=ValveSettings(response_ms=8.0, jitter_ms=0.5))
    delays_ms: list[list[float]] = []
    for _ in range(2):
        bar = bar_over(settings=settings)
        delays_ms.append([])
        for shot in range(2000):
            now_ns = at_travel_mm(shot * 10)
            opening = bar.open("pet", 0, 9, now_ns, LIMIT_NS)
            closing = bar.close("pet", 0, 9, now_ns)
            assert closing.at_ns >= opening.at_ns >= now_ns
            delays_ms[-1].append((opening.at_ns - now_ns) / NS_PER_MS)
    assert delays_ms[0] == delays_ms[1]
    assert statistics.mean(delays_ms[0]) == pytest.approx(8.0, abs=0.05)
    assert statistics.stdev(delays_ms[0]) == pytest.approx(0.5, rel=0.1)


def test_what_lies_in_the_jet_is_ejected_and_the_rest_is_not() -> None:
    bar = bar_over(
        item(1, x_mm=300.0, belt_mm=300.0),  # the one meant
        item(2, x_mm=349.9, belt_mm=340.0),  # its neighbour in the jet
        item(3, x_mm=350.1, belt_mm=300.0),  # beside the last nozzle
        item(4, x_mm=249.9, belt_mm=300.0),  # beside the first
        item(5, x_mm=300.0, belt_mm=249.0),  # has passed
        item(6, x_mm=300.0, belt_mm=351.0),  # comes after
    )
    shoot(bar, "pet", (25, 34), 950, 1050)
    outcomes = bar.outcomes(at_travel_mm(5000))
    assert fates(outcomes) == {1: "pet", 2: "pet", 3: None, 4: None, 5: None, 6: None}
    assert outcomes.shots == (ShotOutcome("pet", 950_000, 2),)


def test_items_beside_the_bar_are_out_of_reach() -> None:
    bar = bar_over(item(1, x_mm=-0.1, belt_mm=300.0), item(2, x_mm=1000.1, belt_mm=300.0))
    shoot(bar, "pet", (0, 99), 950, 1050)
    assert fates(bar.outcomes(at_travel_mm(5000))) == {1: None, 2: None}


def test_dead_nozzles_do_not_blow_and_others_of_the_shot_do() -> None:
    settings = msgspec.structs.replace(
        EXACT, valves=ValveSettings(response_ms=8.0, jitter_ms=0.0, dead_nozzles=("pet:30",))
    )
    bar = bar_over(item(1, 305.0, 300.0), item(2, 315.0, 300.0), settings=settings)
    shoot(bar, "pet", (25, 34), 950, 1050)
    assert fates(bar.outcomes(at_travel_mm(5000))) == {1: None, 2: "pet"}


def test_an_item_is_ejected_once_by_the_first_station_that_hits_it() -> None:
    bar = bar_over(item(1, 300.0, 300.0))
    shoot(bar, "pet", (25, 34), 950, 1050)
    shoot(bar, "can", (25, 34), 1750, 1850)
    outcomes = bar.outcomes(at_travel_mm(5000))
    assert fates(outcomes) == {1: "pet"}
    assert set(outcomes.shots) == {ShotOutcome("pet", 950_000, 1), ShotOutcome("can", 1_750_000, 0)}


def test_shared_nozzles_close_for_both_shots_and_both_hit() -> None:
    bar = bar_over(item(1, 305.0, 340.0), item(2, 255.0, 340.0))
    bar.open("pet", 25, 34, at_travel_mm(950 - 8), LIMIT_NS)
    bar.open("pet", 30, 39, at_travel_mm(1000 - 8), LIMIT_NS)
    bar.close("pet", 25, 29, at_travel_mm(1020 - 8))  # what the second shot does not need
    bar.close("pet", 30, 39, at_travel_mm(1100 - 8))
    outcomes = bar.outcomes(at_travel_mm(5000))
    assert fates(outcomes) == {1: "pet", 2: None}
    assert {shot.hit_count for shot in outcomes.shots} == {1}


def test_a_jet_that_never_closes_keeps_ejecting_and_is_not_told_of_yet() -> None:
    bar = bar_over(item(1, 305.0, 300.0), item(2, 305.0, 3000.0))
    bar.open("pet", 25, 34, at_travel_mm(950), limit_ns=10**12)
    outcomes = bar.outcomes(at_travel_mm(8000))
    assert fates(outcomes) == {1: "pet", 2: "pet"}
    assert outcomes.shots == ()
    bar.close_all(at_travel_mm(8000))
    assert bar.outcomes(at_travel_mm(12_000)).shots == (ShotOutcome("pet", 958_000, 2),)


def test_a_pulse_that_nobody_ends_ends_by_itself() -> None:
    bar = bar_over(item(1, x_mm=300.0, belt_mm=300.0), item(2, x_mm=300.0, belt_mm=400.0))
    bar.open("pet", 25, 34, at_travel_mm(950), limit_ns=100 * NS_PER_MS)
    outcomes = bar.outcomes(at_travel_mm(5000))
    assert fates(outcomes) == {1: "pet", 2: None}
    assert outcomes.shots == (ShotOutcome("pet", 958_000, 1),)


def test_opening_anew_sets_the_limit_anew_for_the_nozzles_concerned() -> None:
    bar = bar_over(item(1, x_mm=255.0, belt_mm=400.0), item(2, x_mm=305.0, belt_mm=400.0))
    bar.open("pet", 25, 26, at_travel_mm(950), limit_ns=100 * NS_PER_MS)
    bar.open("pet", 30, 31, at_travel_mm(950), limit_ns=100 * NS_PER_MS)
    bar.open("pet", 30, 31, at_travel_mm(1040), limit_ns=100 * NS_PER_MS)
    assert fates(bar.outcomes(at_travel_mm(5000))) == {1: None, 2: "pet"}


def broken(**keys: object) -> Settings:
    valves = ValveSettings(response_ms=8.0, jitter_ms=0.0, **keys)  # type: ignore[arg-type]
    return msgspec.structs.replace(EXACT, valves=valves)


def test_a_nozzle_that_sticks_takes_everything_from_its_first_shot_on() -> None:
    items = (item(1, 305.0, 100.0), item(2, 305.0, 300.0), item(3, 305.0, 3000.0), item(4, 315.0, 3000.0))
    bar = bar_over(*items, settings=broken(stuck_open_nozzles=("pet:30",)))
    shoot(bar, "pet", (25, 34), 950, 1050)
    outcomes = bar.outcomes(at_travel_mm(8000))
    assert fates(outcomes) == {1: None, 2: "pet", 3: "pet", 4: None}
    assert outcomes.shots == (ShotOutcome("pet", 950_000, 1),)


def test_a_slow_nozzle_misses_what_comes_first() -> None:
    items = (item(1, 305.0, 255.0), item(2, 305.0, 275.0), item(3, 315.0, 255.0))
    bar = bar_over(*items, settings=broken(slow_nozzles=("pet:30",), slow_by_ms=10.0))
    shoot(bar, "pet", (25, 34), 950, 1050)
    assert fates(bar.outcomes(at_travel_mm(5000))) == {1: None, 2: "pet", 3: "pet"}


def test_each_nozzle_has_its_own_response() -> None:
    bar = bar_over(settings=broken(own_response_ms={"pet": 12.0, "pet:3": 20.0}))
    now_ns = at_travel_mm(1000)
    opened_ms = [
        (bar.open(*call, now_ns, LIMIT_NS).at_ns - now_ns) / NS_PER_MS
        for call in (("pet", 0, 2), ("pet", 3, 3), ("pet", 0, 9), ("can", 3, 3))
    ]
    assert opened_ms == [12.0, 20.0, 20.0, 8.0]


def test_everything_is_told_once_and_only_when_it_is_certain() -> None:
    items = [item(number, 305.0, 100.0 * number) for number in range(1, 40)]
    bar = bar_over(*items)
    told: list[int] = []
    shot_count = 0
    until_um = 0
    for travel_mm in range(0, 10_000, 50):
        if travel_mm % 400 == 0:
            shoot(bar, "pet", (25, 34), travel_mm + 10, travel_mm + 40)
        outcomes = bar.outcomes(at_travel_mm(travel_mm))
        assert outcomes.passed_until_um >= until_um
        assert all(until_um <= item.belt_um < outcomes.passed_until_um for item in outcomes.items)
        assert all(item.belt_um + 1_500_000 < travel_mm * 1000 for item in outcomes.items)
        until_um = outcomes.passed_until_um
        told += [item.item_id for item in outcomes.items]
        shot_count += len(outcomes.shots)
    assert told == list(range(1, 40))
    assert shot_count == sum(1 for open_mm in range(0, 10_000, 400) if open_mm + 40 - 700 < until_um // 1000)
    assert bar.outcomes(at_travel_mm(9950)) == Outcomes(until_um, (), ())


def test_without_a_world_shots_hit_nothing_known() -> None:
    bar = SimulatedBar(EXACT, BeltDrive(EXACT.belt), EPOCH_NS, None)
    shoot(bar, "pet", (25, 34), 950, 1050)
    outcomes = bar.outcomes(at_travel_mm(5000))
    assert outcomes.items == ()
    assert outcomes.shots == (ShotOutcome("pet", 950_000, 0),)


def test_a_bar_that_starts_later_tells_nothing_of_what_had_passed_before() -> None:
    world = ListedWorld([item(1, 305.0, 1200.0), item(2, 305.0, 1400.0)])
    bar = SimulatedBar(EXACT, BeltDrive(EXACT.belt), EPOCH_NS, world, started_at_ns=EPOCH_NS + 2 * NS_PER_S)
    assert fates(bar.outcomes(at_travel_mm(8000))) == {2: None}
