"""A hot board: told before it slows down, looked with less often in steps, never so seldom that nothing is decided."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.errors import ConfigurationError
from sorter.model.settings import HeatSettings, HeatStep, Settings
from sorter.model.units import NS_PER_S
from sorter.policy.heat import HeatSteps
from sorter.runtime.board_sensors import BoardReading, read_board
from sorter.runtime.configuration import settings_from
from vision.heat_watch import HeatWatch
from vision.travel_trigger import TravelTrigger

STEPS = HeatSettings(steps=(HeatStep(6.0, 1.25), HeatStep(3.0, 1.6)), recover_margin_c=2.0, recover_s=30.0)


def board(root: Path, temperature_c: float, *, slowed: int = 0) -> Path:
    """The files of a Jetson: a zone that slows at 99 °C, one that is off, a rail, a fan and a brake."""
    files: dict[str, Any] = {
        "class/thermal/thermal_zone0/type": "gpu-thermal",
        "class/thermal/thermal_zone0/temp": round(temperature_c * 1000),
        "class/thermal/thermal_zone0/trip_point_0_type": "active",
        "class/thermal/thermal_zone0/trip_point_0_temp": 50000,
        "class/thermal/thermal_zone0/trip_point_1_type": "passive",
        "class/thermal/thermal_zone0/trip_point_1_temp": 99000,
        "class/thermal/thermal_zone1/type": "cv0-thermal",
        "class/thermal/thermal_zone1/temp": "-256000",
        "class/thermal/thermal_zone1/trip_point_0_type": "passive",
        "class/thermal/thermal_zone1/trip_point_0_temp": 99000,
        "class/thermal/cooling_device0/type": "pwm-fan",
        "class/thermal/cooling_device0/cur_state": 3,
        "class/thermal/cooling_device1/type": "gpu-throttle",
        "class/thermal/cooling_device1/cur_state": slowed,
        "class/hwmon/hwmon1/name": "ina3221",
        "class/hwmon/hwmon1/in1_label": "VDD_IN",
        "class/hwmon/hwmon1/in1_input": 5000,
        "class/hwmon/hwmon1/curr1_input": 2400,
        "class/hwmon/hwmon1/in2_label": "VDD_CPU_GPU_CV",
        "class/hwmon/hwmon1/in2_input": 5000,
        "class/hwmon/hwmon1/curr2_input": 1000,
    }
    for name, value in files.items():
        path = root / "sys" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{value}\n")
    return root


def test_a_jetson_s_sensors_are_read(tmp_path: Path) -> None:
    assert read_board(board(tmp_path, 71.5)) == BoardReading(
        71.5, "gpu-thermal", 27.5, 12.0, {"VDD_IN": 12.0, "VDD_CPU_GPU_CV": 5.0}
    )


def test_what_is_not_there_is_not_zero(tmp_path: Path) -> None:
    assert read_board(tmp_path) == BoardReading()
    assert HeatWatch(Settings(), tmp_path).figures() == {"view_step_ratio": 1.0}


def test_a_dim_screen_and_a_limit_of_a_warm_room_are_no_heat(tmp_path: Path) -> None:
    board(tmp_path, 35.0)
    (tmp_path / "sys/class/thermal/thermal_zone0/trip_point_1_temp").write_text("27800\n")
    (tmp_path / "sys/class/thermal/cooling_device1/type").write_text("LCD\n")
    (tmp_path / "sys/class/thermal/cooling_device1/cur_state").write_text("15\n")
    assert read_board(tmp_path).margin_c is None
    assert read_board(tmp_path).slowed == ()


def test_where_nothing_says_from_when_it_slows_ten_degrees_before_the_end_is_meant(tmp_path: Path) -> None:
    board(tmp_path, 80.0)
    (tmp_path / "sys/class/thermal/thermal_zone0/trip_point_1_type").write_text("critical\n")
    assert read_board(tmp_path).margin_c == pytest.approx(9.0)


def test_the_operator_is_told_before_the_board_slows_down_and_views_get_fewer_in_steps(tmp_path: Path) -> None:
    watch = HeatWatch(Settings(heat=STEPS), tmp_path)
    told = []
    for number, temperature_c in enumerate((60.0, 90.0, 94.0, 97.0)):
        board(tmp_path, temperature_c)
        watch.step(number * 10 * NS_PER_S)
        told.append((watch.fault, watch.view_step_ratio))
    assert told[0] == (None, 1.0)
    assert told[1][0] is not None
    assert "hot at 90 °C (gpu-thermal), 9 °C before it slows itself down; look at fan" in told[1][0]
    assert [ratio for _, ratio in told] == [1.0, 1.0, 1.25, 1.6]
    assert watch.figures()["board_power_w"] == 12.0


def test_a_board_that_slows_itself_down_is_the_last_step_and_is_named(tmp_path: Path) -> None:
    watch = HeatWatch(Settings(heat=STEPS), board(tmp_path, 70.0, slowed=2))
    watch.step(0)
    assert watch.view_step_ratio == 1.6
    assert watch.fault is not None
    assert watch.fault.startswith("the board slows itself down at 70 °C (gpu-thermal): gpu-throttle; views are 1.60")


def test_sensors_are_not_read_at_every_turn(tmp_path: Path) -> None:
    watch = HeatWatch(Settings(), board(tmp_path, 60.0))
    watch.step(0)
    board(tmp_path, 98.0)
    watch.step(NS_PER_S)
    assert watch.fault is None
    watch.step(2 * NS_PER_S)
    assert watch.fault is not None


def test_no_heat_makes_items_seen_less_often_than_a_decision_needs(tmp_path: Path) -> None:
    settings = settings_from({"camera": {"view_step_mm": 300.0, "view_length_mm": 700.0}})
    watch = HeatWatch(settings, board(tmp_path, 98.0))
    watch.step(0)
    assert watch.view_step_ratio == pytest.approx(700.0 / 300.0 / settings.recipe.min_decision_views)


def test_steps_are_taken_back_one_at_a_time_and_only_after_a_while() -> None:
    steps = HeatSteps(STEPS)
    steps.step(2.0, is_slowed=False, now_ns=0)
    levels = []
    for second in range(0, 100, 10):
        steps.step(20.0, is_slowed=False, now_ns=(10 + second) * NS_PER_S)
        levels.append(steps.level)
    assert levels == [2, 2, 2, 1, 1, 1, 0, 0, 0, 0]


@given(st.lists(st.one_of(st.none(), st.floats(-5.0, 30.0)), max_size=60))
def test_the_step_is_never_behind_the_heat_nor_off_the_table(margins_c: list[float | None]) -> None:
    steps = HeatSteps(STEPS)
    for number, margin_c in enumerate(margins_c):
        before = steps.level
        steps.step(margin_c, is_slowed=False, now_ns=number * 10 * NS_PER_S)
        needed = 0 if margin_c is None else 2 if margin_c <= 3.0 else 1 if margin_c <= 6.0 else 0
        assert needed <= steps.level <= max(before, needed)
        assert before - steps.level <= 1


def test_steps_that_are_no_steps_are_refused_by_name() -> None:
    steps = [{"margin_c": 3.0, "view_step_ratio": 1.5}, {"margin_c": 6.0, "view_step_ratio": 2.0}]
    with pytest.raises(ConfigurationError, match="smaller margin_c"):
        settings_from({"heat": {"steps": steps}})


def test_a_stretched_trigger_lets_more_belt_pass() -> None:
    trigger = TravelTrigger(100)
    trigger.step_ratio = 1.6
    trigger.note_view(0)
    assert not trigger.is_due(159)
    assert trigger.is_due(160)
