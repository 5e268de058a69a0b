"""Throughput and composition: shares add up to one, masses say how unsure they are, overlap makes them unreliable."""

import pytest

from sorter.figures.figure import Reliability
from sorter.figures.flow import Basis, composition, items_per_minute, tonnes_per_hour
from sorter.figures.period_record import PeriodRecord
from sorter.model.rollups import CountName, ItemsKey, ItemsSum, Period, RollUp

HOUR = Period(0, 3_600_000)


def record(overlap_ratio: float = 0.0, executing_ms: int = 1_800_000) -> PeriodRecord:
    sums = RollUp()
    for name, count, mass_g in (("pet", 600, 28.0), ("glass", 100, 250.0)):
        values = ItemsSum(count, count * 900_000, count * 9000, round(count * mass_g * 1000), count * 4_000_000, 0)
        values.overlap_ppm = round(count * overlap_ratio * 1e6)
        sums.items[ItemsKey(0, "n", "m", "r", "", name)] = values
    sums.count(CountName.MODE_MS, executing_ms, start_ms=0, device_id="n", label="execute")
    return PeriodRecord(HOUR, sums)


def test_throughput_is_over_the_time_of_sorting_and_coverage_over_the_period() -> None:
    figure = items_per_minute(record())
    assert figure.value == pytest.approx(700 / 30)
    assert (figure.low or 0) < (figure.value or 0) < (figure.high or 0)
    assert figure.coverage_ratio == pytest.approx(0.5)
    mass = tonnes_per_hour(record())
    assert mass.value == pytest.approx((600 * 28 + 100 * 250) / 1e6 / 0.5)


@pytest.mark.parametrize("basis", Basis)
def test_shares_add_up_to_one_and_lie_in_their_intervals(basis: Basis) -> None:
    shares = composition(record(), basis)
    assert sum(figure.value or 0.0 for figure in shares.values()) == pytest.approx(1.0)
    assert all((one.low or 0) < (one.value or 0) < (one.high or 0) for one in shares.values())


def test_masses_are_less_sure_than_counts() -> None:
    by_count, by_mass = composition(record(), Basis.COUNT)["glass"], composition(record(), Basis.MASS)["glass"]
    assert (by_mass.high or 0) - (by_mass.low or 0) > (by_count.high or 0) - (by_count.low or 0)


def test_masses_of_items_that_lie_on_each_other_are_unreliable_counts_are_not() -> None:
    crowded = record(overlap_ratio=0.4)
    assert tonnes_per_hour(crowded).reliability is Reliability.UNRELIABLE
    assert "40%" in tonnes_per_hour(crowded).reason
    assert composition(crowded, Basis.MASS)["pet"].reliability is Reliability.UNRELIABLE
    assert composition(crowded, Basis.COUNT)["pet"].reliability is Reliability.RELIABLE


def test_a_line_that_did_not_sort_has_no_throughput() -> None:
    assert items_per_minute(record(executing_ms=0)).reliability is Reliability.NO_DATA
    assert composition(PeriodRecord(HOUR, RollUp())) == {}
