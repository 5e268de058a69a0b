"""The valves' health: dead nozzles are found from their misses, and good ones are left alone."""

import random

import pytest

from actuators.nozzle_use import NozzleUse
from actuators.valve_health import ValveHealth
from sorter.model.condition import NozzleReport
from sorter.model.ejection import Ack, AckStatus, EjectionCommand, Outcomes, ShotOutcome
from sorter.model.settings import Settings, ValveSettings
from sorter.model.units import NS_PER_MS

SETTINGS = Settings(valves=ValveSettings(air_l_per_ms=0.01))


def run(shot_count: int, hit_ratio: float, dead: set[int], seed: int) -> dict[int, NozzleReport]:
    rng = random.Random(seed)
    health, use = ValveHealth(SETTINGS), NozzleUse(10_000 * NS_PER_MS)
    for seq in range(shot_count):
        nozzle = rng.randrange(1, 20)
        command = EjectionCommand("life", seq, (), "pet", nozzle - 1, nozzle + 1, seq * 1000, seq * 1000 + 500, 1, "r")
        use.energise(("pet", nozzle), seq * 100 * NS_PER_MS)
        use.release(("pet", nozzle), (seq * 100 + 20) * NS_PER_MS)
        health.note_fired(command, Ack("life", seq, AckStatus.FIRED, 1, seq * 1000, 2))
        hit_count = 0 if nozzle in dead else int(rng.random() < hit_ratio)
        health.note_outcomes(Outcomes(0, (), (ShotOutcome("pet", seq * 1000, hit_count),)))
    return {report.nozzle: report for report in health.report(use, shot_count * 100 * NS_PER_MS).nozzles}


@pytest.mark.parametrize("seed", range(5))
def test_a_dead_nozzle_is_suspected_and_no_other(seed: int) -> None:
    reports = run(1500, 0.7, {7}, seed)
    assert {number for number, report in reports.items() if report.suspicion == "dead"} == {7}


@pytest.mark.parametrize("hit_ratio", [0.05, 0.5, 1.0])
def test_where_all_hit_alike_nobody_is_suspected(hit_ratio: float) -> None:
    assert all(report.suspicion is None for report in run(1500, hit_ratio, set(), 1).values())


def test_counts_air_and_drift() -> None:
    health, use = ValveHealth(SETTINGS), NozzleUse(1000 * NS_PER_MS)
    use.energise(("pet", 3), 0)
    use.release(("pet", 3), 50 * NS_PER_MS)
    use.energise(("pet", 4), 60 * NS_PER_MS)
    for _ in range(100):
        health.note_response(("pet", 3), 2 * NS_PER_MS)
    report = health.report(use, 100 * NS_PER_MS)
    assert report.air_l == pytest.approx(0.5)
    assert report.open_count == 1
    third, fourth = report.nozzles
    assert (third.shot_count, third.on_time_ms, third.duty_ratio) == (1, 50.0, 0.05)
    assert third.response_drift_ms == pytest.approx(2.0)
    assert (fourth.duty_ratio, fourth.response_drift_ms) == (0.04, None)


def test_a_nozzle_that_has_fired_for_months_is_judged_still() -> None:
    """Beyond a thousand shots the binomial coefficients are beyond a float."""
    reports = run(25_000, 0.7, {7}, 1)
    assert {number for number, report in reports.items() if report.suspicion == "dead"} == {7}
