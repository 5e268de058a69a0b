"""Live statistics: counted from the moment the line first executes, for items that came into view after it."""

import pytest

from sorter.line_statistics import LiveStatistics
from sorter.model.ejection import (
    Ack,
    AckStatus,
    Decision,
    DecisionReason,
    EjectionCommand,
    ItemOutcome,
    Outcomes,
)
from sorter.model.settings import Settings
from sorter.model.units import NS_PER_MS
from sorter.runtime.configuration import settings_from

SETTINGS = settings_from(
    {"recipe": {"classes": ["can", "pet"], "stations": [{"id": "cans", "offset_mm": 700.0, "targets": ["can"]}]}}
)
BEGAN_UM = 5_000_000
FIRST_UM = BEGAN_UM + 787_500


def decision(
    class_id: int = 0, belt_um: int = FIRST_UM, views: int = 4, reason: DecisionReason = DecisionReason.EJECT
) -> Decision:
    return Decision(1, 1, "cans", class_id, 0.9, reason, views, belt_um, 0, 0, 0, 1_000 * NS_PER_MS)


def told(belt_um: int, station_id: str | None = "cans") -> Outcomes:
    return Outcomes(belt_um, (ItemOutcome(1, 0, belt_um, 16.0, True, station_id, 0),), ())


def begun(settings: Settings = SETTINGS) -> LiveStatistics:
    live = LiveStatistics(settings)
    live.begin(BEGAN_UM)
    return live


def test_before_the_line_executes_nothing_counts() -> None:
    live = LiveStatistics(SETTINGS)
    live.add_decision(decision())
    live.add_outcomes(told(FIRST_UM))
    command = EjectionCommand("life", 1, (1,), "cans", 0, 1, FIRST_UM + 700_000, FIRST_UM + 800_000, 0, "recipe")
    live.add_settled(command, Ack("life", 1, AckStatus.FAILED))
    live.add_sent(decision(), 0)
    found = live.statistics(77)
    assert found.measured_at_ns == 77
    assert found.class_counts == {"can": 0, "pet": 0}
    assert (found.figures.item_count, found.figures.command_count, found.views_per_item) == (0, 0, None)
    assert found.figures.frame_to_command_p50_ms is None


def test_items_count_by_class_with_the_views_they_had() -> None:
    live = begun()
    for class_id, views in ((0, 4), (0, 5), (1, 9)):
        live.add_decision(decision(class_id, views=views))
    found = live.statistics(0)
    assert found.class_counts == {"can": 2, "pet": 1}
    assert found.views_per_item == 6.0


@pytest.mark.parametrize("reason", [DecisionReason.TOO_FEW_VIEWS, DecisionReason.NOTHING])
def test_what_is_hardly_an_item_is_not_counted(reason: DecisionReason) -> None:
    live = begun()
    live.add_decision(decision(reason=reason))
    live.add_outcomes(Outcomes(10**9, (), ()))
    assert live.statistics(0).class_counts == {"can": 0, "pet": 0}
    assert live.statistics(0).figures.counted_count == 0


def test_figures_begin_with_the_first_item_that_came_into_view_after_the_start() -> None:
    live = begun()
    live.add_outcomes(told(FIRST_UM - 1))
    assert live.statistics(0).figures.item_count == 0
    live.add_outcomes(told(FIRST_UM))
    assert live.statistics(0).figures.item_count == 1
    assert live.statistics(0).figures.overall.recovery.value == 1.0


def test_a_second_start_counts_on() -> None:
    live = begun()
    live.add_outcomes(told(FIRST_UM))
    live.begin(BEGAN_UM * 100)
    live.add_outcomes(told(FIRST_UM + 1, None))
    assert live.statistics(0).figures.item_count == 2


def test_commands_and_how_long_they_took_are_counted() -> None:
    live = begun()
    opens_um = FIRST_UM + 700_000
    command = EjectionCommand("life", 1, (1,), "cans", 0, 1, opens_um, opens_um + 50_000, 0, "recipe")
    live.add_sent(decision(), 1_040 * NS_PER_MS)
    live.add_settled(command, Ack("life", 1, AckStatus.FIRED, 1, opens_um + 1500, 2))
    live.add_outcomes(Outcomes(FIRST_UM, (), ()))
    figures = live.statistics(0).figures
    assert figures.frame_to_command_p50_ms == 40.0
    assert figures.placement_error_p99_mm == 1.5
    assert figures.acks == {"fired": 1}


def test_statistics_say_what_they_rest_on() -> None:
    live = begun()
    live.model_id = "farz-1"
    found = live.statistics(0)
    assert (found.model_id, found.detector, found.precision, found.has_truth) == ("farz-1", "openvino", "f32", True)
    live.precision = "bf16"
    assert live.statistics(0).precision == "bf16"
    oracle = begun(settings_from({"detector": {"runtime": "oracle", "precision": "bf16"}})).statistics(0)
    assert (oracle.detector, oracle.precision) == ("oracle", "exact")
    outside = begun(settings_from({"source": {"kind": "folder", "location": "x"}})).statistics(0)
    assert not outside.has_truth
