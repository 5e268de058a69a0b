"""The decision on an item: when it is ejected, by which station, and with what reason it passes."""

from collections.abc import Sequence

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.model.ejection import DecisionReason
from sorter.model.recipe import non_target_cost
from sorter.model.settings import RecipeSettings, StationSettings
from sorter.policy.blast import Candidate, expected_value
from sorter.policy.decision import BeltItem, decide, other_probability, target_probability

CLASSES = ("can", "pet", "glass")
CAN, PET, GLASS = (np.eye(3)[index] for index in range(3))
NEAR_UM, FAR_UM = 700_000, 1_100_000


def bar(name: str, offset_mm: float, *targets: str, **keys: float) -> StationSettings:
    return StationSettings(id=name, offset_mm=offset_mm, targets=targets, **keys)  # type: ignore[arg-type]


CANS = bar("cans", 700.0, "can")
PETS = bar("pets", 1100.0, "pet")


def recipe(*stations: StationSettings, **keys: float) -> RecipeSettings:
    return RecipeSettings(classes=CLASSES, stations=stations or (CANS, PETS), **keys)  # type: ignore[arg-type]


def item(
    probabilities: Sequence[float] = CAN,
    *,
    track_id: int = 1,
    x_um: int = 700_000,
    belt_um: int = 5_000_000,
    view_count: int = 3,
    leaves_at_um: int | None = None,
) -> BeltItem:
    return BeltItem(track_id, x_um, belt_um, 200_000, 200_000, np.array(probabilities, float), view_count, leaves_at_um)


@st.composite
def class_probabilities(draw: st.DrawFn) -> np.ndarray:
    raw = np.array(draw(st.lists(st.floats(0.0, 1.0), min_size=3, max_size=3)))
    return raw / max(1.0, raw.sum())


@st.composite
def neighbourhoods(draw: st.DrawFn) -> list[BeltItem]:
    return [
        item(
            draw(class_probabilities()),
            track_id=2 + number,
            x_um=700_000 + draw(st.integers(-80_000, 80_000)),
            belt_um=5_000_000 + draw(st.integers(-80_000, 80_000)),
            leaves_at_um=draw(st.sampled_from([None, NEAR_UM, FAR_UM])),
        )
        for number in range(draw(st.integers(0, 4)))
    ]


def value_of(judged: BeltItem, others: Sequence[BeltItem], station: StationSettings, line: RecipeSettings) -> float:
    """The definition, written out anew: all items in the zone that are still on the belt there."""
    taken = [
        other
        for other in others
        if abs(other.x_um - judged.x_um) < 70_000 and -50_000 <= other.belt_um - judged.belt_um < 50_000
    ]
    offset_um = round(station.offset_mm * 1000)
    there = [other for other in taken if other.leaves_at_um is None or other.leaves_at_um > offset_um]
    targets = [target_probability(each, station, line) for each in (judged, *there)]
    named = [float(each.probabilities.sum()) for each in (judged, *there)]
    candidates = [
        Candidate(0, 0, target, all_named - target + line.unlisted_item_ratio * (1 - all_named))
        for target, all_named in zip(targets, named, strict=True)
    ]
    return expected_value(candidates, non_target_cost(station))


# nozzles of 70 mm, so that an item at 700 mm (the edge of nozzle 10) opens exactly nozzles 9 and 10
WIDE = {"nozzle_pitch_mm": 70.0, "nozzle_count": 20}


@given(probabilities=class_probabilities(), others=neighbourhoods(), purities=st.tuples(*[st.floats(0.1, 0.95)] * 2))
def test_a_station_ejects_only_what_is_worth_more_than_nothing_and_the_worthiest_takes_it(
    probabilities: np.ndarray, others: list[BeltItem], purities: tuple[float, float]
) -> None:
    stations = (
        bar("cans", 700.0, "can", purity_target=purities[0], **WIDE),
        bar("pets", 1100.0, "pet", purity_target=purities[1], **WIDE),
    )
    line, judged = recipe(*stations), item(probabilities)
    # a neighbour on the outermost micrometre of the bar's nozzle is a matter of rounding, not of value
    others = [other for other in others if abs(other.x_um - judged.x_um) < 70_000 - 1]
    verdict = decide(judged, others, line)
    values = {station.id: value_of(judged, others, station, line) for station in stations}
    alone = {station.id: value_of(judged, [], station, line) for station in stations}
    worthy = {name: value for name, value in values.items() if value > 0.0 and alone[name] > 0.0}
    if verdict.station is None:
        assert not worthy
        assert verdict.zone is None
        assert verdict.reason is not DecisionReason.EJECT
    else:
        assert verdict.reason is DecisionReason.EJECT
        assert verdict.zone is not None
        assert values[verdict.station.id] == max(worthy.values())


