"""The scorecard on cases small enough to count by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.model.ejection import (
    Ack,
    AckStatus,
    Decision,
    DecisionReason,
    EjectionCommand,
    ItemOutcome,
    Outcomes,
    ShotOutcome,
)
from sorter.model.scorecard import MISSED_WINDOW_UM, Scorecard, wilson_interval
from sorter.model.settings import RecipeSettings, StationSettings
from sorter.model.units import NS_PER_MS

CLASSES = ("can", "pet", "glass")
CAN, PET, GLASS = range(3)
START_UM, END_UM = 1_000_000, 2_000_000
INSIDE_UM = 1_500_000
RECIPE = RecipeSettings(
    classes=CLASSES,
    stations=(
        StationSettings(id="cans", offset_mm=700.0, targets=("can",)),
        StationSettings(id="pets", offset_mm=1100.0, targets=("pet",)),
    ),
)


def card(end_um: int | None = END_UM) -> Scorecard:
    return Scorecard(RECIPE, START_UM, end_um)


def item(
    class_id: int, station_id: str | None, *, belt_um: int = INSIDE_UM, mass_g: float = 10.0, is_scored: bool = True
) -> ItemOutcome:
    return ItemOutcome(1, class_id, belt_um, mass_g, is_scored, station_id, 0)


def told(*items: ItemOutcome, shots: tuple[ShotOutcome, ...] = (), passed_until_um: int = 0) -> Outcomes:
    return Outcomes(passed_until_um, items, shots)


def decision(belt_um: int = INSIDE_UM, reason: DecisionReason = DecisionReason.EJECT) -> Decision:
    return Decision(1, 1, None, CAN, 0.9, reason, 3, belt_um, 0, 0, 0, 0)


def command(belt_um: int = INSIDE_UM, station_id: str = "cans") -> EjectionCommand:
    offset_um = {"cans": 700_000, "pets": 1_100_000}[station_id]
    opens_um = belt_um + offset_um
    return EjectionCommand("life", 1, (1,), station_id, 0, 1, opens_um, opens_um + 50_000, 0, "recipe")


def fired(order: EjectionCommand, late_um: int) -> Ack:
    return Ack("life", 1, AckStatus.FIRED, 0, order.open_at_travel_um + late_um, 1)


@pytest.mark.parametrize(
    ("success_count", "total_count", "low", "high"),
    [
        # Newcombe 1998, table I, method 3 (the score method)
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (29, 29, 0.8830, 1.0),
    ],
)
def test_the_interval_is_wilson_s(success_count: int, total_count: int, low: float, high: float) -> None:
    estimate = wilson_interval(success_count, total_count)
    assert estimate.value == success_count / total_count
    assert estimate.low == pytest.approx(low, abs=5e-5)
    assert estimate.high == pytest.approx(high, abs=5e-5)


def test_of_nothing_nothing_is_known() -> None:
    estimate = wilson_interval(0, 0)
    assert (estimate.value, estimate.low, estimate.high) == (None, 0.0, 1.0)


@given(total_count=st.integers(1, 10**6), share=st.floats(0.0, 1.0))
def test_the_interval_holds_the_share_and_stays_within_nought_and_one(total_count: int, share: float) -> None:
    success_count = round(total_count * share)
    estimate = wilson_interval(success_count, total_count)
    assert estimate.value is not None
    assert 0.0 <= estimate.low <= estimate.value + 1e-12
    assert estimate.value - 1e-12 <= estimate.high <= 1.0
    mirrored = wilson_interval(total_count - success_count, total_count)
    assert mirrored.low == pytest.approx(1.0 - estimate.high, abs=1e-9)


def test_recovery_is_of_targets_presented_and_purity_of_items_ejected() -> None:
    scores = card()
    scores.add_outcomes(told(*[item(CAN, "cans")] * 3, item(CAN, None), *[item(GLASS, "cans")] * 2, item(GLASS, None)))
    cans = scores.figures().stations["cans"]
    assert (cans.presented_count, cans.ejected_count, cans.target_ejected_count) == (4, 5, 3)
    assert cans.recovery == wilson_interval(3, 4)
    assert cans.purity == wilson_interval(3, 5)


def test_by_mass_the_heavy_weigh_more() -> None:
    scores = card()
    scores.add_outcomes(told(item(CAN, "cans", mass_g=30.0), item(CAN, None, mass_g=10.0)))
    scores.add_outcomes(told(item(GLASS, "cans", mass_g=90.0)))
    figures = scores.figures()
    for tally in (figures.stations["cans"], figures.overall):
        assert tally.recovery_by_mass == pytest.approx(30 / 40)
        assert tally.purity_by_mass == pytest.approx(30 / 120)


def test_a_target_that_another_station_took_is_lost_to_its_own_and_spoils_the_other_s_purity() -> None:
    scores = card()
    scores.add_outcomes(told(item(PET, "cans"), item(CAN, "cans")))
    figures = scores.figures()
    assert figures.stations["pets"].recovery == wilson_interval(0, 1)
    assert figures.stations["cans"].recovery == wilson_interval(1, 1)
    assert figures.stations["cans"].purity == wilson_interval(1, 2)
    assert figures.overall.recovery == wilson_interval(1, 2)
    assert figures.overall.purity == wilson_interval(1, 2)


def test_where_nothing_was_there_figures_are_unknown_and_not_nought() -> None:
    figures = card().figures()
    assert figures.count_error_ratio is None
    assert figures.missed_window_ratio is None
    assert figures.placement_error_p99_mm is None
    assert figures.frame_to_command_p50_ms is None
    assert figures.frame_to_command_p99_ms is None
    for tally in (*figures.stations.values(), figures.overall):
        assert tally.recovery.value is None
        assert tally.purity.value is None
        assert tally.recovery_by_mass is None
        assert tally.purity_by_mass is None
        assert tally.purity_counting_empty_shots is None


def test_an_item_that_a_seam_cuts_is_counted_but_in_neither_purity_nor_recovery() -> None:
    scores = card()
    scores.add_outcomes(told(item(CAN, "cans"), item(CAN, None, is_scored=False), item(GLASS, "cans", is_scored=False)))
    figures = scores.figures()
    assert figures.item_count == 3
    assert figures.overall.recovery == figures.overall.purity == wilson_interval(1, 1)


def test_a_shot_that_hit_nothing_is_empty_and_counts_as_one_item_in_its_own_purity_alone() -> None:
    scores = card()
    shots = (
        ShotOutcome("cans", INSIDE_UM + 700_000, 0),
        ShotOutcome("cans", INSIDE_UM + 700_000, 2),
        ShotOutcome("pets", INSIDE_UM + 1_100_000, 0),
    )
    scores.add_outcomes(told(item(CAN, "cans"), shots=shots))
    figures = scores.figures()
    assert figures.stations["cans"].empty_shot_count == 1
    assert figures.overall.empty_shot_count == 2
    assert figures.stations["cans"].purity == wilson_interval(1, 1)
    assert figures.stations["cans"].purity_counting_empty_shots == 0.5
    assert figures.overall.purity_counting_empty_shots == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("belt_um", "is_inside"), [(START_UM - 1, False), (START_UM, True), (END_UM - 1, True), (END_UM, False)]
)
def test_items_shots_commands_and_decisions_count_by_where_they_lie_on_the_belt(belt_um: int, is_inside: bool) -> None:
    scores = card()
    shots = (ShotOutcome("pets", belt_um + 1_100_000, 0),)
    scores.add_decision(decision(belt_um))
    order = command(belt_um, "pets")
    scores.add_settled(order, fired(order, 0))
    scores.add_outcomes(told(item(CAN, "cans", belt_um=belt_um), shots=shots, passed_until_um=END_UM))
    figures = scores.figures()
    counts = (figures.item_count, figures.counted_count, figures.command_count, figures.overall.empty_shot_count)
    assert counts == ((1, 1, 1, 1) if is_inside else (0, 0, 0, 0))


def test_an_open_stretch_has_no_end() -> None:
    scores = card(end_um=None)
    scores.add_outcomes(told(item(CAN, "cans", belt_um=10**12), item(CAN, "cans", belt_um=START_UM - 1)))
    assert scores.figures().item_count == 1


@pytest.mark.parametrize("late_um", [MISSED_WINDOW_UM, -MISSED_WINDOW_UM])
def test_opening_beside_the_window_either_way_is_a_miss(late_um: int) -> None:
    scores, order = card(), command()
    sign = int(math.copysign(1, late_um))
    scores.add_settled(order, fired(order, late_um))
    scores.pass_until(END_UM)
    assert scores.figures().missed_window_ratio == 0.0
    scores.add_settled(order, fired(order, late_um + sign))
    scores.pass_until(END_UM)
    assert scores.figures().missed_window_ratio == 0.5


@pytest.mark.parametrize("status", [status for status in AckStatus if status is not AckStatus.FIRED])
def test_a_command_refused_or_failed_is_a_miss_without_a_placement(status: AckStatus) -> None:
    scores, order = card(), command()
    scores.add_settled(order, Ack("life", 1, status))
    scores.pass_until(END_UM)
    figures = scores.figures()
    assert (figures.command_count, figures.missed_window_ratio) == (1, 1.0)
    assert figures.placement_error_p99_mm is None
    assert figures.acks == {status.value: 1}


def test_a_command_voided_for_belt_that_never_came_is_no_miss() -> None:
    scores = card()
    scores.add_settled(command(INSIDE_UM), Ack("life", 1, AckStatus.REFUSED_STALE))
    scores.pass_until(INSIDE_UM - 1)
    assert scores.figures().missed_window_ratio is None
    scores.pass_until(INSIDE_UM)
    assert scores.figures().missed_window_ratio == 1.0


def test_placement_is_in_millimetres_and_latency_in_milliseconds() -> None:
    scores, order = card(), command()
    for late_um in range(-50, 51):
        scores.add_settled(order, fired(order, late_um * 100))
    for milliseconds in range(101):
        scores.add_sent(decision(), milliseconds * NS_PER_MS)
    scores.add_sent(decision(belt_um=0), 9_000 * NS_PER_MS)  # before the scored stretch
    scores.pass_until(END_UM)
    figures = scores.figures()
    assert figures.placement_error_p99_mm == pytest.approx(5.0, rel=0.005)
    assert figures.frame_to_command_p50_ms == pytest.approx(50.0, rel=0.005)
    assert figures.frame_to_command_p99_ms == pytest.approx(99.0, rel=0.005)


def test_decided_items_are_counted_once_they_have_passed_and_fragments_never() -> None:
    scores = card()
    scores.add_decision(decision(1_700_000))
    scores.add_decision(decision(1_200_000, DecisionReason.NO_STATION))
    scores.add_decision(decision(1_300_000, DecisionReason.TOO_FEW_VIEWS))
    scores.add_decision(decision(1_300_000, DecisionReason.NOTHING))
    assert scores.figures().counted_count == 0
    scores.add_outcomes(told(item(CAN, None), passed_until_um=1_699_999))
    assert scores.figures().counted_count == 1
    scores.add_outcomes(told(item(CAN, None), passed_until_um=1_700_000))
    figures = scores.figures()
    assert figures.counted_count == 2
    assert figures.count_error_ratio == 0.0
    assert figures.decisions == {"eject": 1, "no_station": 1, "nothing": 1, "too_few_views": 1}


@given(counted=st.integers(0, 12), present=st.integers(1, 12))
def test_the_count_error_is_the_difference_over_what_was_there(counted: int, present: int) -> None:
    scores = card()
    for _ in range(counted):
        scores.add_decision(decision())
    scores.add_outcomes(told(*[item(GLASS, None)] * present, passed_until_um=END_UM))
    assert scores.figures().count_error_ratio == pytest.approx(abs(counted - present) / present)


@given(
    outcomes=st.lists(st.tuples(st.integers(0, 2), st.sampled_from([None, "cans", "pets"]), st.booleans()), max_size=40)
)
def test_over_all_stations_the_counts_are_the_sums_of_the_stations(
    outcomes: list[tuple[int, str | None, bool]],
) -> None:
    scores = card()
    items = [item(class_id, station_id, is_scored=is_scored) for class_id, station_id, is_scored in outcomes]
    scores.add_outcomes(told(*items))
    figures = scores.figures()
    tallies = list(figures.stations.values())
    for name in ("presented_count", "ejected_count", "target_ejected_count", "empty_shot_count"):
        assert getattr(figures.overall, name) == sum(getattr(tally, name) for tally in tallies)
    assert figures.item_count == len(items)
