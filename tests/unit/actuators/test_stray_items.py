"""Stuck-open nozzles: found from what leaves the belt without a shot; what a shot may have taken along says nothing."""

import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actuators.blow import Blow
from actuators.nozzle_use import Nozzle, NozzleUse
from actuators.stray_items import StrayItems
from actuators.valve_health import ValveHealth
from sorter.model.ejection import Ack, AckStatus, EjectionCommand, ItemOutcome, Outcomes, ShotOutcome
from sorter.model.settings import RecipeSettings, Settings, StationSettings
from sorter.model.units import NS_PER_S, UM_PER_M

# two bars of 20 nozzles, 50 mm each
PET = StationSettings(id="pet", offset_mm=700.0, targets=("pet_clear",), nozzle_count=20, nozzle_pitch_mm=50.0)
CAN = msgspec.structs.replace(PET, id="can", offset_mm=1500.0, targets=("can",))
SETTINGS = Settings(recipe=RecipeSettings(stations=(CAN, PET)))
GAP_UM = 300_000


def passed(number: int, nozzle: int, left_at: str | None) -> ItemOutcome:
    return ItemOutcome(number, 0, number * GAP_UM, 20.0, True, left_at, nozzle * 50_000 + 25_000)


def told(*items: ItemOutcome, until_um: int) -> Outcomes:
    return Outcomes(until_um, items, ())


def shot_at(item: ItemOutcome, station: StationSettings, nozzle: int, aside_um: int = 0) -> Blow:
    open_um = item.belt_um + round(station.offset_mm * 1000) - 50_000 + aside_um
    return Blow(station.id, max(0, nozzle - 1), min(19, nozzle + 1), open_um, open_um + 100_000)


class Belt:
    """Items past two bars, one after the other; some nozzles let nothing pass."""

    def __init__(self, stuck: set[Nozzle], by_itself_ratio: float = 0.0) -> None:
        self.stray = StrayItems(SETTINGS)
        self.stuck = stuck
        self.by_itself_ratio = by_itself_ratio

    def run(self, item_count: int, seed: int) -> set[Nozzle]:
        rng = random.Random(seed)
        for number in range(item_count):
            nozzle = rng.randrange(20)
            left_at = next((station for station in ("pet", "can") if (station, nozzle) in self.stuck), None)
            if left_at is None and rng.random() < self.by_itself_ratio:
                left_at = rng.choice(["pet", "can"])
            item = passed(number, nozzle, left_at)
            if rng.random() < 0.5:
                # aimed at, and hit
                item = msgspec.structs.replace(item, station_id=left_at or "can")
                self.stray.note_shot(shot_at(item, CAN, nozzle))
            self.stray.note_outcomes(told(item, until_um=item.belt_um + 1))
        self.stray.note_outcomes(told(until_um=item_count * GAP_UM + 2 * UM_PER_M))
        return set(self.stray.stuck_open_nozzles())


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("stuck", [("pet", 7), ("can", 0), ("can", 19)])
def test_a_nozzle_that_sticks_open_is_found_and_no_other(stuck: Nozzle, seed: int) -> None:
    assert Belt({stuck}).run(400, seed) == {stuck}
    assert Belt({stuck}, by_itself_ratio=0.01).run(400, seed) == {stuck}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("by_itself_ratio", [0.0, 0.01, 0.2])
def test_where_items_leave_alike_everywhere_nobody_is_suspected(by_itself_ratio: float, seed: int) -> None:
    assert Belt(set(), by_itself_ratio).run(1000, seed) == set()


@settings(deadline=None, max_examples=100)
@given(
    st.lists(
        st.tuples(st.integers(0, 19), st.sampled_from(["pet", "can"]), st.integers(-90_000, 90_000)),
        min_size=1, max_size=60,
    )
)  # fmt: skip
def test_what_left_near_a_shot_never_counts(shots: list[tuple[int, str, int]]) -> None:
    """Every item leaves where a shot, early or late, was meant for it: that is no sign, however many they are."""
    stray = StrayItems(SETTINGS)
    for number, (nozzle, station_id, aside_um) in enumerate(shots):
        item = passed(number, nozzle, station_id)
        # told before its shot is, as an item at a shot's downstream end may be
        stray.note_outcomes(told(item, until_um=item.belt_um + 1))
        stray.note_shot(shot_at(item, PET if station_id == "pet" else CAN, nozzle, aside_um))
    stray.note_outcomes(told(until_um=len(shots) * GAP_UM + 2 * UM_PER_M))
    assert stray.stuck_open_nozzles() == set()


def test_one_item_that_fell_off_is_no_sign_and_a_row_of_them_is() -> None:
    for count, expected in ((1, set()), (2, set()), (4, {("pet", 3)})):
        stray = StrayItems(SETTINGS)
        for number in range(40):
            stray.note_outcomes(told(passed(number, 10, None), until_um=0))
        for number in range(40, 40 + count):
            stray.note_outcomes(told(passed(number, 3, "pet"), until_um=0))
        stray.note_outcomes(told(until_um=100 * GAP_UM))
        assert stray.stuck_open_nozzles() == expected