@given(probabilities=class_probabilities(), others=neighbourhoods(), views=st.integers(0, 5), least=st.integers(1, 5))
def test_an_item_seen_too_seldom_is_never_ejected(
    probabilities: np.ndarray, others: list[BeltItem], views: int, least: int
) -> None:
    verdict = decide(item(probabilities, view_count=views), others, recipe(min_decision_views=least))
    assert (verdict.reason is DecisionReason.TOO_FEW_VIEWS) == (views < least)
    if views < least:
        assert verdict.station is None


@given(
    probabilities=st.lists(class_probabilities(), min_size=1, max_size=8),
    others=neighbourhoods(),
    purity=st.floats(0.05, 0.9),
    stricter=st.floats(0.0, 0.09),
)
def test_a_higher_purity_target_never_ejects_more(
    probabilities: list[np.ndarray], others: list[BeltItem], purity: float, stricter: float
) -> None:
    def ejected(purity_target: float) -> set[int]:
        line = recipe(bar("cans", 700.0, "can", purity_target=purity_target))
        verdicts = [decide(item(each), others, line) for each in probabilities]
        return {number for number, verdict in enumerate(verdicts) if verdict.station is not None}

    assert ejected(purity + stricter) <= ejected(purity)


@given(purity=st.floats(0.51, 0.95), shift_um=st.integers(-40_000, 40_000))
def test_a_certain_non_target_in_the_zone_blocks_the_shot(purity: float, shift_um: int) -> None:
    line = recipe(bar("cans", 700.0, "can", purity_target=purity))
    neighbour = item(GLASS, track_id=2, x_um=700_000 + shift_um, belt_um=5_000_000 + shift_um)
    assert decide(item(), [], line).reason is DecisionReason.EJECT
    verdict = decide(item(), [neighbour], line)
    assert (verdict.station, verdict.reason) == (None, DecisionReason.NEIGHBOURS)


@pytest.mark.parametrize(
    ("leaves_at_um", "is_blocked"), [(NEAR_UM - 100_000, False), (NEAR_UM, False), (FAR_UM, True), (None, True)]
)
def test_a_neighbour_that_this_or_an_earlier_station_takes_does_not_block(
    leaves_at_um: int | None, is_blocked: bool
) -> None:
    neighbour = item(GLASS, track_id=2, leaves_at_um=leaves_at_um)
    assert (decide(item(), [neighbour], recipe(CANS)).station is None) == is_blocked


def test_a_neighbour_outside_the_zone_does_not_block() -> None:
    across = item(GLASS, track_id=2, x_um=900_000)
    along = item(GLASS, track_id=3, belt_um=5_200_000)
    assert decide(item(), [across, along], recipe()).reason is DecisionReason.EJECT


def test_a_target_taken_along_outweighs_a_doubtful_item() -> None:
    line = recipe(bar("cans", 700.0, "can", non_target_cost=1.4))
    non_target, second_can = item(GLASS, track_id=2), item(CAN, track_id=3)
    assert decide(item(), [non_target], line).reason is DecisionReason.NEIGHBOURS
    assert decide(item(), [non_target, second_can], line).reason is DecisionReason.EJECT


def test_an_item_that_is_no_target_is_not_ejected_for_its_neighbours_sake() -> None:
    cans = [item(CAN, track_id=number) for number in (2, 3, 4)]
    verdict = decide(item(GLASS), cans, recipe(CANS))
    assert (verdict.station, verdict.reason) == (None, DecisionReason.NO_STATION)


