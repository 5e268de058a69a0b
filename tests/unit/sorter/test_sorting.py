"""Sorting: tracks and belt in, one decision an item out, and a command where it is ejected."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.model.ejection import DecisionReason
from sorter.model.recipe import recipe_hash
from sorter.model.settings import CameraSettings, RecipeSettings, Settings, StationSettings
from sorter.model.tracks import BeltState, Track, TrackBatch
from sorter.model.units import NS_PER_MS, NS_PER_S
from sorter.policy.blast import blast_zone
from sorter.policy.evidence import no_calibration
from sorter.sorting import Ruling, Sorting

SPEED_UM_S = 2_000_000
VIEW_UM, STEP_UM = 800_000, 130_000
CANS = StationSettings(id="cans", offset_mm=700.0, targets=("can",))
PETS = StationSettings(id="pets", offset_mm=1100.0, targets=("pet",), first_nozzle_at_mm=20.0)
SETTINGS = Settings(
    camera=CameraSettings(view_length_mm=VIEW_UM / 1000, view_step_mm=STEP_UM / 1000),
    recipe=RecipeSettings(classes=("can", "pet", "glass"), stations=(CANS, PETS), command_validity_ms=5000.0),
)
CAN, PET, GLASS = (0.98, 0.01, 0.01), (0.01, 0.98, 0.01), (0.01, 0.01, 0.98)


def sorting(*, is_executing: bool = True) -> Sorting:
    made = Sorting(SETTINGS, no_calibration(3), "life")
    made.is_executing = is_executing
    return made


def track(
    track_id: int, belt_um: int, probs: tuple[float, ...] = CAN, x_um: int = 700_000, size_um: int = 100_000
) -> Track:
    return Track(track_id, x_um, belt_um, size_um, size_um, probs, 1, False)


def at_ns(travel_um: int) -> int:
    return travel_um * NS_PER_S // SPEED_UM_S


def belt(travel_um: int) -> BeltState:
    return BeltState(at_ns(travel_um), travel_um, SPEED_UM_S)


def run(line: Sorting, items: list[Track], until_um: int = 4_000_000, *, belt_step_um: int = 20_000) -> list[Ruling]:
    """The belt runs past the camera, which sees every item whose centre is in view."""
    rulings: list[Ruling] = []
    for travel_um in range(0, until_um, belt_step_um):
        rulings += line.take_belt(belt(travel_um), at_ns(travel_um))
        if travel_um % STEP_UM < belt_step_um:
            seen = tuple(item for item in items if travel_um <= item.belt_um < travel_um + VIEW_UM)
            batch = TrackBatch(travel_um, at_ns(travel_um), travel_um, "model", seen)
            rulings += line.take_tracks(batch, at_ns(travel_um))
    return rulings


def test_a_target_is_decided_once_and_commanded_where_it_will_be() -> None:
    (ruling,) = run(sorting(), [track(5, 1_500_000)])
    decision, command = ruling.decision, ruling.command
    assert (decision.track_id, decision.station_id, decision.reason) == (5, "cans", DecisionReason.EJECT)
    assert (decision.class_id, decision.belt_um, decision.x_um) == (0, 1_500_000, 700_000)
    assert command is not None
    zone = blast_zone(700_000, 1_500_000, 100_000, 100_000, CANS)
    assert zone is not None
    assert command.open_at_travel_um == zone.belt_low_um + 700_000
    assert command.close_at_travel_um == zone.belt_high_um + 700_000
    assert command.open_at_travel_um < 1_500_000 + 700_000 < command.close_at_travel_um
    assert (command.first_nozzle, command.last_nozzle) == (zone.first_nozzle, zone.last_nozzle)
    assert command.valid_until_ns == decision.decided_at_ns + 5000 * NS_PER_MS
    assert (command.boot_id, command.station_id) == ("life", "cans")
    assert command.recipe_hash == recipe_hash(SETTINGS.recipe)
    assert command.decision_ids == (decision.decision_id,)


def test_the_decision_rests_on_all_views_that_could_be_had() -> None:
    (ruling,) = run(sorting(), [track(5, 1_500_000)])
    assert ruling.decision.view_count == 6
    # the frame that showed it last is the one the decision rests on
    assert ruling.decision.frame_id == ruling.decision.exposed_at_ns * SPEED_UM_S // NS_PER_S
    assert 1_500_000 - STEP_UM - 20_000 <= ruling.decision.frame_id <= 1_500_000
    assert ruling.decision.decided_at_ns >= ruling.decision.exposed_at_ns


def test_each_station_takes_its_own_at_its_own_offset() -> None:
    items = [track(1, 1_200_000, CAN), track(2, 1_500_000, PET), track(3, 1_800_000, GLASS)]
    rulings = {ruling.decision.track_id: ruling for ruling in run(sorting(), items)}
    assert [rulings[number].decision.station_id for number in (1, 2, 3)] == ["cans", "pets", None]
    assert rulings[3].command is None
    assert rulings[3].decision.reason is DecisionReason.NO_STATION
    command = rulings[2].command
    assert command is not None
    assert (command.open_at_travel_um + command.close_at_travel_um) // 2 == 1_500_000 + 1_100_000


@st.composite
def belts(draw: st.DrawFn) -> list[Track]:
    return [
        track(
            number,
            900_000 + draw(st.integers(0, 1_500_000)),
            draw(st.sampled_from([CAN, PET, GLASS, (0.4, 0.3, 0.3)])),
            draw(st.integers(0, 1_390_000)),
            draw(st.integers(20_000, 300_000)),
        )
        for number in range(draw(st.integers(0, 8)))
    ]


@given(items=belts(), belt_step_um=st.sampled_from([5_000, 20_000, 60_000]), is_executing=st.booleans())
def test_every_item_is_decided_once_and_commands_are_numbered_and_in_time(
    items: list[Track], belt_step_um: int, is_executing: bool
) -> None:
    rulings = run(sorting(is_executing=is_executing), items, belt_step_um=belt_step_um)
    assert Counter(ruling.decision.track_id for ruling in rulings) == Counter(item.track_id for item in items)
    assert [ruling.decision.decision_id for ruling in rulings] == list(range(1, len(rulings) + 1))
    commands = [ruling.command for ruling in rulings if ruling.command is not None]
    assert [command.seq for command in commands] == list(range(1, len(commands) + 1))
    assert is_executing or not commands
    for ruling in rulings:
        assert (ruling.command is not None) == (ruling.decision.reason is DecisionReason.EJECT)
        assert (ruling.command is not None) == (ruling.decision.station_id is not None)
        if ruling.command is not None:
            travel_um = ruling.decision.decided_at_ns * SPEED_UM_S // NS_PER_S
            assert ruling.command.open_at_travel_um > travel_um


calls = st.lists(st.tuples(st.sampled_from(["belt", "tracks", "late tracks"]), st.integers(0, 300_000)), max_size=40)


@given(items=belts(), story=calls)
def test_no_item_is_decided_twice_whatever_is_called_in_which_order(
    items: list[Track], story: list[tuple[str, int]]
) -> None:
    line, travel_um = sorting(), 0
    decided: Counter[int] = Counter()
    for kind, step_um in story:
        travel_um += step_um
        if kind == "belt":
            rulings = line.take_belt(belt(travel_um), at_ns(travel_um))
        else:
            exposed_um = travel_um - (200_000 if kind == "late tracks" else 0)
            seen = tuple(item for item in items if exposed_um <= item.belt_um < exposed_um + VIEW_UM)
            rulings = line.take_tracks(TrackBatch(1, at_ns(exposed_um), exposed_um, "m", seen), at_ns(travel_um))
        decided.update(ruling.decision.track_id for ruling in rulings)
    assert set(decided.values()) <= {1}


def test_before_the_belt_is_known_nothing_is_decided() -> None:
    line = sorting()
    assert line.take_tracks(TrackBatch(1, 0, 0, "m", (track(1, 10_000),)), 0) == []
    assert len(line.take_belt(belt(0), 0)) == 1


def test_without_a_view_nothing_is_decided() -> None:
    assert sorting().take_belt(belt(5_000_000), at_ns(5_000_000)) == []


def test_while_the_line_does_not_execute_items_pass_with_that_reason() -> None:
    rulings = run(sorting(is_executing=False), [track(1, 1_500_000, CAN), track(2, 1_500_000, GLASS, 300_000)])
    reasons = {ruling.decision.track_id: ruling.decision.reason for ruling in rulings}
    assert reasons == {1: DecisionReason.NOT_EXECUTING, 2: DecisionReason.NO_STATION}
    assert all(ruling.command is None and ruling.decision.station_id is None for ruling in rulings)


@pytest.mark.parametrize(("past_um", "is_late"), [(-1, False), (0, True)])
def test_what_is_at_its_nozzles_already_is_too_late_for_a_command(past_um: int, is_late: bool) -> None:
    line, item = sorting(), track(1, 1_000_000)
    zone = blast_zone(item.x_um, item.belt_um, item.width_um, item.length_um, CANS)
    assert zone is not None
    # both views arrive together and late, as after a stall of the vision process
    for exposed_um in (500_000, 700_000):
        line.take_tracks(TrackBatch(1, at_ns(exposed_um), exposed_um, "m", (item,)), at_ns(exposed_um))
    (ruling,) = line.take_belt(
        BeltState(at_ns(1_700_000), zone.belt_low_um + 700_000 + past_um, SPEED_UM_S), at_ns(1_700_000)
    )
    assert (ruling.decision.reason is DecisionReason.TOO_LATE) == is_late
    assert (ruling.command is None) == is_late
    assert (ruling.decision.station_id is None) == is_late


def test_a_neighbour_that_is_ejected_earlier_does_not_block_and_one_that_stays_does() -> None:
    can, pet, glass = track(1, 1_500_000, CAN), track(2, 1_510_000, PET), track(3, 1_510_000, GLASS)
    behind = {ruling.decision.track_id: ruling.decision.reason for ruling in run(sorting(), [can, pet])}
    # the can is decided first and blocked by the bottle beside it; the bottle by the can that now stays
    assert behind == {1: DecisionReason.NEIGHBOURS, 2: DecisionReason.NEIGHBOURS}
    blocked = {ruling.decision.track_id: ruling.decision.reason for ruling in run(sorting(), [can, glass])}
    assert blocked == {1: DecisionReason.NEIGHBOURS, 3: DecisionReason.NO_STATION}
    two_cans = [ruling.decision.reason for ruling in run(sorting(), [can, track(4, 1_510_000, CAN)])]
    assert two_cans == [DecisionReason.EJECT, DecisionReason.EJECT]


def test_forgetting_items_takes_a_used_track_number_for_a_new_item() -> None:
    line = sorting()
    assert len(run(line, [track(1, 1_500_000)], until_um=1_800_000)) == 1
    line.forget_items()
    rulings: list[Ruling] = []
    for travel_um in range(1_900_000, 3_500_000, 20_000):
        rulings += line.take_belt(belt(travel_um), at_ns(travel_um))
        seen = (track(1, 2_500_000, PET),) if travel_um <= 2_500_000 < travel_um + VIEW_UM else ()
        rulings += line.take_tracks(TrackBatch(1, at_ns(travel_um), travel_um, "m", seen), at_ns(travel_um))
    (ruling,) = rulings
    assert (ruling.decision.station_id, ruling.decision.decision_id) == ("pets", 2)
    assert ruling.command is not None
    assert ruling.command.seq == 2


def test_screens_are_told_what_would_be_done_and_then_what_was_decided() -> None:
    line, items = sorting(), (track(1, 1_500_000, CAN), track(2, 1_500_000, GLASS, 300_000))
    batch = TrackBatch(9, at_ns(1_000_000), 1_000_000, "m", items)
    line.take_belt(belt(1_000_000), at_ns(1_000_000))
    line.take_tracks(batch, at_ns(1_000_000))
    once = line.assess(batch)
    assert once.frame_id == 9
    assert [intent.reason for intent in once.intents] == [DecisionReason.TOO_FEW_VIEWS] * 2
    line.take_tracks(batch, at_ns(1_000_000))
    can, glass = line.assess(batch).intents
    assert (can.track_id, can.station_id, can.reason, can.is_decided) == (1, "cans", DecisionReason.EJECT, False)
    assert (glass.station_id, glass.reason, glass.is_decided) == (None, DecisionReason.NO_STATION, False)
    line.take_belt(belt(1_501_000), at_ns(1_501_000))
    assert all(intent.is_decided for intent in line.assess(batch).intents)
    assert np.isclose(line.assess(batch).intents[0].probability, 0.98, atol=0.01)


def test_a_view_that_comes_after_its_items_have_passed_is_assessed_without_them() -> None:
    line = sorting()
    late = TrackBatch(1, at_ns(0), 0, "model", (track(1, 300_000), track(2, 9_800_000)))
    line.take_belt(belt(10_000_000), at_ns(10_000_000))
    line.take_tracks(late, at_ns(10_000_000))
    assert [intent.track_id for intent in line.assess(late).intents] == [2]