def test_an_item_beside_the_bar_or_taken_off_before_it_is_no_case() -> None:
    stray = StrayItems(SETTINGS)
    for number in range(30):
        stray.note_outcomes(told(passed(number, 25, "pet"), passed(number, 4, "pet"), until_um=0))
    stray.note_outcomes(told(until_um=100 * GAP_UM))
    assert stray.stuck_open_nozzles() == {("pet", 4)}


def test_what_leaves_while_somebody_holds_the_nozzle_open_is_no_sign() -> None:
    by_hand, by_itself = StrayItems(SETTINGS), StrayItems(SETTINGS)
    for number in range(30):
        item = passed(number, 4, "pet")
        for aside_um in range(-100_000, 100_000, 10_000):
            by_hand.note_by_hand(("pet", 4), item.belt_um + 700_000 + aside_um)
        for stray in (by_hand, by_itself):
            stray.note_outcomes(told(item, until_um=item.belt_um + 1))
    for stray in (by_hand, by_itself):
        stray.note_outcomes(told(until_um=100 * GAP_UM))
    assert by_hand.stuck_open_nozzles() == set()
    assert by_itself.stuck_open_nozzles() == {("pet", 4)}


def test_the_report_names_it_though_it_never_fired_and_dead_ones_beside_it() -> None:
    health = ValveHealth(SETTINGS)
    for number in range(10):
        health.note_outcomes(told(passed(number, 4, "pet"), until_um=0))
    health.note_outcomes(told(until_um=100 * GAP_UM))
    report = health.report(NozzleUse(NS_PER_S), NS_PER_S)
    assert [(one.station_id, one.nozzle, one.shot_count, one.suspicion) for one in report.nozzles] == [
        ("pet", 4, 0, "stuck_open")
    ]


def fired_at(health: ValveHealth, item: ItemOutcome, station: StationSettings, nozzle: int) -> Blow:
    """A shot at an item, as the controller tells of it."""
    blow = shot_at(item, station, nozzle)
    command = EjectionCommand(
        "life", item.item_id, (), station.id, blow.first_nozzle, blow.last_nozzle, blow.from_um, blow.to_um, 1, "r"
    )
    health.note_fired(command, Ack("life", item.item_id, AckStatus.FIRED, 1, blow.from_um, 2))
    return blow


def test_a_shot_that_fired_is_known_to_the_health() -> None:
    health = ValveHealth(SETTINGS)
    for number in range(30):
        item = passed(number, 4, "pet")
        fired_at(health, item, PET, 4)
        health.note_outcomes(told(item, until_um=item.belt_um))
    health.note_outcomes(told(until_um=100 * GAP_UM))
    assert health.report(NozzleUse(NS_PER_S), NS_PER_S).nozzles == ()


def test_a_nozzle_is_dead_though_another_bar_takes_what_it_missed() -> None:
    health, use = ValveHealth(SETTINGS), NozzleUse(NS_PER_S)
    use.energise(("pet", 4), 0)
    for number in range(60):
        is_at_it = number % 2 == 0
        item = passed(number, 4 if is_at_it else 12, "can" if is_at_it else "pet")
        blow = fired_at(health, item, PET, 4 if is_at_it else 12)
        health.note_outcomes(Outcomes(item.belt_um, (item,), (ShotOutcome("pet", blow.from_um, int(not is_at_it)),)))
    found = {(one.station_id, one.nozzle): one.suspicion for one in health.report(use, NS_PER_S).nozzles}
    # nobody aimed at the second bar
    assert found == {("pet", 4): "dead", ("can", 4): "stuck_open"}


@pytest.mark.parametrize(("left_at", "suspicion"), [("pet", None), (None, "dead")])
def test_a_nozzle_is_not_dead_because_one_upstream_sticks_open(left_at: str | None, suspicion: str | None) -> None:
    """Shots of the second bar miss: items are gone before, or it does not blow."""
    health, use = ValveHealth(SETTINGS), NozzleUse(NS_PER_S)
    use.energise(("can", 4), 0)
    for number in range(60):
        is_at_it = number % 2 == 0
        item = passed(number, 4 if is_at_it else 12, left_at if is_at_it else "can")
        blow = fired_at(health, item, CAN, 4 if is_at_it else 12)
        shot = ShotOutcome("can", blow.from_um, 0 if is_at_it else 1)
        health.note_outcomes(Outcomes(item.belt_um, (item,), (shot,)))
    found = {(one.station_id, one.nozzle): one.suspicion for one in health.report(use, NS_PER_S).nozzles}
    assert found["can", 4] == suspicion


def test_memory_is_bounded_however_long_the_line_runs() -> None:
    belt = Belt(set())
    belt.run(5000, 1)
    assert len(belt.stray._blows) + len(belt.stray._waiting) < 10