@pytest.mark.parametrize(
    ("probabilities", "reason"),
    [
        ([0.0, 0.0, 0.9], DecisionReason.NO_STATION),
        ([0.0, 0.0, 0.5], DecisionReason.NO_STATION),
        ([0.1, 0.0, 0.49], DecisionReason.UNKNOWN),
        ([0.0, 0.0, 0.3], DecisionReason.UNKNOWN),
        ([0.0, 0.0, 0.29], DecisionReason.NOTHING),
        ([0.1, 0.1, 0.09], DecisionReason.NOTHING),
        ([0.1, 0.1, 0.11], DecisionReason.UNKNOWN),
        ([0.55, 0.0, 0.45], DecisionReason.UNKNOWN),
        ([0.0, 0.0, 0.0], DecisionReason.NOTHING),
        ([0.61, 0.0, 0.0], DecisionReason.EJECT),
    ],
)
def test_an_item_passes_as_unknown_for_want_of_a_station_or_because_it_is_none(
    probabilities: list[float], reason: DecisionReason
) -> None:
    assert decide(item(probabilities), [], recipe()).reason is reason


def test_from_which_probability_something_counts_as_an_item_is_the_recipe_s_to_say() -> None:
    doubtful = item([0.0, 0.0, 0.3])
    for least, reason in ((0.31, DecisionReason.NOTHING), (0.3, DecisionReason.UNKNOWN)):
        assert decide(doubtful, [], recipe(min_item_probability=least)).reason is reason


def test_what_is_worth_ejecting_is_ejected_though_it_may_be_nothing() -> None:
    greedy = bar("cans", 700.0, "can", non_target_cost=0.1)
    assert decide(item([0.2, 0.0, 0.0]), [], recipe(greedy)).reason is DecisionReason.EJECT


def test_an_item_beyond_the_bar_passes_with_that_reason_unless_another_bar_reaches_it() -> None:
    short = bar("cans", 700.0, "can", nozzle_count=10)
    assert decide(item(), [], recipe(short)).reason is DecisionReason.OFF_BAR
    verdict = decide(item(), [], recipe(short, bar("late", 1100.0, "can")))
    assert verdict.station is not None
    assert verdict.station.id == "late"


def test_of_two_reasons_to_pass_the_neighbours_come_first() -> None:
    short = bar("short", 700.0, "can", nozzle_count=10)
    verdict = decide(item(), [item(GLASS, track_id=2)], recipe(short, bar("late", 1100.0, "can")))
    assert verdict.reason is DecisionReason.NEIGHBOURS


def test_the_verdict_names_the_likeliest_class_whatever_is_done() -> None:
    for probabilities in ([0.2, 0.7, 0.1], [0.2, 0.4, 0.1]):
        verdict = decide(item(probabilities), [], recipe())
        assert (verdict.class_id, verdict.probability) == (1, probabilities[1])
    seldom = decide(item([0.2, 0.7, 0.1], view_count=1), [], recipe())
    assert (seldom.class_id, seldom.probability) == (1, 0.7)


def test_a_station_s_targets_add_up_to_certainty_at_most() -> None:
    both = bar("both", 700.0, "can", "pet")
    assert target_probability(item([0.3, 0.4, 0.2]), both, recipe(both)) == pytest.approx(0.7)
    assert target_probability(item([0.7, 0.7, 0.2]), both, recipe(both)) == 1.0


def test_a_stated_cost_takes_the_place_of_the_purity_target() -> None:
    greedy = msgspec.structs.replace(CANS, non_target_cost=0.1)
    doubtful = item([0.2, 0.0, 0.0])
    assert decide(doubtful, [], recipe(CANS)).station is None
    assert decide(doubtful, [], recipe(greedy)).station == greedy


def test_what_may_be_nothing_costs_less_than_what_is_another_class() -> None:
    doubtful, mistaken = item([0.5, 0.0, 0.0]), item([0.5, 0.5, 0.0])
    for ratio, reason in ((0.3, DecisionReason.EJECT), (1.0, DecisionReason.UNKNOWN)):
        line = recipe(CANS, unlisted_item_ratio=ratio)
        assert decide(doubtful, [], line).reason is reason
        assert decide(mistaken, [], line).reason is DecisionReason.UNKNOWN


@given(probabilities=class_probabilities(), ratio=st.floats(0.0, 1.0))
def test_target_other_and_nothing_share_one(probabilities: np.ndarray, ratio: float) -> None:
    seen, line = item(probabilities), recipe(unlisted_item_ratio=ratio)
    shares = [target_probability(seen, CANS, line), other_probability(seen, CANS, line)]
    assert all(0.0 <= share <= 1.0 for share in shares)
    assert sum(shares) <= 1.0 + 1e-9
    assert sum(shares) == pytest.approx(1.0) or ratio < 1.0
