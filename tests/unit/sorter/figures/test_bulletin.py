"""All figures of a made-up hour, each against what can be reckoned by hand."""

import pytest

from sorter.figures.bulletin import all_figures
from sorter.figures.figure import Figure, Reliability
from sorter.figures.period_record import PeriodRecord
from sorter.model.events import RecipeUsed
from sorter.model.rollups import CountName, ItemsKey, ItemsSum, Period, RollUp
from sorter.model.settings import FactorSettings, FiguresSettings

HOUR = Period(0, 3_600_000)
MIN_MS = 60_000
RECIPE = RecipeUsed(
    device_id="n",
    boot_id="a",
    seq=1,
    at_ms=0,
    recipe_hash="r",
    name="r",
    classes=("pet", "glass"),
    targets={"pet": ("pet",)},
)
FACTOR = FactorSettings(100.0, 200.0, 400.0, "a price list", 2026)
SETTINGS = FiguresSettings(nominal_items_per_min=40.0, value_per_t={"pet": FACTOR}, co2e_avoided_kg_per_t={})


def record(
    modes_min: dict[str, int] | None = None,
    overlap_ratio: float = 0.0,
    energy: tuple[str, ...] = ("rapl", "configured"),
) -> PeriodRecord:
    sums = RollUp()
    for station, name, count, expected in (("pet", "pet", 900, 855.0), ("", "glass", 300, 300.0)):
        sums.items[ItemsKey(0, "n", "m", "r", station, name)] = ItemsSum(
            count, round(expected * 1e6), count * 9000, count * 30_000, 0, round(count * overlap_ratio * 1e6)
        )
    counts = [(CountName.MODE_MS, mode, minutes * MIN_MS) for mode, minutes in (modes_min or {"execute": 40}).items()]
    counts += [(CountName.ACK, "pet/fired", 900), (CountName.ACK, "pet/refused_late", 90)]
    counts += [(CountName.MISPLACED, "pet", 10), (CountName.AIR_UL, "", 1_800_000), (CountName.SHOTS, "", 2700)]
    for source in energy:
        counts += [(CountName.ENERGY_MJ, source, 1_800_000_000), (CountName.ENERGY_MS, source, 40 * MIN_MS)]
    for name, label, value in counts:
        sums.count(name, value, start_ms=0, device_id="n", label=label)
    return PeriodRecord(HOUR, sums, (), {"r": RECIPE})


def figures(found: PeriodRecord, settings: FiguresSettings = SETTINGS) -> dict[str, Figure]:
    return {f"{one.name} {one.subject}".strip(): one for one in all_figures(found, settings)}


def test_time_lost_to_holds_lowers_availability_time_not_planned_does_not() -> None:
    found = figures(record({"execute": 30, "held": 6, "suspended": 4, "idle": 10, "stopped": 5}))
    assert found["availability"].value == pytest.approx(30 / 40)
    assert found["availability"].coverage_ratio == pytest.approx(55 / 60)


def test_oee_is_the_product_of_its_parts() -> None:
    found = figures(record())
    assert found["performance"].value == pytest.approx(1200 / (40 * 40))
    parts = [found[name].value or 0.0 for name in ("availability", "performance", "quality")]
    assert found["oee"].value == pytest.approx(parts[0] * parts[1] * parts[2])
    assert (found["oee"].low or 0) < (found["oee"].value or 0) < (found["oee"].high or 0)
    assert figures(record(), FiguresSettings())["oee"].reliability is Reliability.NO_DATA
    assert "nominal_items_per_min" in figures(record(), FiguresSettings())["oee"].reason


def test_missed_windows_are_refusals_failures_and_shots_that_opened_elsewhere() -> None:
    missed = figures(record())["missed_windows pet"]
    assert (missed.numerator, missed.denominator) == (100.0, 990.0)
    assert missed.value == pytest.approx(100 / 990)


def test_energy_and_air_are_divided_by_what_they_were_used_for() -> None:
    found = figures(record())
    assert found["energy_per_tonne"].value == pytest.approx(1.0 / (1200 * 0.03 / 1000))
    assert found["energy_per_tonne"].reliability is Reliability.RELIABLE
    assert found["air_per_ejection"].value == pytest.approx(1.8 / 900)


def test_the_energy_of_the_computer_alone_is_not_that_of_the_line() -> None:
    alone = figures(record(energy=("rapl",)))["energy_per_tonne"]
    assert alone.reliability is Reliability.UNRELIABLE
    assert "figures.power_w" in alone.reason
    assert figures(record(energy=("unknown",)))["energy_per_tonne"].reliability is Reliability.NO_DATA


def test_value_has_a_range_and_a_source_and_says_what_it_leaves_out() -> None:
    value = figures(record())["value"]
    assert value.value == pytest.approx(900 * 30e-6 * 0.95 * 200.0, rel=0.02)
    assert (value.low or 0) < (value.value or 0) / 2
    assert (value.high or 0) > 2 * (value.value or 0)
    assert value.source == "pet: a price list (2026)"
    assert value.unit == "EUR"


def test_without_a_factor_that_names_its_source_there_is_no_avoided_co2e() -> None:
    found = figures(record())["co2e_avoided_if_recycled"]
    assert (found.value, found.reliability) == (None, Reliability.NO_DATA)
    assert "no factor" in found.reason


def test_masses_where_items_lie_on_each_other_make_all_that_rests_on_them_unreliable() -> None:
    found = figures(record(overlap_ratio=0.5))
    for name in ("throughput_mass", "energy_per_tonne", "value", "composition_mass pet"):
        assert found[name].reliability is Reliability.UNRELIABLE
    assert found["composition_count pet"].reliability is Reliability.RELIABLE


def test_an_empty_period_has_every_figure_of_the_line_and_none_has_a_value() -> None:
    found = all_figures(PeriodRecord(HOUR, RollUp()), SETTINGS)
    assert all(one.value is None and one.reliability is Reliability.NO_DATA and one.reason for one in found)
    assert {one.name for one in found} >= {"oee", "energy_per_tonne", "value", "throughput_mass"}


def test_every_figure_says_how_it_was_made_and_lies_in_its_interval() -> None:
    for one in all_figures(record(), SETTINGS):
        assert one.method or one.reason
        assert 0.0 <= one.coverage_ratio <= 1.0
        if one.value is not None and one.low is not None and one.high is not None:
            assert one.low <= one.value <= one.high
