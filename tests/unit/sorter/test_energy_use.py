"""Use of energy and air: what was used since this process began, whatever the controller counts from."""

from sorter.energy_use import EnergyUse
from sorter.model.condition import NozzleReport, ValveReport

TEN_S_NS = 10_000_000_000


class FixedMeter:
    def __init__(self, name: str | None, energy_mj: int = 0) -> None:
        self.name = name
        self._energy_mj = energy_mj

    def take_mj(self) -> int:
        return self._energy_mj


def valves(air_l: float, shot_count: int) -> ValveReport:
    return ValveReport(0, (NozzleReport("pet", 3, shot_count, 10.0, 0.0),), air_l, 0)


def test_air_and_shots_count_from_the_first_report_and_again_from_nothing_when_the_controller_is_new() -> None:
    use = EnergyUse(FixedMeter("rapl", 50_000), None)
    use.step(0, is_executing=True)
    for report in (valves(5.0, 100), valves(5.5, 110), valves(0.25, 4)):
        use.take_valves(report)
    (told,) = use.step(TEN_S_NS, is_executing=True)
    assert (told["air_ul"], told["shot_count"]) == (750_000, 14)
    assert (told["source"], told["energy_mj"], told["duration_ms"]) == ("rapl", 50_000, 10_000)
    (after,) = use.step(2 * TEN_S_NS, is_executing=True)
    assert (after["air_ul"], after["shot_count"]) == (0, 0)


def test_configured_power_is_told_beside_what_is_measured_and_only_while_the_line_sorts() -> None:
    use = EnergyUse(FixedMeter(None), 500.0)
    use.step(0, is_executing=True)
    measured, configured = use.step(TEN_S_NS, is_executing=True)
    assert (measured["source"], measured["energy_mj"]) == ("unknown", 0)
    assert (configured["source"], configured["energy_mj"]) == ("configured", 5_000_000)
    assert len(use.step(2 * TEN_S_NS, is_executing=False)) == 1


def test_nothing_is_told_before_ten_seconds_are_over() -> None:
    use = EnergyUse(FixedMeter(None), None)
    assert use.step(5, is_executing=True) == []
    assert use.step(TEN_S_NS, is_executing=True) == []
    assert use.step(TEN_S_NS + 5, is_executing=True) != []
